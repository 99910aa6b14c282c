"""Pricing: what Medicare's physician fee schedule, or a contract built on it, should allow for a service line.

Allowed = [(work x work GPCI) + (PE x PE GPCI) + (MP x MP GPCI)] x conversion factor, rounded to cents, times units; the
facility PE where the place of service is a facility. Modifiers change it by rules that are rows (ModifierRule). The
invariant: a line has a price or a reason, and never an invented number. A unit price is worked out once per
(code, modifiers, facility) and remembered; only multiple-procedure ranking looks at a claim's lines together.
Left out: anaesthesia time units (status J has no RVUs; priced as `anesthesia`), quantity limits.
"""

from collections.abc import Iterable, Mapping, Sequence
from decimal import ROUND_HALF_UP, Decimal
from typing import NamedTuple

CENT = Decimal("0.01")
ONE = Decimal(1)
STANDARD_REDUCTIONS = (Decimal(100), Decimal(50))
MOST_KNOWN = 200_000
FACILITY_PLACES = frozenset(["19", "21", "22", "23", "24", "26", "31", "34", "41", "42", "51", "52", "53", "56", "61"])
PRICED_STATUSES = frozenset("ART")
RANKED_PROCEDURES = frozenset("23")  # MULT PROC 2 (standard) and 3 (endoscopy family) are ranked at 100/50/50...


class Rvu(NamedTuple):
    """One row of PPRRVU: RVUs and indicators of a code, or of a code with 26, TC or 53."""

    work: Decimal
    nonfacility_pe: Decimal
    facility_pe: Decimal
    malpractice: Decimal
    conversion_factor: Decimal
    status_code: str
    multiple_procedure: str
    bilateral: str
    assistant: str
    cosurgeon: str
    team: str
    endoscopy_base: str
    preoperative: Decimal
    intraoperative: Decimal
    postoperative: Decimal


class Gpci(NamedTuple):
    """A locality's geographic indices for work, practice expense and malpractice."""

    work: Decimal
    practice_expense: Decimal
    malpractice: Decimal


class Cap(NamedTuple):
    """OPPSCAP: the most that the technical part may cost at a locality, per facility and non-facility."""

    facility_amount: Decimal
    nonfacility_amount: Decimal


class ModifierRule(NamedTuple):
    """What a modifier does. `indicator` names the Rvu field that must hold one of `allowed` for the rule to pay.

    effect: `percent` of the price; `portion` of the global package (pre, intra, post); `row` a price row of its own,
    else the percent; `rank` none of itself (multiple procedures); `by_report` cannot be priced; `none`.
    """

    modifier: str
    effect: str
    percent: Decimal
    indicator: str = ""
    allowed: str = ""


DEFAULT_RULES = (
    ModifierRule("26", "row", Decimal(0)),
    ModifierRule("TC", "row", Decimal(0)),
    ModifierRule("50", "percent", Decimal(150), "bilateral", "1"),
    ModifierRule("51", "rank", Decimal(100)),
    ModifierRule("52", "percent", Decimal(50)),
    ModifierRule("53", "row", Decimal(50)),
    ModifierRule("54", "portion", Decimal(100), "intraoperative"),
    ModifierRule("55", "portion", Decimal(100), "postoperative"),
    ModifierRule("56", "portion", Decimal(100), "preoperative"),
    ModifierRule("62", "percent", Decimal("62.5"), "cosurgeon", "12"),
    ModifierRule("66", "by_report", Decimal(0)),
    ModifierRule("78", "portion", Decimal(100), "intraoperative"),
    ModifierRule("80", "percent", Decimal(16), "assistant", "02"),
    ModifierRule("81", "percent", Decimal(16), "assistant", "02"),
    ModifierRule("82", "percent", Decimal(16), "assistant", "02"),
    ModifierRule("AS", "percent", Decimal("13.6"), "assistant", "02"),
)


class Unit(NamedTuple):
    """The price of one unit, or why there is none. `rank` is the total RVUs where multiple procedures are ranked."""

    cents: int | None
    reason: str
    rank: Decimal | None = None
    family: str = ""


