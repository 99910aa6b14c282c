"""Key figures of a person's practices, read from the sums: three statements, whatever the number of claims.

Answers are kept in the cache until a writer touches what they stand on. A choice names months, a payer, a provider and
a practice; what of it is not the person's finds nothing.
"""

import calendar
from collections import defaultdict
from collections.abc import Callable, Iterable, Sequence
from datetime import date
from decimal import Decimal
from typing import Any, NamedTuple

from django.db.models import Case, CharField, QuerySet, Sum, Value, When
from django.db.models.functions import Coalesce

from episodes import kpis
from episodes.kpis import BUCKETS, MONTHS_BEFORE, Basis, Open, months_between, shift, work_out
from episodes.roll import SUMS
from episodes.rollups import DayBalance, MonthSum
from marb.access.door import scope_of
from marb.core.cache import cached
from marb.parties.models import Payer

DEFAULT_MONTHS = 12
MOST_MONTHS = 60
# what a table by payer shows
PAYER_KEYS = (
    *("clean_claim_rate", "initial_denial_rate", "remittance_denial_rate", "days_in_ar", "aged_ar"),
    *("net_collection_rate", "first_pass_yield", "payer_lag", "match_rate", "underpaid_amount"),
)


class Choice(NamedTuple):
    """What is asked for: months by their first days, both included; ids of payer and provider, a practice's code."""

    first: date
    last: date
    payer: int | None = None
    provider: int | None = None
    practice: str = ""

    @property
    def months(self) -> list[date]:
        return months_between(self.first, self.last)


def lately(today: date) -> Choice:
    """Choose the last twelve months."""
    last = today.replace(day=1)
    return Choice(shift(last, 1 - DEFAULT_MONTHS), last)


def get_figures(user: Any, choice: Choice, today: date) -> dict[str, Any]:
    """Get the figures of a choice as JSON values: `figures`, `ageing`, `payers`, `months`; from the cache."""

    @cached("kpi", "figures", depends=("kpi", "party"))
    def read(practice_ids: Sequence[int], *asked: Any) -> dict[str, Any]:
        return read_figures(lambda model: model.objects.for_user(user), choice, today)

    found: dict[str, Any] = read(scope_of(user), *(str(part) for part in (*choice, today)))
    return found


Scope = Callable[[Any], QuerySet[Any]]


def read_figures(scope: Scope, choice: Choice, today: date) -> dict[str, Any]:
    """Read them from the sums, past the cache; `scope` answers the rows of a model that the asker reaches."""
    series, payer_series = read_series(scope, choice)
    ages = read_ages(scope, choice, today)
    whole = basis_of(choice, series, merge(ages.values()), today)
    figures = work_out(whole)
    return {
        "first": choice.first,
        "last": choice.last,
        "today": today,
        "months": [f"{month:%Y-%m}" for month in choice.months],
        "figures": [figure_json(figure) for figure in figures],
        "ageing": [{"bucket": name, "amount": amount} for name, amount in whole.open.buckets.items()],
        "submitted": {
            "claim_count": int(whole.sum("claim_count")),
            "line_count": int(whole.sum("line_count")),
            "charge_amount": whole.sum("charge_amount"),
        },
        "payers": payer_rows(choice, payer_series, ages, today),
    }


def figure_json(figure: kpis.Figure) -> dict[str, Any]:
    told = figure.definition
    return {
        "key": told.key,
        "title": told.title,
        "definition": told.sentence,
        "reference": told.source,
        "unit": told.unit,
        "target": told.target,
        "goal": told.goal,
        "value": figure.value,
        "text": figure.text,
        "is_met": figure.is_met,
        "trend": figure.trend,
    }


Key = int | None
Series = dict[date, dict[str, Decimal]]


def chosen(rows: QuerySet[Any], choice: Choice) -> QuerySet[Any]:
    rows = rows.order_by()
    if choice.practice:
        rows = rows.filter(practice__code=choice.practice)
    if choice.payer is not None:
        rows = rows.filter(payer_id=choice.payer)
    return rows.filter(provider_id=choice.provider) if choice.provider is not None else rows


