"""What a sample says of itself against the rows that the belt made of its files: `manage.py verify --truth FOLDER`.

The sample is drawn again from the numbers in its truth.json (same numbers, same bytes), so that every remittance's
claim and every episode's totals are known, beyond what the file tells. Compared are links, totals to the cent,
statuses, and where causes of denial were planted the label of every claim and line and the lines that meet each plant.
The rows are read afresh: nothing that the belt derived of denials is trusted.
"""

from collections import Counter, defaultdict
from collections.abc import Callable, Iterator
from datetime import date
from pathlib import Path
from typing import Any, NamedTuple

import orjson
from django.db import connection

from episodes.denials import COST_SHARE_CARCS, PRIOR_PAYER_CARC, denial_carcs
from episodes.models import Episode, EpisodeRemittance
from episodes.sample.adjudication import Remittance as Answer
from episodes.sample.claims import Claim
from episodes.sample.plants import PLANTS
from episodes.sample.truth import PlantedTruth, Truth
from episodes.sample.writer import PlantedSample, Sample
from remits.models import Remittance

LEVELS = {"1": 1, "19": 1, "2": 2, "20": 2}
STRANGER = "OLD"
SHOWN = 5


class Agreement(NamedTuple):
    """One thing compared: how many agree, how many do not, and some of those in words without PHI."""

    name: str
    agreed: int
    different: int
    examples: list[str]


class Part(NamedTuple):
    """What one answer adds to its episode, in cents."""

    status: str
    level: int
    charge: int
    paid: int
    adjusted: int
    patient: int
    is_denied: bool


class Told:
    """What the sample's drawing tells as it is drawn again: the claim of each answer, and each chain's parts."""

    def __init__(self, truth: Truth, carcs: list[str]):
        self.truth, self.carcs = truth, frozenset(carcs)
        self.claims: dict[tuple[str, str], tuple[str, str]] = {}
        self.parts: dict[str, list[Part]] = defaultdict(list)
        self.charges: dict[str, int] = {}
        self.add_claim, self.add_remittance = truth.add_claim, truth.add_remittance
        truth.add_claim, truth.add_remittance = self.see_claim, self.see_answer  # type: ignore[method-assign]

    def see_claim(self, claim: Claim) -> None:
        self.add_claim(claim)
        if claim.sequence == "P" and claim.frequency != "8":
            self.charges[claim.number] = claim.charge

    def see_answer(self, answer: Answer) -> None:
        self.add_remittance(answer)
        claim = answer.claim
        self.claims[answer.payer_number, answer.status] = claim.number, claim.frequency
        if not claim.number.startswith(STRANGER):
            self.parts[claim.number].append(part_of(answer, self.carcs))


def part_of(answer: Answer, carcs: frozenset[str]) -> Part:
    told = [answer.adjustments] if answer.adjustments else [line.adjustments for line in answer.lines]
    flat = [each for some in told for each in some]
    shared = any(group == "PR" and carc in COST_SHARE_CARCS for group, carc, _ in flat)
    other = [some for some in told if any(carc != PRIOR_PAYER_CARC for _, carc, _ in some)]
    whole = bool(other) and all(any(carc in carcs for _, carc, _ in some) for some in other)
    adjusted = sum(cents for group, carc, cents in flat if group != "PR" and carc != PRIOR_PAYER_CARC)
    patient = sum(cents for group, _, cents in flat if group == "PR")
    is_denied = answer.status != "22" and answer.paid == 0 and whole and not shared
    level = LEVELS.get(answer.status, 1)
    return Part(answer.status, level, answer.charge, answer.paid, adjusted, patient, is_denied)


def totals_of(parts: list[Part]) -> tuple[int, int, int]:
    """Sum what an episode comes to: paid, adjusted, patient's; a denial that a later answer replaces counts nothing."""
    counted = [
        part
        for place, part in enumerate(parts)
        if not part.is_denied or not any(each.status != "22" for each in parts[place + 1 :] if each.level == part.level)
    ]
    standing = [level for level in (1, 2) if sum(part.charge for part in counted if part.level == level)]
    patient = sum(part.patient for part in counted if standing and part.level == standing[-1])
    return sum(part.paid for part in counted), sum(part.adjusted for part in counted), patient


def draw_again(document: dict[str, Any], carcs: list[str]) -> Told:
    """Draw a sample again from its truth.json. ValueError where what comes out is not what the document says."""
    numbers = document["claims_asked"], document["seed"], date.fromisoformat(document["until"])
    sample: Sample
    if "patterns" in document:
        sample = PlantedSample(*numbers, PLANTS if document["patterns"] else ())
    else:
        sample = Sample(*numbers)
    told = Told(sample.truth, carcs)
    for _ in sample.files():
        if isinstance(sample.truth, PlantedTruth):
            sample.truth.take_rows()
    if orjson.loads(orjson.dumps(sample.truth.as_document())) != document:
        raise ValueError("This version of the generator draws another sample than the one in the folder.")
    return told


