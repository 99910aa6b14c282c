"""An episode's money in order: submissions and remittances by date, with running totals, and where the charge went.

The law is that of episodes.status: charge = paid + adjusted by group + patient + open. What a payer says of an earlier
payer's part (reason 23) is no adjustment of its own. When several payers answered, the patient's share is what the
last of them left. A predetermination counts for nothing, nor does a denial that a later answer of the same payer
replaces, nor what is held.
Amounts keep their sign: a reversal takes back what it reverses, and the running totals end where the payers ended.
"""

from collections import defaultdict
from datetime import date
from decimal import Decimal
from typing import NamedTuple

from django.db.models import Sum

from claims.models import Claim
from claims.words import FREQUENCY, PAYER_SEQUENCE
from episodes.denials import COST_SHARE_CARCS, PRIOR_PAYER_CARC, read_denials
from episodes.models import POSTED_STATES, Episode, EpisodeRemittance, Hold
from remits.models import Adjustment, Remittance
from remits.words import CLAIM_STATUS, GROUP

ZERO = Decimal(0)
ORIGINAL, VOID = "1", "8"
PATIENT_GROUP = "PR"
REVERSAL, PREDETERMINATION, DENIED = "22", "25", "4"
LEVELS = {"1": 1, "19": 1, "2": 2, "20": 2, "3": 3, "21": 3}
TONES = {"CO": "adjusted", "PI": "adjusted"}
WHOLE = 1_000


class Share(NamedTuple):
    """One part of the bar: `x` and `width` in thousandths of the bar; a negative amount has no width."""

    label: str
    amount: Decimal
    tone: str
    x: int
    width: int


class Entry(NamedTuple):
    """One step of the timeline; `paid_so_far` and `open_amount` are as they stand after it.

    `day` is None for a submission whose file came in only after its answer: when it was sent is not known.
    """

    day: date | None
    title: str
    claim: Claim | None
    remittance: Remittance | None
    adjusted: Decimal
    patient: Decimal
    paid_so_far: Decimal
    open_amount: Decimal
    is_held: bool = False


class Ledger(NamedTuple):
    """What came to an episode. `open_amount` is what nobody has paid, adjusted or left to the patient."""

    entries: list[Entry]
    shares: list[Share]
    charge_amount: Decimal
    paid_amount: Decimal
    adjusted_amount: Decimal
    patient_amount: Decimal
    open_amount: Decimal


class Answer(NamedTuple):
    """A remittance with its adjustments by group; `is_denial` where it pays nothing for a denial's reason."""

    remittance: Remittance
    groups: dict[str, Decimal]
    is_denial: bool


class Totals:
    """What stands after a step: the last submission's charge, and the answers that count."""

    def __init__(self) -> None:
        self.charge = ZERO
        self.answers: list[Answer] = []

    def submit(self, claim: Claim) -> None:
        if claim.frequency_code != VOID:
            self.charge = claim.charge_amount

    def answer(self, answer: Answer) -> None:
        """Take an answer in; an earlier denial of the same payer that was not reversed no longer stands."""
        code, payer = answer.remittance.claim_status_code, answer.remittance.payer_id
        if code == PREDETERMINATION:
            return
        if code != REVERSAL and not any(a.remittance.is_reversal for a in self.answers_of(payer)):
            self.answers = [a for a in self.answers if a.remittance.payer_id != payer or not a.is_denial]
        self.answers.append(answer)

    def answers_of(self, payer_id: int | None) -> list[Answer]:
        return [answer for answer in self.answers if answer.remittance.payer_id == payer_id]

    @property
    def paid(self) -> Decimal:
        return sum((answer.remittance.paid_amount for answer in self.answers), ZERO)

    @property
    def groups(self) -> dict[str, Decimal]:
        sums: dict[str, Decimal] = defaultdict(Decimal)
        for answer in self.answers:
            for group, amount in answer.groups.items():
                sums[group] += amount
        return {group: amount for group, amount in sums.items() if group != PATIENT_GROUP}

    @property
    def adjusted(self) -> Decimal:
        return sum(self.groups.values(), ZERO)

    @property
    def patient(self) -> Decimal:
        """Sum what the last payer that adjudicated left to the patient."""
        levels = [level_of(answer.remittance) for answer in self.answers if not answer.remittance.is_reversal]
        last = max(levels, default=0)
        payers = {a.remittance.payer_id for a in self.answers if level_of(a.remittance) == last}
        rows = (answer for answer in self.answers if answer.remittance.payer_id in payers)
        return sum((answer.groups.get(PATIENT_GROUP, ZERO) for answer in rows), ZERO)

    @property
    def open(self) -> Decimal:
        return self.charge - self.paid - self.adjusted - self.patient


def level_of(remittance: Remittance) -> int:
    """Get a payer's place in the order of payers by CLP02, 0 where it does not say (reversals, denials)."""
    return LEVELS.get(remittance.claim_status_code, 0)


def get_ledger(episode: Episode) -> Ledger:
    """Read an episode's chain, remittances, adjustments and holds: five queries, whatever their number."""
    links = list(episode.remittance_links.select_related("remittance__payment", "remittance__payer"))
    claims = [link.claim for link in episode.claim_links.select_related("claim__payer")]
    answers = read_answers([link.remittance for link in links])
    held = read_held([link.remittance for link in links])
    totals = Totals()
    entries = [take(step, answers, totals, held) for step in steps_of(claims, links)]
    figures = (totals.charge, totals.paid, totals.adjusted, totals.patient, totals.open)
    return Ledger(entries, shares_of(totals), *figures)


