"""The base of the control room's lists: a superuser's, newest first, read-only, sorted by what an index serves."""

from typing import Any

from django.core.exceptions import BadRequest
from django.db.models import Model, Q, QuerySet
from django.http import HttpRequest
from django.urls import reverse
from django.utils.html import format_html
from unfold.decorators import display

from marb.access.admin import SuperuserAdmin
from marb.access.roles import is_superuser
from marb.core.admin import MOST_SEARCH_CHARACTERS, RecordAdmin

Facts = list[tuple[str, Any]]
MOMENT = "%m/%d/%Y %H:%M:%S UTC"


class MeasureAdmin(SuperuserAdmin):
    """A list of what was measured; a search is by the start of a name of ours."""

    ordering: Any = ("-id",)

    def get_ordering(self, request: HttpRequest) -> Any:
        return self.ordering

    def get_search_results(self, request: HttpRequest, queryset: Any, search_term: str) -> tuple[Any, bool]:
        term = search_term.strip()
        if len(term) > MOST_SEARCH_CHARACTERS or "\x00" in term:
            raise BadRequest("A search has at most 200 characters.")
        if not term or not self.search_fields:
            return queryset, False
        found = Q()
        for field in self.search_fields:
            found |= Q(**{f"{field}__icontains": term})
        return queryset.filter(found), False


class MeasurePage(MeasureAdmin, RecordAdmin):
    """A list whose rows have a page of facts, which `facts` gives as (title, value)."""

    page_template = "monitoring/facts.html"

    def page(self, request: HttpRequest, record: Any) -> dict[str, Any]:
        return {"title": str(record), "facts": self.facts(record)}

    def facts(self, record: Any) -> Facts:
        raise NotImplementedError


class Dated:
    """A list with a column for the moment of each row."""

    @display(description="At (UTC)", ordering="at")
    def moment(self, row: Any) -> str:
        return f"{row.at:%m/%d/%Y %H:%M:%S}"


def moment(at: Any) -> str:
    """Write a moment in UTC, nothing for None."""
    return at.strftime(MOMENT) if at else ""


def link(record: Model | None) -> str:
    """Write a record as a link to its page."""
    if record is None:
        return ""
    name = f"admin:{record._meta.app_label}_{record._meta.model_name}_change"
    return format_html('<a class="m-link" href="{}">{}</a>', reverse(name, args=[record.pk]), record)


def rows_of(model_admin: Any, request: HttpRequest) -> QuerySet[Any]:
    """Get the rows of a list for a superuser, none for anybody else."""
    rows: QuerySet[Any] = model_admin.model._default_manager.all()
    return rows if is_superuser(request.user) else rows.none()
