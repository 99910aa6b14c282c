"""Pricing: what Medicare's physician fee schedule, or a contract built on it, should allow for a service line.

Allowed = [(work x work GPCI) + (PE x PE GPCI) + (MP x MP GPCI)] x conversion factor, rounded to cents, times units; the
facility PE where the place of service is a facility. Modifiers change it by rules that are rows (ModifierRule), several
procedures of a day by claims.ranking. The invariant: a line has a price or a reason, and never an invented number. A
line is worked out once and remembered; only what is ranked looks at lines together. Left out: anesthesia's time units,
the number of units that is medically likely (MUE), days of postoperative care.
"""

from collections.abc import Hashable, Iterable, Mapping, Sequence
from decimal import ROUND_HALF_UP, Decimal
from typing import Any, NamedTuple

from claims.modifiers import DEFAULT_RULES, ModifierRule, share_of
from claims.ranking import (
    CARDIOLOGY,
    EYES,
    IMAGING,
    IMAGING_READ,
    RANKED,
    STANDARD_REDUCTIONS,
    THERAPY,
    Billed,
    Part,
    Reductions,
    Unit,
    price_together,
)
from claims.rates import Cap, Gpci, Rvu

CENT = Decimal("0.01")
NOTHING = Decimal(0)
MOST_KNOWN = 20_000
MOST_TOGETHER = 8_000
MOST_UNITS = 9_999
FACILITY_PLACES = frozenset(["19", "21", "22", "23", "24", "26", "31", "34", "41", "42", "51", "52", "53", "56", "61"])
PRICED_STATUSES = frozenset("ART")
# MULT PROC to (rule, what of the price it reduces)
REDUCED = {
    "2": ((RANKED, "whole"),),
    "3": ((RANKED, "whole"),),
    "4": ((IMAGING, "technical"), (IMAGING_READ, "professional")),
    "5": ((THERAPY, "expense"),),
    "6": ((CARDIOLOGY, "technical"),),
    "7": ((EYES, "technical"),),
}


class Line(NamedTuple):
    """What pricing asks of a service line. `units` is a count as decimal text, "" if none, else what is counted."""

    procedure_code: str
    modifiers: tuple[str, ...]
    place_of_service_code: str
    units: str


class Price(NamedTuple):
    """A line's expected allowed amount in cents, or None and the reason in words. A price may bear a remark."""

    cents: int | None
    reason: str


class Known(NamedTuple):
    """A line that was worked out: its price alone, and its unit where it is to be priced with others."""

    price: Price
    is_ranked: bool
    billed: Billed


def rounded(amount: Decimal) -> int:
    """Round dollars to whole cents, half up, as the fee schedule does."""
    return int(amount.quantize(CENT, ROUND_HALF_UP).scaleb(2))


def count_units(units: str) -> tuple[int, str]:
    """Read a count of units, or say why it cannot be priced."""
    if not units:
        return 0, "the line has no units"
    if not (units.isascii() and units.replace(".", "", 1).isdigit()):
        return 0, "the units are not a count of services"
    whole, _, fraction = units.partition(".")
    if fraction.strip("0"):
        return 0, "the units are not a whole number"
    if not whole.strip("0"):
        return 0, "the line has no units"
    if len(whole.lstrip("0")) > len(str(MOST_UNITS)):
        return 0, f"the line has more than {MOST_UNITS:,} units"
    return int(whole), ""