def read_answers(remittances: list[Remittance]) -> dict[int, Answer]:
    """Sum the adjustments of remittances by group, reason 23 left out: {remittance id: Answer}; two queries."""
    rows = Adjustment.objects.filter(remittance__in=remittances).order_by()
    said = {r.pk: r.remark_codes for r in remittances}
    denials = read_denials(remittances[0].practice_id) if remittances else None
    groups: dict[int, dict[str, Decimal]] = defaultdict(lambda: defaultdict(Decimal))
    denying, sharing = set(), set()
    columns = ("remittance_id", "group_code", "carc", "line__remark_codes")
    for key, group, carc, remarks, amount in rows.values_list(*columns).annotate(Sum("amount")):
        if group == PATIENT_GROUP or carc != PRIOR_PAYER_CARC:
            groups[key][group] += amount
        if denials and amount > 0 and denials.is_denial(group, carc, [*said[key], *(remarks or ())]):
            denying.add(key)
        if amount > 0 and group == PATIENT_GROUP and carc in COST_SHARE_CARCS:
            sharing.add(key)
    return {r.pk: Answer(r, groups[r.pk], is_denial(r, r.pk in denying, r.pk in sharing)) for r in remittances}


def read_held(remittances: list[Remittance]) -> set[int]:
    """Read which remittances are held, with their payment or alone; one query."""
    payments = {remittance.payment_id for remittance in remittances}
    holds = Hold.objects.filter(payment__in=payments).exclude(state__in=POSTED_STATES).order_by()
    rows = set(holds.values_list("payment_id", "remittance_id"))
    return {r.pk for r in remittances if (r.payment_id, None) in rows or (r.payment_id, r.pk) in rows}


def is_denial(remittance: Remittance, denies: bool, shares: bool) -> bool:
    code = remittance.claim_status_code
    if code in (REVERSAL, PREDETERMINATION) or remittance.paid_amount:
        return False
    return code == DENIED or (denies and not shares)


Step = tuple[date, int, int, int, Claim | Remittance]


def steps_of(claims: list[Claim], links: list[EpisodeRemittance]) -> list[Step]:
    """Put submissions and remittances in order. A submission stands before what answers it, whenever its file came."""
    answered: dict[int, date] = {}
    for link in links:
        day = day_of(link.remittance)
        answered[link.claim_id] = min(day, answered.get(link.claim_id, day))
    sent = [(min(claim.created_at.date(), answered.get(claim.pk, date.max)), 0, 0, claim.pk, claim) for claim in claims]
    answers = [answer_step(link.remittance) for link in links]
    return sorted([*sent, *answers], key=lambda step: step[:4])


def answer_step(remittance: Remittance) -> Step:
    """Place an answer: by day, then reversals before corrections, then by the order of payers."""
    rank = 1 if remittance.is_reversal else 2
    return day_of(remittance), rank, level_of(remittance), remittance.pk, remittance


def day_of(remittance: Remittance) -> date:
    return remittance.payment.payment_date or remittance.created_at.date()


def take(step: Step, answers: dict[int, Answer], totals: Totals, held: set[int]) -> Entry:
    day, record = step[0], step[-1]
    if isinstance(record, Claim):
        totals.submit(record)
        sent_on = record.created_at.date()
        known = sent_on if sent_on <= day else None
        return Entry(known, submission_words(record), record, None, ZERO, ZERO, totals.paid, totals.open)
    answer, is_held = answers[record.pk], record.pk in held
    if not is_held:
        totals.answer(answer)
    adjusted = sum((amount for group, amount in answer.groups.items() if group != PATIENT_GROUP), ZERO)
    title = CLAIM_STATUS.get(record.claim_status_code, record.claim_status_code)
    patient = answer.groups.get(PATIENT_GROUP, ZERO)
    return Entry(day, title, None, record, adjusted, patient, totals.paid, totals.open, is_held)


def submission_words(claim: Claim) -> str:
    """Write what a submission is: "Submission", "Submission as secondary, replacement"."""
    order = PAYER_SEQUENCE.get(claim.payer_sequence_code, "").lower() if claim.payer_sequence_code in "ST" else ""
    kind = FREQUENCY.get(claim.frequency_code, "").lower() if claim.frequency_code != ORIGINAL else ""
    return ", ".join(part for part in (f"Submission as {order}" if order else "Submission", kind) if part)


def shares_of(totals: Totals) -> list[Share]:
    """Cut the bar: paid, each group, the patient, what is open; the parts fill it whatever their sum."""
    parts = [("Paid", totals.paid, "paid")]
    parts += [(GROUP.get(group, group), amount, TONES.get(group, "other")) for group, amount in totals.groups.items()]
    parts += [("Patient", totals.patient, "patient"), ("Open", totals.open, "open")]
    whole = sum((amount for _, amount, _ in parts if amount > 0), ZERO) or WHOLE
    shares, drawn = [], ZERO
    for label, amount, tone in parts:
        x = int(drawn * WHOLE / whole)
        drawn += max(amount, ZERO)
        if amount:
            shares.append(Share(label, amount, tone, x, int(drawn * WHOLE / whole) - x))
    return shares
