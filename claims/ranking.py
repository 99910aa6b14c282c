"""Several procedures on one day: which are paid in full, and what the others are paid.

MULT PROC of the fee schedule names the rule. 2: ranked by RVUs, 100 % and then 50 %. 3: endoscopies of one family (ENDO
BASE): the highest in full, of the others what they cost above the base, the base itself nothing beside them; the family
then ranks as one procedure. 4, 6, 7: the technical part (imaging also the professional one), 5: the expense of therapy;
the highest in full, the others reduced. Percents are data (Reductions). The invariant: a line of n units is worth n
lines of one, and the order of lines changes nothing. Left out: sessions, and the by-report rule after five procedures.
"""

from collections.abc import Iterable, Mapping, Sequence
from decimal import ROUND_HALF_UP, Decimal
from typing import NamedTuple

# rule to the percents of the first, second, ... procedure; the last one holds for all that follow
Reductions = Mapping[str, tuple[Decimal, ...]]
RANKED, IMAGING, IMAGING_READ, THERAPY, CARDIOLOGY, EYES = "2", "4", "4P", "5", "6", "7"
STANDARD_REDUCTIONS: Reductions = {
    RANKED: (Decimal(100), Decimal(50)),
    IMAGING: (Decimal(100), Decimal(50)),
    IMAGING_READ: (Decimal(100), Decimal(95)),
    THERAPY: (Decimal(100), Decimal(50)),
    CARDIOLOGY: (Decimal(100), Decimal(75)),
    EYES: (Decimal(100), Decimal(80)),
}


class Part(NamedTuple):
    """What of a unit's price a rule reduces, in cents, and the figure by which procedures rank under it."""

    rule: str
    rank: Decimal
    cents: int


class Unit(NamedTuple):
    """The price of one unit, or why there is none. `family` is ENDO BASE, with the base's own price and rank."""

    cents: int | None
    reason: str
    parts: tuple[Part, ...] = ()
    family: str = ""
    base_cents: int | None = None
    base_rank: Decimal = Decimal(0)


class Billed(NamedTuple):
    """A priced line: its code, its count of units, and the price of one."""

    code: str
    unit_count: int
    unit: Unit


class Group(NamedTuple):
    """What takes places in a ranking: a line (a place for each unit), or a family of endoscopies (one place)."""

    rank: Decimal
    cents: int
    places: int
    code: str
    shares: tuple[tuple[int, Decimal], ...]  # (index of the line, cents of it that the ranking reduces)


def price_together(lines: Sequence[Billed], reductions: Reductions) -> list[int | None]:
    """Price lines of one day together: cents of each; None where a family's base has no price to go by."""
    amounts: list[Decimal | None] = [Decimal((line.unit.cents or 0) * line.unit_count) for line in lines]
    families = find_families(lines)
    for members in families.values():
        take_family(lines, members, amounts)
    taken = {index for members in families.values() for index in members}
    groups = [family_group(base, members, lines, amounts) for base, members in families.items()]
    for rule, percents in reductions.items():
        ranked = line_groups(lines, rule, taken if rule == RANKED else set())
        lower(amounts, [*ranked, *(groups if rule == RANKED else ())], percents)
    return [None if amount is None else int(amount.quantize(Decimal(1), ROUND_HALF_UP)) for amount in amounts]


def find_families(lines: Sequence[Billed]) -> dict[str, list[int]]:
    """Find the endoscopies by their base; a line of the base itself belongs to them where there is another."""
    families: dict[str, list[int]] = {}
    for index, line in enumerate(lines):
        if line.unit.family:
            families.setdefault(line.unit.family, []).append(index)
    for index, line in enumerate(lines):
        if not line.unit.family and line.code in families:
            families[line.code].append(index)
    return families


def take_family(lines: Sequence[Billed], members: list[int], amounts: list[Decimal | None]) -> None:
    """Set the amounts of a family: the highest in full, the others above the base only, the base nothing."""
    ordered = sorted((i for i in members if lines[i].unit.family), key=lambda i: order(lines[i]))
    for place, index in enumerate(ordered):
        unit, count = lines[index].unit, lines[index].unit_count
        full = 1 if place == 0 else 0
        if unit.base_cents is None:
            amounts[index] = Decimal(unit.cents or 0) if full == count else None
        else:
            above = max(0, (unit.cents or 0) - unit.base_cents)
            amounts[index] = Decimal(full * (unit.cents or 0) + (count - full) * above)
    for index in set(members) - set(ordered):
        amounts[index] = Decimal(0)


def order(line: Billed) -> tuple[Decimal, int, int, str]:
    """Sort key of procedures, highest first. What is equal in all of it is the same procedure."""
    rank = next((part.rank for part in line.unit.parts if part.rule == RANKED), Decimal(0))
    return (-rank, -(line.unit.cents or 0), -line.unit_count, line.code)


def family_group(
    base: str, members: Sequence[int], lines: Sequence[Billed], amounts: Sequence[Decimal | None]
) -> Group:
    ordered = sorted((lines[i] for i in members if lines[i].unit.family), key=order)
    above = sum(
        (max(Decimal(0), -order(line)[0] - line.unit.base_rank) * line.unit_count for line in ordered), Decimal(0)
    )
    rank = above + min(-order(ordered[0])[0], ordered[0].unit.base_rank)
    shares = tuple((index, amounts[index] or Decimal(0)) for index in members)
    return Group(rank, int(sum(cents for _, cents in shares)), 1, base, shares)


def line_groups(lines: Sequence[Billed], rule: str, taken: set[int]) -> list[Group]:
    """List the lines that a rule ranks, each with a place for every unit."""
    return [
        Group(part.rank, part.cents, line.unit_count, line.code, ((index, Decimal(part.cents)),))
        for index, line in enumerate(lines)
        if index not in taken
        for part in line.unit.parts
        if part.rule == rule
    ]


def lower(amounts: list[Decimal | None], groups: Iterable[Group], percents: Sequence[Decimal]) -> None:
    """Rank the groups and take from their lines what the percents of their places leave unpaid."""
    place = 0
    for group in sorted(groups, key=lambda g: (-g.rank, -g.cents, -g.places, g.code)):
        unpaid = 100 * group.places - kept(percents, place, group.places)
        place += group.places
        for index, cents in group.shares:
            amount = amounts[index]
            amounts[index] = None if amount is None else amount - cents * unpaid / 100


def kept(percents: Sequence[Decimal], start: int, count: int) -> Decimal:
    """Sum the percents of `count` places from `start` on."""
    listed = percents[start : start + count]
    return sum(listed, Decimal(0)) + percents[-1] * (count - len(listed))
