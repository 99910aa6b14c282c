"""The figures above the work list: what is open, what is due, and where the denied dollars lie. Three statements."""

from collections.abc import Sequence
from datetime import date, timedelta
from typing import Any, NamedTuple

from django.db.models import Count, Q, QuerySet, Sum
from django.http import HttpRequest
from django.urls import reverse
from django.utils import timezone

from episodes.models.denial import DenialCategory, DenialItem, DenialState
from marb.access.door import scope_of
from marb.core.admin import practice_ids
from marb.core.cache import cached

DUE_DAYS = 14
RECENT_DAYS = 30
MOST_BARS = 8
WHOLE = 1_000


class Card(NamedTuple):
    label: str
    number: int
    amount: Any
    tone: str
    url: str


class Bar(NamedTuple):
    """`width` in thousandths of the longest."""

    label: str
    number: int
    amount: Any
    width: int
    url: str


def read_figures(request: HttpRequest) -> dict[str, Any]:
    """Get the cards and the charts of a person's practices, from the cache while no denial has changed."""

    @cached("denial", "figures", depends=("denial", "party"))
    def count(scope: Sequence[int], user: int, today: str) -> dict[str, Any]:
        rows = DenialItem.objects.for_user(request.user)
        ids = practice_ids(request)
        rows = (rows.filter(practice_id=ids[0]) if len(ids) == 1 else rows).order_by()
        return {"cards": cards_of(rows, user, date.fromisoformat(today)), **charts_of(rows)}

    found = count(scope_of(request.user), request.user.pk, timezone.now().date().isoformat())
    bars = {name: [Bar(*row) for row in found[name]] for name in ("categories", "payers")}
    return {"cards": [Card(*row) for row in found["cards"]], **bars}


def cards_of(rows: QuerySet[Any], user: int, today: date) -> list[Card]:
    resolved = Q(status=DenialState.RESOLVED)
    soon, recent = today + timedelta(days=DUE_DAYS), today - timedelta(days=RECENT_DAYS)
    everybody = "assignee=everybody"
    kinds = {
        "Open": (~resolved, "warn", everybody),
        "Past the deadline": (~resolved & Q(deadline_date__lt=today), "bad", f"{everybody}&{until(today, -1)}"),
        f"Due in {DUE_DAYS} days": (
            ~resolved & Q(deadline_date__gte=today, deadline_date__lte=soon),
            "warn",
            f"{everybody}&{until(soon)}&deadline_date_from={today:%m/%d/%Y}",
        ),
        "Nobody's": (~resolved & Q(assignee=None), "plain", "assignee=nobody"),
        "Mine": (~resolved & Q(assignee_id=user), "info", "assignee=mine"),
        f"Resolved in {RECENT_DAYS} days": (
            resolved & Q(resolved_at__date__gte=recent),
            "good",
            f"{everybody}&status=resolved",
        ),
    }
    asked = {f"count{at}": Count("id", filter=each[0]) for at, each in enumerate(kinds.values())}
    sums = {f"sum{at}": Sum("denied_amount", filter=each[0]) for at, each in enumerate(kinds.values())}
    found = rows.aggregate(**asked, **sums)
    return [
        Card(label, found[f"count{at}"], found[f"sum{at}"] or 0, tone if found[f"count{at}"] else "good", place(query))
        for at, (label, (_, tone, query)) in enumerate(kinds.items())
    ]


def until(day: date, days: int = 0) -> str:
    return f"deadline_date_to={day + timedelta(days=days):%m/%d/%Y}"


def place(query: str) -> str:
    return f"{reverse('admin:episodes_denialitem_changelist')}?{query}"


def charts_of(rows: QuerySet[Any]) -> dict[str, list[Bar]]:
    """Sum what is open by category and by payer, most dollars first."""
    waiting = rows.exclude(status=DenialState.RESOLVED)
    summed = {"count": Count("id"), "amount": Sum("denied_amount")}
    categories = waiting.values("category").annotate(**summed).order_by("-amount", "category")
    payers = waiting.values("payer_id", "payer__name").annotate(**summed).order_by("-amount", "payer_id")
    labels = dict(DenialCategory.choices)
    return {
        "categories": bars_of(categories, lambda row: (labels[row["category"]], f"category__exact={row['category']}")),
        "payers": bars_of(
            payers, lambda row: (row["payer__name"] or "No payer", f"payer__id__exact={row['payer_id'] or ''}")
        ),
    }


def bars_of(rows: QuerySet[Any], name: Any) -> list[Bar]:
    found = list(rows[:MOST_BARS])
    most = max((row["amount"] for row in found), default=0) or 1
    bars = []
    for row in found:
        label, query = name(row)
        width = max(0, int(WHOLE * row["amount"] / most))
        bars.append(Bar(label, row["count"], row["amount"], width, place(f"{query}&assignee=everybody")))
    return bars
