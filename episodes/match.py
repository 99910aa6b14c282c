"""The weight of evidence that a remittance answers a claim, feature by feature (DOMAIN 2.6, steps 2 to 5).

Each feature that speaks adds bits: the logarithm of how much likelier it is between a remittance and its claim than
between two strangers; what neither side says adds nothing. The score is the probability that the bits come to, over a
prior against any one pair. A claim is taken only when its score is over LEAST_SCORE and it is at least CLEAR_BITS
ahead of every other: with two that are nearly alike nothing is guessed.

The weights are set by hand from what payers do to each field, and kept in one table below. Pure: no Django, no clock.
"""

import re
from collections.abc import Iterable, Sequence
from datetime import date
from difflib import SequenceMatcher
from typing import NamedTuple

# what two writings of one control number may differ in
SIGNS = re.compile("[^A-Za-z0-9]+")

# a remittance and a claim drawn among the candidates are strangers, 1,000 to 1
PRIOR_BITS = -10
LEAST_SCORE = 0.98
CLEAR_BITS = 4
MOST_SCORE = 0.99
LEAST_CUT = 12
NEAR_DAYS = 3
ALIKE = 0.85

# {feature: {finding: bits}}; a claim that quotes the payment's own number came after it, as in episodes.link
WEIGHTS = {
    "control_number": {"same": 8, "cut": 7, "near": -2, "different": -4},
    "payer_number": {"known": 8, "quoted": -1},
    "member": {"same": 6, "different": -4},
    "name": {"same": 4, "swapped": 3, "initial": 3, "near": 2, "different": -5},
    "service_date": {"same": 4, "near": 1, "different": -6},
    "charge": {"same": 4, "part": 0, "different": -5},
    "payer": {"same": 2, "different": -3},
    "frequency": {"same": 0, "different": -4},
    "provider": {"same": 1, "different": -1},
    "line_numbers": {"same": 6, "different": -8},
    "procedures": {"same": 3, "some": 1, "different": -4},
}


class Line(NamedTuple):
    """A service line of either side; `procedure` is the code, or the revenue code where there is none."""

    control: str
    procedure: str


class Side(NamedTuple):
    """What is compared of a claim or a remittance. Text as stored, the charge in cents, reversals by their size.

    `payer_number` is CLP07 of a remittance and REF*F8 of a claim. `known_numbers` are the CLP07 of the remittances that
    are already linked to the claim.
    """

    number: str = ""
    payer_number: str = ""
    payer: int | None = None
    member_id: str = ""
    last_name: str = ""
    first_name: str = ""
    from_date: date | None = None
    to_date: date | None = None
    charge_cents: int = 0
    frequency: str = "1"
    providers: frozenset[int] = frozenset()
    lines: tuple[Line, ...] = ()
    known_numbers: frozenset[str] = frozenset()


class Reason(NamedTuple):
    """What one feature says: a finding of WEIGHTS, and its bits."""

    feature: str
    finding: str
    bits: int


class Weighed(NamedTuple):
    """A claim with the evidence for it; `bits` include the prior."""

    claim_id: int
    bits: int
    reasons: list[Reason]

    @property
    def score(self) -> float:
        """Get the probability of the bits, never more than MOST_SCORE: nothing here is certain."""
        return min(MOST_SCORE, round(1 / (1 + 2.0 ** -max(-60, min(60, self.bits))), 3))

    def says(self, feature: str, *findings: str) -> bool:
        return any(reason.feature == feature and reason.finding in findings for reason in self.reasons)


def normalise(number: str) -> str:
    """Write a control number without case, leading zeros and everything that is no letter or digit of ASCII."""
    return SIGNS.sub("", number).upper().lstrip("0")


def weigh(remittance: Side, claim_id: int, claim: Side) -> Weighed:
    """Weigh one pair."""
    found = {
        "control_number": compare_numbers(remittance.number, claim.number),
        "payer_number": compare_payer_numbers(remittance.payer_number, claim),
        "member": compare_plain(normalise(remittance.member_id), normalise(claim.member_id)),
        "name": compare_names(remittance, claim),
        "service_date": compare_dates(remittance, claim),
        "charge": compare_charges(remittance, claim),
        "payer": compare_plain(remittance.payer, claim.payer),
        "frequency": compare_plain(remittance.frequency or "1", claim.frequency or "1"),
        "provider": compare_sets(remittance.providers, claim.providers),
        "line_numbers": compare_sets(controls(remittance), controls(claim)),
        "procedures": compare_procedures(remittance, claim),
    }
    reasons = [Reason(name, finding, WEIGHTS[name][finding]) for name, finding in found.items() if finding]
    return Weighed(claim_id, PRIOR_BITS + sum(reason.bits for reason in reasons), reasons)