class Line(NamedTuple):
    """What pricing asks of a service line. `units` as the claim says them; a fractional count is not priced."""

    procedure_code: str
    modifiers: tuple[str, ...]
    place_of_service_code: str
    units: str


class Price(NamedTuple):
    """A line's expected allowed amount in cents, or None and the reason in words."""

    cents: int | None
    reason: str


def rounded(amount: Decimal) -> int:
    """Round dollars to whole cents, half up, as the fee schedule does."""
    return int(amount.quantize(CENT, ROUND_HALF_UP).scaleb(2))


class Table:
    """A table of unit prices: prices a claim's lines, working each unit price out once and remembering it.

    Subclasses say `work_out(code, modifiers, is_facility) -> Unit`. `reductions` are the percents of ranked multiple
    procedures, highest first. `looked_up` and `worked_out` count lines and misses since the table was built.
    """

    def __init__(self, rules: Iterable[ModifierRule], reductions: Sequence[Decimal]):
        self.rules = {rule.modifier: rule for rule in rules}
        self.reductions = tuple(reductions) or STANDARD_REDUCTIONS
        self.known: dict[Line, tuple[Unit, Price]] = {}
        self.looked_up = self.worked_out = 0

    def work_out(self, code: str, modifiers: tuple[str, ...], is_facility: bool) -> Unit:
        raise NotImplementedError

    def price_claim(self, lines: Sequence[Line]) -> list[Price]:
        """Price the lines of one claim, in their order; multiple procedures are ranked among them by total RVUs."""
        known = self.known
        found = [known.get(line) or self.remember(line) for line in lines]
        self.looked_up += len(found)
        if sum(unit.rank is not None for unit, _ in found) < 2:
            return [price for _, price in found]
        units = [unit for unit, _ in found]
        shares = self.shares(units)
        return [extended(unit, line.units, share) for unit, line, share in zip(units, lines, shares, strict=True)]

    def remember(self, line: Line) -> tuple[Unit, Price]:
        """Work out a line's unit price and its price in full, once."""
        self.worked_out += 1
        if len(self.known) >= MOST_KNOWN:
            self.known.clear()
        unit = self.work_out(line.procedure_code, line.modifiers, line.place_of_service_code in FACILITY_PLACES)
        found = self.known[line] = (unit, extended(unit, line.units, ONE))
        return found

    def shares(self, units: Sequence[Unit]) -> list[Decimal]:
        """Rank a claim's multiple procedures: the highest total RVUs in full, the others reduced."""
        ranked = [index for index, unit in enumerate(units) if unit.rank is not None]
        shares = [ONE] * len(units)
        for place, index in enumerate(sorted(ranked, key=lambda i: (-(units[i].rank or 0), -(units[i].cents or 0)))):
            shares[index] = self.reductions[min(place, len(self.reductions) - 1)] / 100
        return shares

    def effect(self, modifier: str) -> str:
        rule = self.rules.get(modifier)
        return rule.effect if rule else "none"


class Own(Table):
    """A contract's own fees: dollars a unit by (code, modifier or ""), facility and non-facility."""

    def __init__(
        self,
        fees: Mapping[tuple[str, str], Cap],
        *,
        rules: Iterable[ModifierRule] = DEFAULT_RULES,
        reductions: Sequence[Decimal] = (),
    ):
        super().__init__(rules, reductions)
        self.fees = fees

    def work_out(self, code: str, modifiers: tuple[str, ...], is_facility: bool) -> Unit:
        """Take the fee of the code with its modifier where the contract has one, else the code's with its percents."""
        own = next((m for m in modifiers if (code, m) in self.fees), "")
        fee = self.fees.get((code, own))
        if fee is None:
            return Unit(None, "the code is not in the contract's fees")
        amount = fee.facility_amount if is_facility else fee.nonfacility_amount
        for modifier in modifiers:
            rule = self.rules.get(modifier)
            if rule is None or modifier == own:
                continue
            if rule.effect == "by_report":
                return Unit(None, f"modifier {modifier} is paid by report")
            if rule.effect == "percent":
                amount *= rule.percent / 100
        return Unit(rounded(amount), "")


