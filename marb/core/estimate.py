"""The admin's pages by number, counted by estimate once a list is long: the cost does not grow with the table."""

import json
from functools import cached_property
from typing import Any

from django.core.paginator import Paginator
from django.db import connections
from django.db.models import QuerySet


class EstimatedPaginator(Paginator):
    """Pages of the admin's lists. Exact up to MOST rows; beyond, the planner's estimate, and no page deeper than MOST.

    The count reads at most MOST + 1 rows whatever the table holds. The estimate is pg_class.reltuples where nothing
    narrows the rows, else the row estimate of EXPLAIN.
    """

    MOST = 10_000
    template_name = "marb/pagination.html"

    @cached_property
    def count(self) -> int:
        capped = self.rows.order_by()[: self.MOST + 1].count() if self.is_queryset else len(self.object_list)
        return capped if capped <= self.MOST else max(capped, self.estimate)

    @cached_property
    def num_pages(self) -> int:
        return -(-max(1, min(self.count, self.MOST)) // self.per_page)

    @property
    def is_estimate(self) -> bool:
        return self.is_queryset and self.count > self.MOST

    @property
    def is_queryset(self) -> bool:
        return isinstance(self.object_list, QuerySet)

    @property
    def rows(self) -> QuerySet[Any]:
        return self.object_list  # type: ignore[return-value]

    @cached_property
    def estimate(self) -> int:
        if not self.rows.query.where:
            return table_estimate(self.rows)
        plan = json.loads(self.rows.order_by().values("pk").explain(format="json"))
        return int(plan[0]["Plan"]["Plan Rows"])


def table_estimate(rows: QuerySet[Any]) -> int:
    """Get PostgreSQL's own estimate of a table's rows, as of its last ANALYZE."""
    with connections[rows.db].cursor() as cursor:
        cursor.execute("SELECT reltuples::bigint FROM pg_class WHERE oid = %s::regclass", [rows.model._meta.db_table])
        return int(cursor.fetchone()[0])
