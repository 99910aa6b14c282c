"""Key figures: what each one is, where its definition comes from, what it should be, and its value from the sums.

A definition says which sums stand over which; whoever shows a figure shows the sentence, the source and the target
beside it. Figures are of months, each counted by the day that its sentence names; what is open is of today. Figures
that are read from sums hold for any choice of practices, payers, providers and months. Pure: sums in, figures out.
"""

from collections.abc import Callable, Mapping, Sequence
from datetime import date
from decimal import ROUND_HALF_UP, Decimal
from typing import NamedTuple

ZERO = Decimal(0)
CENT = Decimal("0.01")
# the months before a month whose average of submissions its first denials stand over
MONTHS_BEFORE = 3
# days since submission at which a bucket ends, both included; the last one is open
BUCKETS = (("0-30", 30), ("31-60", 60), ("61-90", 90), ("91-120", 120), ("120+", None))
OLD = ("91-120", "120+")

Sums = Mapping[str, Decimal]
Series = Mapping[date, Sums]


class Open(NamedTuple):
    """What is open today: dollars by bucket of age, and what is expected of it."""

    buckets: dict[str, Decimal]
    net_amount: Decimal

    @property
    def total(self) -> Decimal:
        return sum(self.buckets.values(), ZERO)


class Basis(NamedTuple):
    """What figures are worked out from: sums by month, those before the first month too, and what is open today."""

    months: Sequence[date]
    series: Series
    open: Open
    # the days that the submissions of these months lie in
    days: int

    def sum(self, name: str) -> Decimal:
        return sum((self.series[month][name] for month in self.months if month in self.series), ZERO)

    def average_before(self, name: str) -> Decimal:
        """Sum, over the months, the monthly average of the three months before each, as far as the rows go back."""
        return sum((average(self.series, month, name) for month in self.months), ZERO)


def average(series: Series, month: date, name: str) -> Decimal:
    first = min((each for each, sums in series.items() if sums["claim_count"]), default=None)
    before = [each for each in months_before(month, MONTHS_BEFORE) if first is not None and each >= first]
    found = sum((series[each][name] for each in before if each in series), ZERO)
    return found / len(before) if before else ZERO


def months_before(month: date, count: int) -> list[date]:
    return [shift(month, -number) for number in range(count, 0, -1)]


