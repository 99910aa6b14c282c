"""An episode's money in order: submissions and remittances by date, with running totals, and where the charge went.

The law: charge = paid + adjusted by group + patient + open. What a payer says of an earlier payer's part (OA-23) is no
adjustment of its own. When several payers answered, the patient's share is what the last of them left. Amounts keep
their sign: a reversal takes back what it reverses, and the running totals end where the payers ended.
"""

from collections import defaultdict
from datetime import date
from decimal import Decimal
from typing import NamedTuple

from django.db.models import Sum

from claims.models import Claim
from claims.words import FREQUENCY
from episodes.models import Episode, EpisodeRemittance
from remits.models import Adjustment, Remittance
from remits.words import CLAIM_STATUS, GROUP

ZERO = Decimal(0)
VOID = "8"
PATIENT_GROUP = "PR"
EARLIER_PAYER = ("OA", "23")
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
    """One step of the timeline; `paid_so_far` and `open_amount` are as they stand after it."""

    day: date
    title: str
    claim: Claim | None
    remittance: Remittance | None
    adjusted: Decimal
    patient: Decimal
    paid_so_far: Decimal
    open_amount: Decimal


class Ledger(NamedTuple):
    """What came to an episode. `open_amount` is what nobody has paid, adjusted or left to the patient."""

    entries: list[Entry]
    shares: list[Share]
    charge_amount: Decimal
    paid_amount: Decimal
    adjusted_amount: Decimal
    patient_amount: Decimal
    open_amount: Decimal


class Totals:
    """The running sums while a ledger is read, in the order of its steps."""

    def __init__(self) -> None:
        self.charge = self.paid = ZERO
        self.groups: dict[str, Decimal] = defaultdict(Decimal)
        self.patient_by_payer: dict[int | None, Decimal] = defaultdict(Decimal)
        self.last_payer: int | None = None

    def submit(self, claim: Claim) -> None:
        self.charge = ZERO if claim.frequency_code == VOID else claim.charge_amount

    def answer(self, remittance: Remittance, groups: dict[str, Decimal]) -> None:
        self.paid += remittance.paid_amount
        for group, amount in groups.items():
            if group == PATIENT_GROUP:
                self.patient_by_payer[remittance.payer_id] += amount
            else:
                self.groups[group] += amount
        if not remittance.is_reversal:
            self.last_payer = remittance.payer_id

    @property
    def patient(self) -> Decimal:
        return self.patient_by_payer.get(self.last_payer, ZERO)

    @property
    def adjusted(self) -> Decimal:
        return sum(self.groups.values(), ZERO)

    @property
    def open(self) -> Decimal:
        return self.charge - self.paid - self.adjusted - self.patient


def get_ledger(episode: Episode) -> Ledger:
    """Read an episode's chain, remittances and adjustments: three queries, whatever their number."""
    links = list(episode.remittance_links.select_related("remittance__payment", "remittance__payer"))
    chain = episode.claim_links.select_related("claim__payer")
    claims = [link.claim for link in chain]
    groups = sum_groups([link.remittance_id for link in links])
    totals = Totals()
    entries = [take(step, groups, totals) for step in steps_of(claims, links)]
    figures = (totals.charge, totals.paid, totals.adjusted, totals.patient, totals.open)
    return Ledger(entries, shares_of(totals), *figures)


def sum_groups(remittance_ids: list[int]) -> dict[int, dict[str, Decimal]]:
    """Sum the adjustments of remittances: {remittance id: {group code: signed dollars}}, OA-23 left out."""
    rows = Adjustment.objects.filter(remittance_id__in=remittance_ids).order_by()
    sums: dict[int, dict[str, Decimal]] = defaultdict(lambda: defaultdict(Decimal))
    for key, group, carc, amount in rows.values_list("remittance_id", "group_code", "carc").annotate(Sum("amount")):
        if (group, carc) != EARLIER_PAYER:
            sums[key][group] += amount
    return sums


Step = tuple[date, int, int, Claim | Remittance]


def steps_of(claims: list[Claim], links: list[EpisodeRemittance]) -> list[Step]:
    """Put submissions and remittances in order. A submission stands before what answers it, whenever its file came."""
    answered: dict[int, date] = {}
    for link in links:
        day = day_of(link.remittance)
        answered[link.claim_id] = min(day, answered.get(link.claim_id, day))
    sent = [(min(claim.created_at.date(), answered.get(claim.pk, date.max)), 0, claim.pk, claim) for claim in claims]
    answers = [(day_of(link.remittance), 1, link.remittance_id, link.remittance) for link in links]
    return sorted([*sent, *answers], key=lambda step: step[:3])


def day_of(remittance: Remittance) -> date:
    return remittance.payment.payment_date or remittance.created_at.date()


def take(step: Step, groups: dict[int, dict[str, Decimal]], totals: Totals) -> Entry:
    day, _, key, record = step
    if isinstance(record, Claim):
        totals.submit(record)
        title = FREQUENCY.get(record.frequency_code, "Submission")
        return Entry(day, title, record, None, ZERO, ZERO, totals.paid, totals.open)
    totals.answer(record, groups[key])
    adjusted = sum((amount for group, amount in groups[key].items() if group != PATIENT_GROUP), ZERO)
    title = CLAIM_STATUS.get(record.claim_status_code, record.claim_status_code)
    patient = groups[key].get(PATIENT_GROUP, ZERO)
    return Entry(day, title, None, record, adjusted, patient, totals.paid, totals.open)


def shares_of(totals: Totals) -> list[Share]:
    """Cut the bar: paid, each group, the patient, what is open; the parts fill it whatever their sum."""
    parts = [("Paid", totals.paid, "paid")]
    parts += [(GROUP.get(group, group), amount, TONES.get(group, "other")) for group, amount in totals.groups.items()]
    parts += [("Patient", totals.patient, "patient"), ("Open", totals.open, "open")]
    whole = sum((amount for _, amount, _ in parts if amount > 0), ZERO)
    shares, x = [], 0
    for label, amount, tone in parts:
        width = int(amount * WHOLE / whole) if amount > 0 else 0
        if amount:
            shares.append(Share(label, amount, tone, x, width))
        x += width
    return shares
