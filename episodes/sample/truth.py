"""What was planted, written beside the files as truth.json: sums, and the true numbers of the few damaged answers."""

from collections import Counter
from typing import Any

from episodes.sample.adjudication import Remittance
from episodes.sample.claims import Claim
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