def read_series(scope: Scope, choice: Choice) -> tuple[Series, dict[Key, Series]]:
    """Read the sums by month, and by payer and month; from three months before the first."""
    within = {"month__gte": shift(choice.first, -MONTHS_BEFORE), "month__lte": choice.last}
    rows = chosen(scope(MonthSum), choice).filter(**within).values("payer_id", "month")
    by_payer: dict[Key, Series] = defaultdict(dict)
    whole: Series = {}
    for row in rows.annotate(**{f"{name}_": Sum(name) for name in SUMS}):
        sums = {name: Decimal(row[f"{name}_"]) for name in SUMS}
        by_payer[row["payer_id"]][row["month"]] = sums
        known = whole.setdefault(row["month"], dict.fromkeys(SUMS, kpis.ZERO))
        for name, value in sums.items():
            known[name] += value
    return whole, by_payer


def read_ages(scope: Scope, choice: Choice, today: date) -> dict[Key, Open]:
    """Read what is open by payer and age."""
    ends = [(name, today - date.resolution * days) for name, days in BUCKETS if days is not None]
    bucket = Case(
        *(When(day__gte=end, then=Value(name)) for name, end in ends),
        default=Value(BUCKETS[-1][0]),
        output_field=CharField(),
    )
    rows = chosen(scope(DayBalance), choice).values("payer_id", bucket=bucket)
    found: dict[Key, Open] = {}
    for row in rows.annotate(amount=Sum("open_amount"), net=Sum("net_open_amount")):
        known = found.setdefault(row["payer_id"], nothing())
        known.buckets[row["bucket"]] += row["amount"]
        found[row["payer_id"]] = known._replace(net_amount=known.net_amount + row["net"])
    return found


def nothing() -> Open:
    return Open({name: kpis.ZERO for name, _ in BUCKETS}, kpis.ZERO)


def merge(parts: Iterable[Open]) -> Open:
    whole = nothing()
    for part in parts:
        for name, amount in part.buckets.items():
            whole.buckets[name] += amount
        whole = whole._replace(net_amount=whole.net_amount + part.net_amount)
    return whole


def basis_of(choice: Choice, series: Series, open: Open, today: date) -> Basis:
    sent = [month for month in choice.months if month in series and series[month]["claim_count"]]
    days = (min(last_day(sent[-1]), max(today, sent[0])) - sent[0]).days + 1 if sent else 0
    return Basis(choice.months, series, open, days)


def last_day(month: date) -> date:
    return month.replace(day=calendar.monthrange(month.year, month.month)[1])


def payer_rows(choice: Choice, by_payer: dict[Key, Series], ages: dict[Key, Open], today: date) -> list[dict[str, Any]]:
    """Work out the figures of each payer, the one with the most charges first."""
    keys = {*by_payer, *ages}
    names = dict(
        Payer.objects.filter(pk__in=[key for key in keys if key]).values_list("pk", Coalesce("name", "payer_code"))
    )
    bases = {key: basis_of(choice, by_payer.get(key, {}), ages.get(key) or nothing(), today) for key in keys}
    rows = [payer_row(key, names.get(key, "Not named") if key else "Not named", basis) for key, basis in bases.items()]
    return sorted(rows, key=lambda row: (-row["charge_amount"], row["name"], row["payer"] or 0))


def payer_row(key: Key, name: str, basis: Basis) -> dict[str, Any]:
    shown = {figure: kpis.BY_KEY[figure] for figure in PAYER_KEYS}
    values = {figure: each.work(basis) for figure, each in shown.items()}
    return {
        "payer": key,
        "name": name,
        "claim_count": int(basis.sum("claim_count")),
        "charge_amount": basis.sum("charge_amount"),
        "open_amount": basis.open.total,
        **values,
    }
