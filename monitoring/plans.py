"""Slow statements: their masked text, and PostgreSQL's plan for it without any value.

EXPLAIN (GENERIC_PLAN) plans a statement whose parameters are unknown, so none is needed and nothing runs. Of the plan
only names, counts and costs are kept: its conditions may repeat a literal.
"""

from typing import Any

from django.db import Error, connection, transaction
from django.utils import timezone

from marb.core.logs import plain_reason
from marb.core.measure.statements import masked
from monitoring.models import Statement

VERBS = ("SELECT", "INSERT", "UPDATE", "DELETE", "WITH")
MOST_EXPLAINED = 5
KEPT = (
    *("Node Type", "Relation Name", "Index Name", "Join Type", "Strategy", "Operation", "Parallel Aware"),
    *("Plan Rows", "Plan Width", "Startup Cost", "Total Cost"),
)
CANNOT = "It cannot be explained."


def explain_new(statements: dict[str, str]) -> None:
    """Keep statements by fingerprint; the new ones with their plan, at most MOST_EXPLAINED at a time."""
    if not statements:
        return
    now = timezone.now()
    rows = [
        Statement(fingerprint=fingerprint, text=masked(text), first_seen_at=now, seen_at=now)
        for fingerprint, text in statements.items()
    ]
    key, seen = ("fingerprint",), ("seen_at",)
    Statement.objects.bulk_create(rows, update_conflicts=True, unique_fields=key, update_fields=seen)
    unexplained = Statement.objects.filter(fingerprint__in=statements, plan__isnull=True, reason="")
    for statement in unexplained[:MOST_EXPLAINED]:
        statement.plan, statement.reason = explain(statements[statement.fingerprint])
        statement.save(update_fields=("plan", "reason"))


def explain(text: str) -> tuple[dict[str, Any] | None, str]:
    """Get a statement's plan without values, or the reason why there is none."""
    if not text.lstrip("( \n").upper().startswith(VERBS) or ";" in text:
        return None, CANNOT
    try:
        with transaction.atomic(), connection.cursor() as cursor:
            # no parameters: psycopg sends the text as it is
            cursor.execute(f"EXPLAIN (GENERIC_PLAN, FORMAT JSON) {numbered(text)}")
            return bare(cursor.fetchone()[0][0]["Plan"]), ""
    except Error as error:
        return None, plain_reason(error)[:60]


def numbered(text: str) -> str:
    """Write the placeholders %s as $1, $2 and on."""
    parts = text.replace("%%", "\0").split("%s")
    joined = parts[0] + "".join(f"${number}{part}" for number, part in enumerate(parts[1:], start=1))
    return joined.replace("\0", "%")


def bare(plan: dict[str, Any]) -> dict[str, Any]:
    """Leave out of a plan whatever might hold a value."""
    kept = {key: plan[key] for key in KEPT if key in plan}
    below = [bare(child) for child in plan.get("Plans", [])]
    return {**kept, "Plans": below} if below else kept