def compare(folder: Path, practice_id: int) -> Iterator[Agreement]:
    """Compare a practice's rows with the sample in a folder. ValueError where it cannot be drawn again."""
    document = orjson.loads((folder / "truth.json").read_bytes())
    told = draw_again(document, denial_carcs(practice_id))
    yield compare_links(told, practice_id)
    yield compare_totals(told, practice_id)
    yield compare_statuses(document, practice_id)
    if "patterns" in document:
        with connection.cursor() as cursor:
            begin_lines(cursor, practice_id)
            yield compare_labels(cursor, folder)
            yield compare_plants(cursor, document["patterns"])


def compare_links(told: Told, practice_id: int) -> Agreement:
    """Say which remittances are with their own claim: the right chain, and the right submission of it."""
    links = EpisodeRemittance.objects.filter(practice_id=practice_id).values_list(
        "remittance__payer_claim_control_number", "remittance__claim_status_code", "claim__patient_control_number",
    )  # fmt: skip
    linked = {(given, status): number for given, status, number in links.iterator()}
    right, examples = 0, []
    for key, (number, _) in told.claims.items():
        expected = None if number.startswith(STRANGER) else number
        right += linked.get(key) == expected
        if linked.get(key) != expected:
            examples.append(f"{'missed' if linked.get(key) is None else 'WRONG'} remittance {key[0]}")
    absent = Remittance.objects.filter(practice_id=practice_id).count() - len(told.claims)
    if absent:
        examples.append(f"{absent} remittances more than in the sample")
    return Agreement("links", right, len(examples), sorted(examples)[:SHOWN])


def compare_totals(told: Told, practice_id: int) -> Agreement:
    """Compare charge, paid, adjusted and the patient's part of each episode, in cents."""
    rows = Episode.objects.filter(practice_id=practice_id).values_list(
        "claim__patient_control_number", "charge_amount", "paid_amount", "adjustment_amount",
        "patient_responsibility_amount",
    )  # fmt: skip
    found = {number: tuple(int(amount * 100) for amount in amounts) for number, *amounts in rows.iterator()}
    expected = {number: (charge, *totals_of(told.parts[number])) for number, charge in told.charges.items()}
    return agree("totals", found, expected)


def compare_statuses(document: dict[str, Any], practice_id: int) -> Agreement:
    found = Counter(Episode.objects.filter(practice_id=practice_id).values_list("status", flat=True))
    expected = Counter(document["episodes"])
    examples = [f"{found[name]} episodes are {name}, {count} planted" for name, count in expected.items()
        if found[name] != count]  # fmt: skip
    same = sum(min(found[name], count) for name, count in expected.items())
    return Agreement("statuses", same, (found - expected).total() + (expected - found).total(), examples)


def agree(name: str, found: dict[Any, Any], expected: dict[Any, Any]) -> Agreement:
    keys = found.keys() | expected.keys()
    wrong = [key for key in sorted(keys) if found.get(key) != expected.get(key)]
    examples = [f"{key}: {found.get(key)}, planted {expected.get(key)}" for key in wrong[:SHOWN]]
    return Agreement(name, len(keys) - len(wrong), len(wrong), examples)