def shift(month: date, by: int) -> date:
    """Get the first day of the month so many months later."""
    number = month.year * 12 + month.month - 1 + by
    return date(number // 12, number % 12 + 1, 1)


def months_between(first: date, last: date) -> list[date]:
    count = (last.year - first.year) * 12 + last.month - first.month + 1
    return [shift(first, number) for number in range(count)]


def ratio(above: Decimal, below: Decimal, scale: int = 100) -> Decimal | None:
    """Divide, to two places; None over nothing."""
    return (scale * above / below).quantize(CENT, ROUND_HALF_UP) if below > 0 else None


Work = Callable[[Basis], Decimal | None]


class Definition(NamedTuple):
    """A key figure. `unit` is percent, days, dollars or count; `is_least` where the target is the least that is good.

    `has_trend` where each month has a value of its own.
    """

    key: str
    title: str
    sentence: str
    source: str
    unit: str
    target: Decimal | None
    is_least: bool
    work: Work
    has_trend: bool = True

    def is_met(self, value: Decimal | None) -> bool | None:
        if value is None or self.target is None:
            return None
        return value >= self.target if self.is_least else value <= self.target

    @property
    def goal(self) -> str:
        """Write the target: "at least 95 %", "none"; nothing where there is no target."""
        if self.target is None:
            return ""
        return (
            f"{'at least' if self.is_least else 'at most'} {write(self.target, self.unit)}" if self.target else "none"
        )


def write(value: Decimal | None, unit: str) -> str:
    """Write a figure as a person reads it: 94.8 %, 31.2 days, $1,204.50, 1,204; a dash for none."""
    if value is None:
        return "–"
    if unit == "dollars":
        return f"-${-value:,.2f}" if value < 0 else f"${value:,.2f}"
    if unit == "count":
        return f"{value:,.0f}"
    text = f"{value:,.1f}".removesuffix(".0")
    return f"{text} %" if unit == "percent" else f"{text} days"


def share(above: str, below: str) -> Work:
    return lambda basis: ratio(basis.sum(above), basis.sum(below))


def total(name: str) -> Work:
    return lambda basis: basis.sum(name)


def days_open(basis: Basis) -> Decimal | None:
    daily = basis.sum("net_amount") / basis.days if basis.days else ZERO
    return ratio(basis.open.net_amount, daily, 1)


def old_share(basis: Basis) -> Decimal | None:
    return ratio(sum((basis.open.buckets[name] for name in OLD), ZERO), basis.open.total)


def percent(text: str) -> Decimal:
    return Decimal(text)


DEFINITIONS = (
    Definition(
        "clean_claim_rate", "Clean claim rate",
        "Chains whose first claim passed every edit without a finding, over all that were submitted. By day of "
        "submission.",
        "HFMA MAP Key CL-1, as quoted by datacorehealthcare.com; its target", "percent", percent("95"), True,
        share("clean_count", "claim_count"),
    ),
    Definition(
        "initial_denial_rate", "Initial denial rate",
        "Claims that the payer's first answer denied in the month, over the average of the claims submitted in the "
        "three months before it. By day of the first answer.",
        "HFMA claims integrity task force (measureyourmission.com); target: AAFP, under 5 %", "percent", percent("5"),
        False, lambda basis: ratio(basis.sum("first_denied_count"), basis.average_before("claim_count")),
    ),
    Definition(
        "initial_denial_dollars", "Initial denial rate, dollars",
        "The same on gross charges: charges denied by the first answer, over the average of the charges submitted in "
        "the three months before.",
        "HFMA claims integrity task force (measureyourmission.com); target: AAFP, under 5 %", "percent", percent("5"),
        False, lambda basis: ratio(basis.sum("first_denied_amount"), basis.average_before("charge_amount")),
    ),
    Definition(
        "remittance_denial_rate", "Remittance denial rate",
        "Remittances that deny the claim, over all that adjudicate one (no reversals, predeterminations or forwarded "
        "claims). By day of payment.",
        "HFMA MAP Key AR-5 (its name from hfma.org, the equation is common use); target: AAFP, under 5 %", "percent",
        percent("5"), False, share("denied_count", "adjudicated_count"),
    ),
    Definition(
        "days_in_ar", "Net days in A/R",
        "What payers are expected to pay of all that is open today, over the average daily net revenue of the months "
        "shown, from the first to the last that has submissions. Net revenue is charges less contractual "
        "adjustments; of what is not answered, what the contract allows, or the charge where no contract says.",
        "HFMA (studylib.net/doc/8709829); target: panahealthcaresolutions.com, physicians 35 to 40 days", "days",
        percent("40"), False, days_open, has_trend=False,
    ),
    Definition(
        "aged_ar", "A/R over 90 days",
        "Of the charges that are open today, the part submitted more than 90 days ago.",
        "HFMA MAP Key AR-1 (studylib.net/doc/8709829); target: ours", "percent", percent("15"), False, old_share,
        has_trend=False,
    ),
    Definition(
        "net_collection_rate", "Net collection rate",
        "What payers paid of answered claims, over their charges less contractual adjustments and the patients' share "
        "(what patients pay is not known here). By day of submission.",
        "Common use; target: valiantlifecare.com, 95 to 97 % and more", "percent", percent("95"), True,
        share("paid_amount", "due_amount"),
    ),
    Definition(
        "first_pass_yield", "First-pass yield",
        "Claims that the first answer closed, without denial, reversal or another submission, over all that had a "
        "first answer. By day of the first answer.",
        "Common use; target: ours", "percent", percent("90"), True, share("first_pass_count", "answered_count"),
    ),
    Definition(
        "payer_lag", "Payer lag",
        "Days from submission (as the file says, else the day after service) to the payment date of the first "
        "answer, on average. By day of the first answer.",
        "Ours; target: ours, 30 days", "days", percent("30"), False,
        lambda basis: ratio(basis.sum("lag_days"), basis.sum("answered_count"), 1),
    ),
    Definition(
        "match_rate", "Match rate",
        "Remittances that are linked to a claim, over all received. By day of payment.",
        "Ours; target: common goal of matching, 99 %", "percent", percent("99"), True,
        share("linked_count", "remittance_count"),
    ),
    Definition(
        "auto_post_rate", "Auto-post rate",
        "Remittances that need nobody: linked without a person, balanced, of a payment that balances; over all "
        "received. By day of payment.",
        "Ours; target: ours", "percent", percent("90"), True, share("posted_count", "remittance_count"),
    ),
    Definition(
        "unbalanced_count", "Unbalanced remittances",
        "Remittances that do not balance to the cent, or whose payment does not. By day of payment.",
        "X12 835 TR3 1.10.2 (balancing); target: none of them", "count", ZERO, False, total("unbalanced_count"),
    ),
    Definition(
        "underpaid_amount", "Underpaid",
        "Dollars of lines for which a payer allowed less than its contract says, beyond the tolerance, and which "
        "nobody has recovered or accepted. By day of payment.",
        "medibilling.app and mdclarity.com (underpayment detection); target: ours", "dollars", ZERO, False,
        total("underpaid_amount"),
    ),
)  # fmt: skip
BY_KEY = {definition.key: definition for definition in DEFINITIONS}
MOST_IMPORTANT = ("clean_claim_rate", "initial_denial_rate", "days_in_ar", "net_collection_rate", "underpaid_amount")


class Figure(NamedTuple):
    """A key figure's value, and its value in each month (None where the month says nothing)."""

    definition: Definition
    value: Decimal | None
    trend: list[Decimal | None]

    @property
    def text(self) -> str:
        return write(self.value, self.definition.unit)

    @property
    def is_met(self) -> bool | None:
        return self.definition.is_met(self.value)


def work_out(basis: Basis) -> list[Figure]:
    """Work out every key figure of a choice of months, and of each month alone."""
    alone = [basis._replace(months=(month,)) for month in basis.months]
    return [
        Figure(each, each.work(basis), [each.work(one) for one in alone] if each.has_trend else [])
        for each in DEFINITIONS
    ]