class Schedule(Table):
    """One fee schedule at one locality.

    `rows` is keyed by (code, modifier or ""); `caps` likewise. `factor` is the share of Medicare (1 = 100 %).
    """

    def __init__(
        self,
        rows: Mapping[tuple[str, str], Rvu],
        gpci: Gpci,
        *,
        rules: Iterable[ModifierRule] = DEFAULT_RULES,
        caps: Mapping[tuple[str, str], Cap] | None = None,
        factor: Decimal = Decimal(1),
        reductions: Sequence[Decimal] = (),
    ):
        super().__init__(rules, reductions)
        self.rows, self.gpci, self.caps, self.factor = rows, gpci, caps or {}, factor

    def work_out(self, code: str, modifiers: tuple[str, ...], is_facility: bool) -> Unit:
        """Work out one unit's price: the row, the formula, then each modifier's rule in the order of the claim."""
        row_modifier = next((m for m in modifiers if self.effect(m) == "row" and (code, m) in self.rows), "")
        row = self.rows.get((code, row_modifier))
        refused = self.refusal(code, row, modifiers)
        if refused or row is None:
            return Unit(None, refused)
        amount = self.formula(row, is_facility)
        if cap := self.caps.get((code, row_modifier)):
            amount = min(amount, cap.facility_amount if is_facility else cap.nonfacility_amount)
        for modifier in modifiers:
            share, refused = self.share(row, modifier, row_modifier)
            if refused:
                return Unit(None, refused)
            amount *= share
        rank = total(row, is_facility) if row.multiple_procedure in RANKED_PROCEDURES else None
        return Unit(rounded(amount * self.factor), "", rank, row.endoscopy_base)

    def refusal(self, code: str, row: Rvu | None, modifiers: tuple[str, ...]) -> str:
        """Say why a code has no price, or nothing."""
        if not code:
            return "the line has no procedure code"
        if row is None:
            return "the code is not in the fee schedule"
        if row.status_code == "J":
            return "anesthesia is priced by time, not by RVUs"
        if row.status_code not in PRICED_STATUSES and not (row.work + row.nonfacility_pe + row.facility_pe):
            return f"the fee schedule gives no price for status {row.status_code or 'unknown'}"
        missing = next((m for m in modifiers if m in ("26", "TC") and (code, m) not in self.rows), "")
        return f"the fee schedule has no row for modifier {missing}" if missing else ""

    def share(self, row: Rvu, modifier: str, row_modifier: str) -> tuple[Decimal, str]:
        """What one modifier leaves of the price (1 = all), or why it cannot be priced."""
        rule = self.rules.get(modifier)
        if rule is None or rule.effect in ("none", "rank") or modifier == row_modifier:
            return Decimal(1), ""
        if rule.effect == "by_report":
            return Decimal(0), f"modifier {modifier} is paid by report"
        if rule.effect == "portion":
            portion = getattr(row, rule.indicator)
            return (portion, "") if portion else (Decimal(0), f"the code has no share for modifier {modifier}")
        if rule.indicator and getattr(row, rule.indicator) not in tuple(rule.allowed):
            if modifier == "50":
                return Decimal(1), ""
            return Decimal(0), f"the code does not pay modifier {modifier}"
        return rule.percent / 100, ""

    def formula(self, row: Rvu, is_facility: bool) -> Decimal:
        expense = row.facility_pe if is_facility else row.nonfacility_pe
        relative = (
            row.work * self.gpci.work + expense * self.gpci.practice_expense + row.malpractice * self.gpci.malpractice
        )
        return (relative * row.conversion_factor).quantize(CENT, ROUND_HALF_UP)


def total(row: Rvu, is_facility: bool) -> Decimal:
    return row.work + (row.facility_pe if is_facility else row.nonfacility_pe) + row.malpractice


def extended(unit: Unit, units: str, share: Decimal) -> Price:
    """Multiply a unit price by the line's units and its share among multiple procedures."""
    if unit.cents is None:
        return Price(None, unit.reason)
    if units == "1" and share == 1:
        return Price(unit.cents, "")
    count = Decimal(units or "0")
    if count <= 0:
        return Price(None, "the line has no units")
    return Price(rounded(Decimal(unit.cents) * count * share / 100), "")