# each claim's first final answer by its own payer, and of its lines (or the stay as one) whether that denied them
LINES = """
CREATE TEMP TABLE truth_line ON COMMIT DROP AS
WITH first AS (
    SELECT DISTINCT ON (c.id) c.id, r.id AS remittance_id, r.claim_status_code = '4' OR EXISTS (
        SELECT FROM remits_adjustment a WHERE a.remittance_id = r.id AND a.line_id IS NULL AND a.amount > 0
            AND a.carc = ANY(%(carcs)s)) AS is_whole
    FROM episodes_episoderemittance l
    JOIN claims_claim c ON c.id = l.claim_id
    JOIN remits_remittance r ON r.id = l.remittance_id AND r.payer_id = c.payer_id
    JOIN remits_payment p ON p.id = r.payment_id
    JOIN pipeline_edifile f ON f.id = r.file_id
    WHERE l.practice_id = %(practice)s AND r.claim_status_code NOT IN ('22', '25')
    ORDER BY c.id, p.payment_date, f.sha256, r.byte_offset
), stay AS (
    SELECT first.*, NOT EXISTS (SELECT FROM remits_remittanceline line WHERE line.remittance_id = first.remittance_id)
        AS is_stay FROM first
)
SELECT c.id AS claim_id, c.patient_control_number AS number, c.frequency_code AS frequency,
    c.payer_sequence_code AS sequence, payer.payer_code AS payer, coalesce(s.line_number, 0) AS line_number,
    coalesce(s.procedure_code, '') AS procedure, coalesce(s.modifiers, '{}') AS modifiers,
    coalesce(c.diagnosis_codes[s.diagnosis_pointers[1]], c.principal_diagnosis_code) AS diagnosis,
    c.place_of_service_code AS place, coalesce(doctor.npi, '') AS provider,
    coalesce(s.charge_amount, c.charge_amount) AS charge, c.prior_authorization_number <> '' AS is_authorized,
    c.submitted_date AS sent, c.submitted_date - c.service_to_date AS days,
    c.frequency_code = '1' AND EXISTS (
        SELECT FROM claims_claim o WHERE o.practice_id = c.practice_id AND o.frequency_code = '1'
            AND o.subscriber_member_id = c.subscriber_member_id AND o.payer_id = c.payer_id
            AND o.service_to_date = c.service_to_date AND o.charge_amount = c.charge_amount
            AND o.billing_provider_id = c.billing_provider_id AND o.submitted_date < c.submitted_date
    ) AS is_duplicate,
    stay.is_whole OR EXISTS (
        SELECT FROM episodes_linelink link JOIN remits_remittanceline line ON line.id = link.remittance_line_id
        JOIN remits_adjustment a ON a.line_id = line.id
        WHERE link.service_line_id = s.id AND link.remittance_id = stay.remittance_id AND line.paid_amount = 0
            AND a.amount > 0 AND a.carc = ANY(%(carcs)s)
    ) AS is_denied
FROM stay
JOIN claims_claim c ON c.id = stay.id
JOIN parties_payer payer ON payer.id = c.payer_id
LEFT JOIN parties_provider doctor ON doctor.id = c.rendering_provider_id
LEFT JOIN claims_serviceline s ON s.claim_id = c.id AND NOT stay.is_stay
"""
LABELS = """
SELECT number, frequency, sequence, array_agg(is_denied ORDER BY line_number) FROM truth_line
GROUP BY number, frequency, sequence
"""


def begin_lines(cursor: Any, practice_id: int) -> None:
    cursor.execute(LINES, {"practice": practice_id, "carcs": denial_carcs(practice_id)})
    cursor.execute("ANALYZE truth_line")


def compare_labels(cursor: Any, folder: Path) -> Agreement:
    """Compare what came of each adjudicated claim, line by line."""
    cursor.execute(LABELS)
    found = {tuple(key): lines for *key, lines in cursor.fetchall()}
    expected = {}
    with (folder / "claims.ndjson").open("rb") as rows:
        for row in map(orjson.loads, rows):
            if row["is_denied"] is not None:
                key = row["claim"], row["frequency"], row["sequence"]
                expected[key] = [denied for _, denied in row["lines"]]
    return agree("labels", found, expected)


def one_of(value: Any) -> list[str]:
    return value if isinstance(value, list) else [value]


# what a condition of truth.json is over truth_line
CONDITIONS: dict[str, tuple[str, Callable[[Any], Any]]] = {
    "procedure_code": ("procedure = ANY(%s)", one_of),
    "modifier": ("%s = ANY(modifiers)", str),
    "diagnosis": ("diagnosis = %s", str),
    "rendering_provider": ("provider = %s", str),
    "place_of_service_code": ("place = %s", str),
    "with_procedure_code": (
        "EXISTS (SELECT FROM truth_line o WHERE o.claim_id = line.claim_id AND o.procedure = %s)", str,
    ),
    "charge_amount_from": ("charge >= %s::numeric", str),
    "days_to_submission_from": ("days >= %s", int),
    "weekday": ("extract(isodow FROM sent) - 1 = %s", int),
    "has_authorization": ("is_authorized = %s", bool),
    "is_duplicate": ("is_duplicate = %s", bool),
}  # fmt: skip


def compare_plants(cursor: Any, plants: list[dict[str, Any]]) -> Agreement:
    """Count the lines, and the denied ones, that meet each plant's conditions."""
    cursor.execute("CREATE INDEX ON truth_line (claim_id)")
    found, expected = {}, {}
    for place, plant in enumerate(plants):
        name = f"{plant['kind']} {plant['payer']} {place}"
        found[name] = count_plant(cursor, plant)
        expected[name] = plant["lines"], plant["denied_lines"]
    return agree("plants", found, expected)


def count_plant(cursor: Any, plant: dict[str, Any]) -> tuple[int, int]:
    tests, values = ["payer = %s"], [plant["payer"]]
    for name, value in plant["conditions"].items():
        if name != "carc":
            test, convert = CONDITIONS[name]
            tests.append(test)
            values.append(convert(value))
    if plant["from_date"]:
        tests.append("sent >= %s")
        values.append(plant["from_date"])
    cursor.execute(
        f"SELECT count(*), count(*) FILTER (WHERE is_denied) FROM truth_line line WHERE {' AND '.join(tests)}", values
    )
    lines, denied = cursor.fetchone()
    return lines, denied
