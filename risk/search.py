"""The search: which conditions explain a practice's denials, each cause once. Pure; lines in, findings out.

Payer by payer. Every condition is tested against the payer's other lines (Fisher), and what is a discovery is decided
over all tests of the practice at once (Benjamini and Yekutieli). Then causes are taken one by one: the condition that
says most (likelihood) is a finding, its lines are set aside, and all others are weighed anew on what is left; what only
stood in its shadow - a provider who does much of a procedure that is denied, a procedure whose modifier is the cause -
is no discovery any more. At the end each finding must still be one on the lines that no other finding has.

The order of the lines does not matter, and ties go to the simpler condition, then to the text of it.
"""

from collections.abc import Sequence
from typing import Any, NamedTuple

import numpy as np

from risk.excess import excesses, strikes_whole
from risk.families import NEW_DAYS, NEW_SHARE, Family, build_families
from risk.lines import NO_DAY, Lines, Mask
from risk.statistics import change_point, critical_value, gain, upper_tail, wilson_lower

LEAST_LINES, LEAST_DENIED, LEAST_LIFT = 30, 8, 1.4
DISCOVERY_RATE = 0.05
MOST_FINDINGS = 60
# of two conditions that say about the same the simpler one is taken
NEAR_GAIN = 1.5


class Finding(NamedTuple):
    """A pattern: counts over all lines that meet it, `base_rate` over the payer's lines that no finding meets."""

    payer: int
    kind: str
    conditions: dict[str, Any]
    lines: int
    denied: int
    base_rate: float
    lower_bound: float
    p_value: float
    q_value: float
    denied_cents: int
    carcs: list[tuple[str, int]]
    first_day: int
    last_day: int
    # (month as CCYY-MM, lines, denied) in order, and the month in which the rate changed
    trend: list[tuple[str, int, int]]
    change: str
    # the chance of a denial by this alone, and whether it denies a claim's lines together
    excess: float = 0.0
    is_whole: bool = False

    @property
    def rate(self) -> float:
        return self.denied / self.lines if self.lines else 0.0

    @property
    def lift(self) -> float:
        return self.rate / self.base_rate if self.base_rate > 0 else float("inf")


class Payer:
    """One payer's lines with the counts of every candidate, kept as causes are set aside."""

    def __init__(self, payer: int, lines: Lines, new: frozenset[str]):
        self.payer, self.lines, self.new = payer, lines, new
        self.families = build_families(lines, LEAST_LINES)
        self.left = np.ones(len(lines), bool)
        self.found: list[tuple[Family, int, Mask]] = []

    def weigh(self, left: Mask) -> tuple[list[Any], int, int]:
        """Count lines and denials of every candidate among the lines that are left; answers the payer's own too."""
        alive, denied = left.astype(float), (left & self.lines.is_denied).astype(float)
        counts = [(family.counts(alive), family.counts(denied)) for family in self.families]
        return counts, int(alive.sum()), int(denied.sum())

    def test(self) -> Any:
        """Test every candidate on all lines; answers the p-values."""
        counts, lines, denied = self.weigh(self.left)
        tails = [upper_tail(k, n, denied, lines) for n, k in counts]
        return np.concatenate([*tails, np.ones(0)])

    def search(self, critical: float) -> None:
        """Take causes one by one while there is a discovery among what is left."""
        while len(self.found) < MOST_FINDINGS:
            best = self.best(critical)
            if best is None:
                return
            family, value = best
            mask = family.mask(value, len(self.lines))
            self.found.append((family, value, mask))
            self.left &= ~mask

    def best(self, critical: float) -> tuple[Family, int] | None:
        counts, lines, denied = self.weigh(self.left)
        taken = {id(family) for family, _, _ in self.found if family.is_single}
        found: list[tuple[float, int, str, Family, int]] = []
        for family, (n, k) in zip(self.families, counts, strict=True):
            if id(family) not in taken:
                found += discoveries(family, n, k, lines, denied, critical)
        if not found:
            return None
        most = max(each[0] for each in found)
        near = [each for each in found if each[0] >= most - NEAR_GAIN]
        *_, family, value = min(near, key=lambda each: (each[1], -round(each[0], 9), each[2]))
        return family, value

    def check(self, critical: float) -> None:
        """Drop findings that are none on the lines that no other one has, the weakest first."""
        for at in reversed(range(len(self.found))):
            others = [mask for place, (_, _, mask) in enumerate(self.found) if place != at]
            free = ~np.logical_or.reduce(others) if others else np.ones(len(self.lines), bool)
            own = free & self.found[at][2]
            n, k = int(own.sum()), int((own & self.lines.is_denied).sum())
            lines, denied = int(free.sum()), int((free & self.lines.is_denied).sum())
            if not is_discovery(n, k, lines, denied, critical):
                del self.found[at]
        masks = [mask for _, _, mask in self.found]
        self.left = ~np.logical_or.reduce(masks) if masks else np.ones(len(self.lines), bool)

    def tails(self) -> list[float]:
        """Test each finding on its lines and those that none meets."""
        free = self.left
        return [self.tail(free | mask, mask) for _, _, mask in self.found]

    def tail(self, inside: Mask, mask: Mask) -> float:
        denied = self.lines.is_denied
        counted = [int(each.sum()) for each in (mask & denied, mask, inside & denied, inside)]
        return float(upper_tail(*counted)[0])

    def findings(self, tests: int) -> list[Finding]:
        base = rate_of(*self.base())
        own = excesses([mask for _, _, mask in self.found], self.lines.is_denied, base)
        return [
            self.describe(family.conditions[value], family.kind, mask, base, tests)._replace(
                excess=excess, is_whole=strikes_whole(self.lines.claim, mask, self.lines.is_denied)
            )
            for (family, value, mask), excess in zip(self.found, own, strict=True)
        ]

    def base(self) -> tuple[int, int]:
        """Count denials and lines of those that no finding meets."""
        return int((self.left & self.lines.is_denied).sum()), int(self.left.sum())

    def describe(self, said: dict[str, Any], kind: str, mask: Mask, base: float, tests: int) -> Finding:
        is_new = kind == "procedure" and said["procedure_code"] in self.new
        p = self.tail(self.left | mask, mask)
        return describe(
            self.lines, self.payer, "new_code" if is_new else kind, said, mask, base, p, min(1.0, p * tests)
        )


