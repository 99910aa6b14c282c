"""What was planted, written beside the files as truth.json: sums, and the true numbers of the few damaged answers."""

from collections import Counter
from collections.abc import Sequence
from datetime import date
from typing import Any

import orjson

from episodes.sample.adjudication import Remittance
from episodes.sample.claims import Claim
from episodes.sample.habits import BASE_RATE, GRADIENTS
from episodes.sample.judge import Rule, Verdict
from episodes.sample.remittances import Check


class Truth:
    """Counts while the files are written. Cents are integers; `episodes` are the statuses that must come out."""

    def __init__(self, total: int, seed: int, until: str):
        self.head = {"claims_asked": total, "seed": seed, "until": until}
        self.files: list[dict[str, Any]] = []
        self.claims: Counter[str] = Counter()
        self.claims_by_payer: Counter[str] = Counter()
        self.remittances: Counter[str] = Counter()
        self.denials_by_carc: Counter[str] = Counter()
        self.adjustment_cents: Counter[str] = Counter()
        self.payments: Counter[str] = Counter()
        self.provider_adjustment_cents: Counter[str] = Counter()
        self.episodes: Counter[str] = Counter()
        # {CLP07: CLM01} of the answers whose CLP01 is not what was sent
        self.numbers: dict[str, str] = {}

    def add_claim(self, claim: Claim) -> None:
        kind = "secondary" if claim.sequence == "S" else {"7": "replacements", "8": "voids"}.get(claim.frequency, "")
        for name in ("total", "institutional" if claim.is_institutional else "professional", kind or "originals"):
            self.claims[name] += 1
        self.claims["unquoted"] += claim.frequency == "7" and not claim.payer_number
        self.claims["lines"] += len(claim.lines)
        self.claims["charge_cents"] += claim.charge
        self.claims["dependents"] += claim.patient.relationship != "18"
        self.claims_by_payer[claim.payer.code] += 1

    def add_check(self, check: Check) -> None:
        self.payments["total"] += 1
        self.payments["bpr_cents"] += check.amount
        self.payments["without_money"] += check.amount == 0
        for code, _, cents in check.adjustments:
            self.provider_adjustment_cents[code] += cents
        for answer in check.remittances:
            self.add_remittance(answer)

    def add_remittance(self, answer: Remittance) -> None:
        self.remittances["total"] += 1
        self.remittances["paid_cents"] += answer.paid
        self.remittances["charge_cents"] += answer.charge
        self.remittances["lines"] += len(answer.lines)
        self.remittances["reversals"] += answer.status == "22"
        self.remittances["secondary"] += answer.status == "2"
        self.remittances["crossed_over"] += answer.status == "19"
        if answer.damage:
            self.remittances[f"number_{answer.damage}"] += 1
            self.numbers[answer.payer_number] = answer.claim.number
        for group, carc, cents in answer.adjustments:
            self.adjustment_cents[f"{group}-{carc}"] += cents
        for line in answer.lines:
            for group, carc, cents in line.adjustments:
                self.adjustment_cents[f"{group}-{carc}"] += cents

    def plant(self, kind: str) -> None:
        """Count something planted that the sums do not show: a correction, a half payment, an unknown claim."""
        self.remittances[kind] += 1

    def deny(self, answer: Remittance) -> None:
        adjustments = answer.lines[0].adjustments if answer.lines else answer.adjustments
        self.remittances["denied"] += 1
        self.denials_by_carc[adjustments[-1][1]] += 1

    def as_document(self) -> dict[str, Any]:
        """Get everything as one JSON document, keys in order."""
        counters = {name: value for name, value in vars(self).items() if isinstance(value, Counter)}
        sums = {name: dict(sorted(value.items())) for name, value in counters.items()}
        return self.head | sums | {"numbers": dict(sorted(self.numbers.items())), "files": self.files}


