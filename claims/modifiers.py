"""What a line's modifiers do to its price, by rules that are data; a payer's own rules come over the standard ones.

The invariant: a modifier that cannot be priced is a reason, never a guess; modifiers in any order leave the same share.
26, TC and 53 may have a row of their own in the schedule (claims.rvu), ranking of 51 is claims.ranking.
"""

import re
from collections.abc import Iterable
from decimal import Decimal
from typing import NamedTuple

from claims.rates import Rvu

NOTHING = Decimal(0)


class ModifierRule(NamedTuple):
    """What a modifier does.

    effect: `percent` of the price; `portion` of the global package, the sum of the Rvu fields in `indicator`; `row` a
    price row of its own, else the percent (0 is none); `rank` none of itself; `by_report` cannot be priced; `none`.
    With `percent`, `indicator` names the Rvu field that must hold a value of `allowed`: `1 2` pay the percent, `3=200`
    pays its own; another value is not paid. Of several such rules on one field the lowest holds.
    """

    modifier: str
    effect: str
    percent: Decimal
    indicator: str = ""
    allowed: str = ""


DEFAULT_RULES = (
    ModifierRule("26", "row", NOTHING),
    ModifierRule("TC", "row", NOTHING),
    ModifierRule("50", "percent", Decimal(150), "bilateral", "1 3=200 0=100 2=100"),
    ModifierRule("51", "rank", Decimal(100)),
    ModifierRule("52", "percent", Decimal(50)),
    ModifierRule("53", "row", Decimal(50)),
    # surgical care only is the operation with what goes before it (Claims Processing Manual 12, 40.4)
    ModifierRule("54", "portion", Decimal(100), "preoperative intraoperative"),
    ModifierRule("55", "portion", Decimal(100), "postoperative"),
    ModifierRule("56", "portion", Decimal(100), "preoperative"),
    ModifierRule("62", "percent", Decimal("62.5"), "cosurgeon", "1 2"),
    ModifierRule("66", "by_report", NOTHING),
    ModifierRule("78", "portion", Decimal(100), "intraoperative"),
    ModifierRule("80", "percent", Decimal(16), "assistant", "0 2"),
    ModifierRule("81", "percent", Decimal(16), "assistant", "0 2"),
    ModifierRule("82", "percent", Decimal(16), "assistant", "0 2"),
    ModifierRule("AS", "percent", Decimal("13.6"), "assistant", "0 2"),
)
PORTIONS = ("preoperative", "intraoperative", "postoperative")
INDICATORS = ("bilateral", "assistant", "cosurgeon", "team")
ALLOWED = re.compile(r"(\w)(?:=([0-9]+(?:\.[0-9]+)?))?", re.ASCII)


class Share(NamedTuple):
    """What modifiers leave of a price (1 = all), or why it cannot be priced."""

    part: Decimal
    refused: str = ""


def share_of(row: Rvu | None, rules: Iterable[ModifierRule]) -> Share:
    """Say what the rules leave of a price; without a row (a contract's own fee) no indicator is asked."""
    portions, percents = set[str](), dict[str, Decimal]()
    for rule in rules:
        if rule.effect == "by_report":
            return Share(NOTHING, f"modifier {rule.modifier} is paid by report")
        if rule.effect == "portion":
            portions.update(rule.indicator.split())
        if rule.effect in ("percent", "row"):
            percent = paid_percent(rule, row)
            if percent is None or (rule.effect == "row" and not percent):
                return Share(NOTHING, f"the code does not pay modifier {rule.modifier}")
            key = rule.indicator or rule.modifier
            percents[key] = min(percent, percents.get(key, percent))
    return (
        share_of_package(row, portions, product(percents.values())) if portions else Share(product(percents.values()))
    )


def share_of_package(row: Rvu | None, portions: set[str], share: Decimal) -> Share:
    """Take the portions of a global package out of a share."""
    portion = sum((getattr(row, name) for name in PORTIONS if name in portions), NOTHING) if row else NOTHING
    return Share(share * portion, "" if portion else "the code has no share for a part of its global package")


def product(percents: Iterable[Decimal]) -> Decimal:
    share = Decimal(1)
    for percent in percents:
        share *= percent / 100
    return share


def paid_percent(rule: ModifierRule, row: Rvu | None) -> Decimal | None:
    """Get the percent that a rule pays for a row; None where the row's indicator does not allow it."""
    if row is None or not rule.indicator:
        return rule.percent
    own = dict(ALLOWED.findall(rule.allowed)).get(getattr(row, rule.indicator, "") or " ")
    return None if own is None else Decimal(own) if own else rule.percent