def discoveries(family: Family, n: Any, k: Any, lines: int, denied: int, critical: float) -> list[Any]:
    """List a family's candidates that are discoveries: gain, order, text, family, value."""
    apart = np.maximum(lines - n, 1)
    lift_enough = k * apart >= LEAST_LIFT * np.maximum(denied - k, 0.5) * np.maximum(n, 1)
    likely = np.flatnonzero((n >= LEAST_LINES) & (k >= LEAST_DENIED) & lift_enough & (n < lines))
    if not len(likely):
        return []
    tails = upper_tail(k[likely], n[likely], denied, lines)
    gains = gain(k[likely], n[likely], denied, lines)
    return [
        (float(weight), family.order, f"{family.kind} {family.conditions[value]}", family, int(value))
        for value, tail, weight in zip(likely, tails, gains, strict=True)
        if tail <= critical
    ]


def is_discovery(n: int, k: int, lines: int, denied: int, critical: float) -> bool:
    if n < LEAST_LINES or k < LEAST_DENIED or n >= lines:
        return False
    others = rate_of(max(denied - k, 0.5), lines - n)
    return bool(k / n >= LEAST_LIFT * others and upper_tail(k, n, denied, lines)[0] <= critical)


def rate_of(denied: float, lines: int) -> float:
    return denied / lines if lines else 0.0


def describe(
    lines: Lines, payer: int, kind: str, said: dict[str, Any], mask: Mask, base: float, p: float, q: float
) -> Finding:
    """Count what a finding's page shows, over all lines that meet it."""
    hit = mask & lines.is_denied
    n, k = int(mask.sum()), int(hit.sum())
    trend = trend_of(lines, mask)
    at = change_point([each[2] for each in trend], [each[1] for each in trend])
    days = lines.adjudicated_day[hit]
    days = days[days != NO_DAY]
    seen = (int(days.min()), int(days.max())) if len(days) else (NO_DAY, NO_DAY)
    return Finding(
        payer, kind, said, n, k, base, float(wilson_lower(k, n)), p, q, int(lines.denied_cents[hit].sum()),
        reasons_of(lines, hit), *seen, trend, trend[at][0] if at else "",
    )  # fmt: skip


def reasons_of(lines: Lines, hit: Mask) -> list[tuple[str, int]]:
    """Count the denial reasons, the most frequent first."""
    counted: dict[str, int] = {}
    for code, count in enumerate(np.bincount(lines.carcs[hit], minlength=len(lines.labels["carcs"]))):
        for carc in lines.labels["carcs"][code] if count else ():
            counted[carc] = counted.get(carc, 0) + int(count)
    return sorted(counted.items(), key=lambda each: (-each[1], each[0]))


def trend_of(lines: Lines, mask: Mask) -> list[tuple[str, int, int]]:
    """Count by month of submission."""
    chosen = mask & (lines.submitted_day != NO_DAY)
    if not chosen.any():
        return []
    months = lines.submitted_day[chosen].astype("datetime64[D]").astype("datetime64[M]").astype(np.int64)
    first = int(months.min())
    n = np.bincount(months - first)
    k = np.bincount(months - first, weights=lines.is_denied[chosen]).astype(int)
    names = [str(np.datetime64(first + at, "M")) for at in range(len(n))]
    return [(name, int(a), int(b)) for name, a, b in zip(names, n, k, strict=True)]