def compare_numbers(said: str, sent: str) -> str:
    """Compare CLP01 with CLM01: the same but for writing, cut short, or a sign away, as neighbours are too."""
    said, sent = normalise(said), normalise(sent)
    if not said or not sent:
        return ""
    if said == sent:
        return "same"
    if len(said) >= LEAST_CUT and sent.startswith(said):
        return "cut"
    return "near" if is_near(said, sent) else "different"


def is_near(one: str, other: str) -> bool:
    """Say whether two texts of one length differ in one sign, or one has a sign more at its end."""
    if abs(len(one) - len(other)) == 1:
        return one.startswith(other) or other.startswith(one)
    return len(one) == len(other) and sum(a != b for a, b in zip(one, other, strict=True)) == 1


def compare_payer_numbers(said: str, claim: Side) -> str:
    if not said:
        return ""
    if said in claim.known_numbers:
        return "known"
    return "quoted" if said == claim.payer_number else ""


def compare_plain(said: object, sent: object) -> str:
    if not said or not sent:
        return ""
    return "same" if said == sent else "different"


def letters(text: str) -> str:
    return "".join(c for c in text.upper() if c.isalpha())


def compare_names(one: Side, other: Side) -> str:
    """Compare a patient's names without case and signs: the same, an initial, swapped, or nearly the same."""
    last, first = letters(one.last_name), letters(one.first_name)
    said, told = letters(other.last_name), letters(other.first_name)
    if not last or not said:
        return ""
    if (last, first) == (told, said):
        return "same" if last == said else "swapped"
    if last == said:
        if first == told or not first or not told:
            return "same"
        return "initial" if first.startswith(told) or told.startswith(first) else likeness(first, told)
    return likeness(last + first, said + told)


def likeness(one: str, other: str) -> str:
    return "near" if SequenceMatcher(None, one, other, autojunk=False).ratio() >= ALIKE else "different"


def compare_dates(remittance: Side, claim: Side) -> str:
    """Compare days of service: inside the claim's own, within NEAR_DAYS of them, or not."""
    if remittance.from_date is None or claim.from_date is None:
        return ""
    last = claim.to_date or claim.from_date
    if claim.from_date <= remittance.from_date <= last:
        return "same"
    days = min(abs((remittance.from_date - day).days) for day in (claim.from_date, last))
    return "near" if days <= NEAR_DAYS else "different"


def compare_charges(remittance: Side, claim: Side) -> str:
    if remittance.charge_cents == claim.charge_cents:
        return "same"
    is_part = 0 < remittance.charge_cents < claim.charge_cents and len(remittance.lines) < len(claim.lines)
    return "part" if is_part and remittance.lines else "different"


def compare_sets(said: frozenset[object] | frozenset[str] | frozenset[int], sent: frozenset[object]) -> str:
    if not said or not sent:
        return ""
    return "same" if said & sent else "different"


def controls(side: Side) -> frozenset[object]:
    """Collect the line control numbers that say whose they are: a bare 1, 2, 3 says nothing."""
    return frozenset(normalise(line.control) for line in side.lines if len(normalise(line.control)) > 3)


def compare_procedures(remittance: Side, claim: Side) -> str:
    said = [line.procedure for line in remittance.lines if line.procedure]
    sent = [line.procedure for line in claim.lines if line.procedure]
    if not said or not sent:
        return ""
    both = set(said) & set(sent)
    if set(said) <= both:
        return "same"
    return "some" if both else "different"


def choose(candidates: Iterable[Weighed]) -> Weighed | None:
    """Choose the one claim that is beyond doubt: likely by itself, and clearly ahead of every other. Else None."""
    ordered = rank(candidates)
    if not ordered or ordered[0].score < LEAST_SCORE or not is_identified(ordered[0]):
        return None
    if len(ordered) > 1 and ordered[0].bits - ordered[1].bits < CLEAR_BITS:
        return None
    return ordered[0]


def rank(candidates: Iterable[Weighed]) -> Sequence[Weighed]:
    """Sort the best first; among equals the order says nothing, and is that of the ids."""
    return sorted(candidates, key=lambda each: (-each.bits, each.claim_id))


def is_identified(weighed: Weighed) -> bool:
    """Say whether something names this very claim or person, and something of the service stands beside it."""
    named = (
        weighed.says("control_number", "same", "cut")
        or weighed.says("payer_number", "known")
        or weighed.says("line_numbers", "same")
        or (weighed.says("member", "same") and not weighed.says("name", "different"))
    )
    return named and weighed.says("charge", "same", "part") and weighed.says("service_date", "same", "near")


def method_of(weighed: Weighed) -> str:
    """Name the evidence that stands first: a LinkMethod."""
    if weighed.says("control_number", "same", "cut"):
        return "number_variant"
    if weighed.says("payer_number", "known"):
        return "payer_number"
    exact = weighed.says("member", "same") and weighed.says("service_date", "same") and weighed.says("charge", "same")
    return "member" if exact and weighed.says("payer", "same") else "likeness"