class Table:
    """A table of unit prices: prices a claim's lines, working each out once and remembering it.

    Subclasses say `work_out(code, modifiers, place) -> Unit`. `reductions` replace the standard ones rule by rule
    (claims.ranking). `looked_up` and `worked_out` count lines and misses since the table was built.
    """

    def __init__(self, rules: Iterable[ModifierRule], reductions: Reductions | None):
        self.rules = {rule.modifier: rule for rule in rules}
        self.reductions = {**STANDARD_REDUCTIONS, **(reductions or {})}
        self.known: dict[Line, Known] = {}
        self.together: dict[tuple[Line, ...], list[Price]] = {}
        # what a caller has made of whole claims, by a key of its own
        self.shapes: dict[Hashable, Any] = {}
        self.looked_up = self.worked_out = 0

    def work_out(self, code: str, modifiers: tuple[str, ...], place: str) -> Unit:
        raise NotImplementedError

    def price_claim(self, lines: Sequence[Line]) -> list[Price]:
        """Price the lines of one claim and day, in their order; multiple procedures are ranked among them."""
        known = self.known
        found = [known.get(line) or self.remember(line) for line in lines]
        self.looked_up += len(found)
        if len(found) > 1 and sum([is_ranked for _, is_ranked, _ in found]) > 1:
            return self.together.get(tuple(lines)) or self.rank(tuple(lines), found)
        return [price for price, _, _ in found]

    def remember(self, line: Line) -> Known:
        """Work out a line alone, once."""
        self.worked_out += 1
        if len(self.known) >= MOST_KNOWN:
            self.known.clear()
        code, modifiers = line.procedure_code.upper(), tuple(dict.fromkeys(map(str.upper, line.modifiers)))
        count, refused = count_units(line.units)
        if count > 1 and "50" in modifiers and self.effect("50") == "percent":
            refused = "modifier 50 stands with more than one unit"
        unit = self.work_out(code, modifiers, line.place_of_service_code)
        if unit.cents is not None and refused:
            unit = Unit(None, refused)
        billed = Billed(code, count, unit)
        price = Price(unit.cents, unit.reason) if unit.cents is None else priced(billed, self.alone(billed))
        found = self.known[line] = Known(price, bool(unit.parts), billed)
        return found

    def remember_shape(self, shape: Hashable, found: Any) -> None:
        if len(self.shapes) >= MOST_TOGETHER:
            self.shapes.clear()
        self.shapes[shape] = found

    def alone(self, billed: Billed) -> int | None:
        """Price a line by itself; of several units of a ranked procedure the second is already another one."""
        if billed.unit_count > 1 and billed.unit.parts:
            return price_together([billed], self.reductions)[0]
        return (billed.unit.cents or 0) * billed.unit_count

    def rank(self, lines: tuple[Line, ...], found: Sequence[Known]) -> list[Price]:
        """Price the ranked lines of a claim together, once; the others keep their prices."""
        if len(self.together) >= MOST_TOGETHER:
            self.together.clear()
        prices = [price for price, _, _ in found]
        ranked = [index for index, (_, is_ranked, _) in enumerate(found) if is_ranked]
        billed = [found[index].billed for index in ranked]
        for index, line, cents in zip(ranked, billed, price_together(billed, self.reductions), strict=True):
            prices[index] = priced(line, cents)
        self.together[lines] = prices
        return prices

    def effect(self, modifier: str) -> str:
        rule = self.rules.get(modifier)
        return rule.effect if rule else "none"

    def rules_of(self, modifiers: Iterable[str], own: str) -> list[ModifierRule]:
        """Get the rules of a line's modifiers, but for the one that has a row of its own."""
        return [self.rules[modifier] for modifier in modifiers if modifier in self.rules and modifier != own]


def priced(billed: Billed, cents: int | None) -> Price:
    if cents is None:
        return Price(None, "the fee schedule has no row for the base of this endoscopy")
    return Price(cents, billed.unit.reason)


class Own(Table):
    """A contract's own fees: dollars a unit by (code, modifier or ""), facility and non-facility; nothing is ranked."""

    def __init__(self, fees: Mapping[tuple[str, str], Cap], *, rules: Iterable[ModifierRule] = DEFAULT_RULES):
        super().__init__(rules, None)
        self.fees = fees
        self.codes = {code for code, _ in fees}

    def has(self, code: str) -> bool:
        """Say whether there is a fee for a code, with or without a modifier."""
        return code in self.codes

    def work_out(self, code: str, modifiers: tuple[str, ...], place: str) -> Unit:
        """Take the fee of the code with its modifier where the contract has one, else the code's with its percents."""
        own = next((m for m in modifiers if (code, m) in self.fees), "")
        fee = self.fees.get((code, own))
        if not code:
            return Unit(None, "the line has no HCPCS code")
        if fee is None:
            return Unit(None, "the code is not in the contract's fees")
        share, refused = share_of(None, self.rules_of(modifiers, own))
        if refused:
            return Unit(None, refused)
        # a bill type stands where an institutional claim would have a place: that is a facility
        is_facility = place in FACILITY_PLACES or not place
        return Unit(rounded((fee.facility_amount if is_facility else fee.nonfacility_amount) * share), "")