class Searched(NamedTuple):
    findings: list[Finding]
    tests: int
    critical: float
    lines: int
    # by payer: denials and lines of those that no finding meets
    bases: dict[int, tuple[int, int]]


def search(lines: Lines, critical: float | None = None, payers: Sequence[int] | None = None) -> Searched:
    """Find the patterns of a practice's lines.

    `critical` is the p-value of a discovery as an earlier search of the whole practice found it; for some payers
    alone, whose tests are not all of the practice's. The tests are decided twice: with every shadow of a cause among
    them, to have what to choose from, and with the causes alone.
    """
    new = new_procedures(lines)
    ids = sorted({int(each) for each in np.unique(lines.payer) if each > 0})
    known = [Payer(each, lines.pick(lines.payer == each), new) for each in ids if payers is None or each in payers]
    every = np.concatenate([*(each.test() for each in known), [each.p_value for each in test_reasons(known)], [1.0]])
    limit = critical_value(every, DISCOVERY_RATE) if critical is None else critical
    for each in known:
        each.search(limit)
        each.check(limit)
    reasons = [each for each in test_reasons(known) if each.p_value <= limit and each.lift >= LEAST_LIFT]
    found = [tail for each in known for tail in each.tails()] + [each.p_value for each in reasons]
    last = decide(found, len(every)) if critical is None else critical
    for each in known:
        each.check(last)
    findings = [finding for each in known for finding in each.findings(len(every))]
    findings += [describe_reason(each, len(every)) for each in reasons if each.p_value <= last]
    return Searched(findings, len(every), last, len(lines), {each.payer: each.base() for each in known})


def decide(p_values: Sequence[float], tests: int) -> float:
    """Find the p-value of a discovery among all tests of which these are the ones that nothing else explains."""
    return critical_value([*p_values, *[1.0] * (tests - len(p_values))], DISCOVERY_RATE)


def new_procedures(lines: Lines) -> frozenset[str]:
    """Name the procedures that the practice first sent well after the first day of these lines."""
    known = lines.submitted_day != NO_DAY
    if not known.any():
        return frozenset()
    first = np.full(len(lines.labels["procedure"]), np.iinfo(np.int64).max)
    np.minimum.at(first, lines.procedure[known], lines.submitted_day[known])
    begin, end = int(lines.submitted_day[known].min()), int(lines.submitted_day[known].max())
    late = begin + max(NEW_DAYS, int((end - begin) * NEW_SHARE))
    return frozenset(
        name for name, day in zip(lines.labels["procedure"], first, strict=True) if late <= day <= end and name
    )


class Reason(NamedTuple):
    """How often a payer gives a reason beside what its findings explain, and how often others' habits expect."""

    payer: Payer
    carc: str
    denied: int
    expected: float
    p_value: float

    @property
    def lift(self) -> float:
        return self.denied / self.expected


def test_reasons(known: Sequence[Payer]) -> list[Reason]:
    """Test each reason of each payer: is its share of the payer's unexplained denials above other payers'?

    What is expected of it is the other payers' odds of the reason, over the payer's denials with another one.
    """
    names = sorted({carc for payer in known for each in payer.lines.labels["carcs"] for carc in each})
    if len(known) < 2 or not names:
        return []
    table = np.asarray([count_reasons(payer, names) for payer in known], float)
    totals = np.asarray([(payer.left & payer.lines.is_denied).sum() for payer in known], float)
    found = []
    for row, payer in enumerate(known):
        k, n, others = table[row], totals[row], table.sum(axis=0) - table[row]
        tails = upper_tail(k, np.full(len(names), n), k + others, np.full(len(names), totals.sum()))
        odds = (others + 0.5) / np.maximum(totals.sum() - n - others, 0.5)
        expected = np.maximum((n - k) * odds, 0.5)
        found += [
            Reason(payer, names[at], int(k[at]), float(expected[at]), float(tails[at]))
            for at in np.flatnonzero((k >= LEAST_DENIED) & (totals.sum() > n))
        ]
    return found


def count_reasons(payer: Payer, names: list[str]) -> list[int]:
    counted = dict(reasons_of(payer.lines, payer.left & payer.lines.is_denied))
    return [counted.get(name, 0) for name in names]


def describe_reason(reason: Reason, tests: int) -> Finding:
    """Make a finding of a reason: its denominator is the payer's lines that no other finding meets."""
    lines, left = reason.payer.lines, reason.payer.left
    says = np.asarray([reason.carc in each for each in lines.labels["carcs"]], bool)[lines.carcs]
    shown = lines.pick(left)
    shown.is_denied = (lines.is_denied & says)[left]
    base, p = reason.expected / max(len(shown), 1), reason.p_value
    every = np.ones(len(shown), bool)
    said = {"carc": reason.carc}
    found = describe(shown, reason.payer.payer, "carc", said, every, base, p, min(1.0, p * tests))
    return found._replace(carcs=[(reason.carc, reason.denied)])