class PlantedTruth(Truth):
    """The truth about planted causes too: lines and denied lines that met each, and a row per adjudicated claim.

    A row is one JSON object in a line of a file beside truth.json: CLM01, frequency (CLM05-3) and sequence (SBR01) name
    the claim; `chance` is that of its label, `is_denied` the label (null where no answer comes), `lines` the chance and
    label of each line in order (one for an inpatient stay). Rows are taken out as the files are written.
    """

    def __init__(self, total: int, seed: int, until: str):
        super().__init__(total, seed, until)
        self.plants: list[dict[str, Any]] = []
        self.gradients: dict[str, float] = {}
        self.payers: dict[str, Counter[str]] = {}
        self.labels: Counter[str] = Counter()
        self.rows: list[bytes] = []

    def begin(self, rules: Sequence[Rule], *, is_pulled: bool) -> None:
        self.gradients = GRADIENTS if is_pulled else {}
        for rule in rules:
            self.plants.append({
                "kind": rule.plant.kind, "payer": rule.plant.payer, "conditions": rule.plant.conditions(),
                "strength": rule.plant.strength, "carc": rule.plant.reason[1], "is_whole_claim": rule.plant.is_whole,
                "from_date": rule.from_date, "lines": 0, "denied_lines": 0, "carc_lines": 0,
            })  # fmt: skip

    def add_outcome(self, claim: Claim, sent: int, verdict: Verdict, *, is_answered: bool) -> None:
        """Count a claim's lines under what they meet, and keep its row."""
        denied = None if not is_answered else not verdict.is_clean
        each = zip(verdict.chances, verdict.reasons, strict=True)
        lines = [[round(chance, 6), reason is not None] for chance, reason in each]
        self.rows.append(orjson.dumps({
            "claim": claim.number, "frequency": claim.frequency, "sequence": claim.sequence,
            "payer": claim.payer.code, "sent": date.fromordinal(sent).isoformat(),
            "chance": round(verdict.chance, 6), "is_denied": denied, "lines": lines,
        }))  # fmt: skip
        if is_answered:
            self.labels["adjudicated"] += 1
            self.labels["denied"] += bool(denied)
            self.count_lines(claim, verdict)

    def count_lines(self, claim: Claim, verdict: Verdict) -> None:
        sums = self.payers.setdefault(claim.payer.code, Counter())
        for reason, places in zip(verdict.reasons, verdict.met, strict=True):
            sums["lines"] += 1
            sums["denied_lines"] += reason is not None
            if reason is not None:
                sums[reason[1]] += 1
            for place in places:
                plant = self.plants[place]
                plant["lines"] += 1
                plant["denied_lines"] += reason is not None
                plant["carc_lines"] += reason is not None and reason[1] == plant["carc"]

    def take_rows(self) -> bytes:
        """Take out the rows that are new since the last time, each with its line's end."""
        rows, self.rows = self.rows, []
        return b"".join(row + b"\n" for row in rows)

    def lift_of(self, plant: dict[str, Any]) -> float | None:
        """Get the rate of denied lines where a plant's condition is met over the rate of the payer's other lines.

        For a reason at a payer it is that reason's rate over its rate at the other payers. None where it is not known.
        """
        own = self.payers.get(plant["payer"], Counter())
        met, of, lines, denied = plant["lines"], plant["denied_lines"], own["lines"], own["denied_lines"]
        if plant["kind"] == "carc":
            carc, others = plant["carc"], [sums for code, sums in self.payers.items() if code != plant["payer"]]
            of, lines = own[carc], met + sum(sums["lines"] for sums in others)
            denied = of + sum(sums[carc] for sums in others)
        if not met or lines == met or denied == of:
            return None
        return round(of / met / ((denied - of) / (lines - met)), 3)

    def as_document(self) -> dict[str, Any]:
        habits = {
            code: {"base_rate": BASE_RATE[code], **dict(sorted(sums.items()))}
            for code, sums in sorted(self.payers.items())
        }
        patterns = [each | {"lift": self.lift_of(each)} for each in self.plants]
        planted = {"patterns": patterns, "gradients": self.gradients, "habits": habits}
        return super().as_document() | planted