class Schedule(Table):
    """One fee schedule at one locality.

    `rows` is keyed by (code, modifier or ""); `caps` likewise. `factor` is the share of Medicare (1 = 100 %). Medicare
    itself (`is_medicare`) pays the statuses A, R and T only; a contract's price of another status bears a remark. Codes
    that a contract has `agreed` fees for are priced by these.
    """

    def __init__(
        self,
        rows: Mapping[tuple[str, str], Rvu],
        gpci: Gpci,
        *,
        rules: Iterable[ModifierRule] = DEFAULT_RULES,
        caps: Mapping[tuple[str, str], Cap] | None = None,
        factor: Decimal = Decimal(1),
        reductions: Reductions | None = None,
        is_medicare: bool = True,
        agreed: Own | None = None,
    ):
        super().__init__(rules, reductions)
        self.rows, self.gpci, self.caps, self.factor = rows, gpci, caps or {}, factor
        self.is_medicare, self.agreed = is_medicare, agreed

    def work_out(self, code: str, modifiers: tuple[str, ...], place: str) -> Unit:
        """Work out one unit's price: the row, the formula, the cap, then what the modifiers leave of it."""
        if self.agreed is not None and self.agreed.has(code):
            return self.agreed.work_out(code, modifiers, place)
        own = next((m for m in modifiers if self.effect(m) == "row" and (code, m) in self.rows), "")
        row = self.rows.get((code, own))
        refused = self.refusal(code, row, modifiers, place)
        if refused or row is None:
            return Unit(None, refused)
        share, refused = share_of(row, self.rules_of(modifiers, own))
        if refused:
            return Unit(None, refused)
        is_facility, scale = place in FACILITY_PLACES, share * self.factor
        amount = self.amount(code, own, is_facility)
        parts = self.parts(code, own, amount, scale, is_facility)
        unit = Unit(rounded(amount * scale), self.remark(row), parts)
        return self.with_base(unit, row, share, scale, is_facility)

    def refusal(self, code: str, row: Rvu | None, modifiers: tuple[str, ...], place: str) -> str:
        """Say why a code has no price, or nothing."""
        if not code:
            return "the line has no HCPCS code"
        if row is None:
            return "the code is not in the fee schedule"
        if not place:
            return "the place of service is not known"
        if row.status_code == "J":
            return "anesthesia is priced by time, not by RVUs"
        if row.status_code not in PRICED_STATUSES and (self.is_medicare or not total(row, True) + total(row, False)):
            return f"the fee schedule gives no price for status {row.status_code or 'unknown'}"
        if not total(row, True) + total(row, False):
            return "the fee schedule has no RVUs for the code"
        if "26" in modifiers and "TC" in modifiers:
            return "modifiers 26 and TC exclude each other"
        missing = next((m for m in modifiers if m in ("26", "TC") and (code, m) not in self.rows), "")
        return f"the fee schedule has no row for modifier {missing}" if missing else ""

    def remark(self, row: Rvu) -> str:
        return (
            "" if row.status_code in PRICED_STATUSES else f"status {row.status_code}: RVUs that Medicare does not pay"
        )

    def amount(self, code: str, own: str, is_facility: bool) -> Decimal:
        """Work out a row's dollars, its technical part at most what OPPSCAP allows for it."""
        amount = self.formula(self.rows[code, own], is_facility)
        if own == "26":
            return amount
        if cap := self.cap(code, own, is_facility):
            return min(amount, cap)
        technical = self.rows.get((code, "TC"))
        if own or technical is None or not (cap := self.cap(code, "TC", is_facility)):
            return amount
        return amount - max(NOTHING, self.formula(technical, is_facility) - cap)

    def cap(self, code: str, modifier: str, is_facility: bool) -> Decimal:
        """Get a cap in dollars; 0 where there is none."""
        cap = self.caps.get((code, modifier))
        return NOTHING if cap is None else cap.facility_amount if is_facility else cap.nonfacility_amount

    def formula(self, row: Rvu, is_facility: bool) -> Decimal:
        relative = row.work * self.gpci.work + self.expense(row, is_facility) + row.malpractice * self.gpci.malpractice
        return (relative * row.conversion_factor).quantize(CENT, ROUND_HALF_UP)

    def expense(self, row: Rvu, is_facility: bool) -> Decimal:
        return (row.facility_pe if is_facility else row.nonfacility_pe) * self.gpci.practice_expense

    def parts(self, code: str, own: str, amount: Decimal, scale: Decimal, is_facility: bool) -> tuple[Part, ...]:
        """Say what of a price the rule of its MULT PROC reduces beside other procedures."""
        row = self.rows[code, own]
        technical = self.technical(code, own, amount, is_facility)
        portions = {
            "whole": amount,
            "technical": technical,
            "professional": amount - technical,
            "expense": self.expense(row, is_facility) * row.conversion_factor,
        }
        found = []
        for rule, portion in REDUCED.get(row.multiple_procedure, ()):
            cents = rounded(portions[portion] * scale)
            rank = total(row, is_facility) * scale if portion == "whole" else Decimal(cents)
            if cents > 0:
                found.append(Part(rule, rank, cents))
        return tuple(found)

    def technical(self, code: str, own: str, amount: Decimal, is_facility: bool) -> Decimal:
        """Get the technical part of a price: none of 26, all of TC or a code without work, else that of the TC row."""
        if own == "26":
            return NOTHING
        if own == "TC" or not self.rows[code, own].work:
            return amount
        return min(amount, self.amount(code, "TC", is_facility)) if (code, "TC") in self.rows else NOTHING

    def with_base(self, unit: Unit, row: Rvu, share: Decimal, scale: Decimal, is_facility: bool) -> Unit:
        """Add an endoscopy's family (MULT PROC 3, ENDO BASE) and its base's price at the same share."""
        if row.multiple_procedure != "3" or not row.endoscopy_base:
            return unit
        base = self.rows.get((row.endoscopy_base, ""))
        if base is None:
            return unit._replace(family=row.endoscopy_base)
        cents, rank = rounded(self.formula(base, is_facility) * scale), total(base, is_facility) * scale
        return unit._replace(family=row.endoscopy_base, base_cents=cents, base_rank=rank)


def total(row: Rvu, is_facility: bool) -> Decimal:
    return row.work + (row.facility_pe if is_facility else row.nonfacility_pe) + row.malpractice
