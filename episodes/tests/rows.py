"""Claims and remittances as rows, for tests of linking that need no reader."""

import hashlib
import itertools
from collections.abc import Mapping
from datetime import date
from decimal import Decimal
from typing import Any

from claims.models import Claim
from marb.access.models import Practice
from marb.parties.models import Payer
from marb.pipeline.jobs import FileJob
from marb.pipeline.models import Chunk, EdiFile
from remits.models import Adjustment, Payment, Remittance, RemittanceLine

COUNTER = itertools.count(1)


def make_practice() -> Practice:
    return Practice.objects.create(code=f"practice-{next(COUNTER)}", name="Practice")


class Files:
    """Makes files of one practice and remembers their jobs."""

    def __init__(self, practice: Practice):
        self.practice = practice

    def payer(self, code: str) -> Payer:
        return Payer.objects.get_or_create(practice=self.practice, payer_code=code, defaults={"name": code})[0]

    def file(self, kind: str, key: str) -> tuple[EdiFile, Chunk]:
        sha256 = hashlib.sha256(key.encode()).hexdigest()
        file = EdiFile.objects.create(practice=self.practice, sha256=sha256, name=key, byte_count=1, kind=kind)
        chunk = Chunk.objects.create(
            practice=self.practice, file=file, seq=1, kind=kind, byte_from=0, byte_to=10**6, separators="*:^~"
        )
        return file, chunk

    def claims(self, key: str, *rows: Mapping[str, Any]) -> FileJob:
        file, chunk = self.file("837", key)
        for at, row in enumerate(rows):
            self.claim(file, chunk, at * 100, **row)
        return FileJob(self.practice.pk, file.pk, date(2026, 6, 30))

    def claim(self, file: EdiFile, chunk: Chunk, at: int, /, **row: Any) -> Claim:
        values = {
            "byte_offset": at, "byte_end": at + 99, "segment_position": 1, "set_control": "0001", "claim_type": "P",
            "guide": "005010X222A1", "status": "processed", "line_count": 1, "frequency_code": "1",
            "payer_sequence_code": "P", "charge_amount": Decimal(100), "service_from_date": date(2026, 1, 5),
            "payer": self.payer(row.pop("payer", "MEDI")),
        } | row  # fmt: skip
        return Claim.objects.create(practice=self.practice, file=file, chunk=chunk, **values)

    def remittances(self, key: str, *rows: Mapping[str, Any], paid_on: date = date(2026, 2, 1)) -> FileJob:
        file, chunk = self.file("835", key)
        for at, row in enumerate(rows):
            self.remittance(file, chunk, at * 100, paid_on, **row)
        return FileJob(self.practice.pk, file.pk, date(2026, 6, 30))

    def remittance(self, file: EdiFile, chunk: Chunk, at: int, paid_on: date, /, **row: Any) -> Remittance:
        """`payment` are columns of the payment that it stands in, a settled one of its own."""
        adjustments = row.pop("adjustments", {})
        payer = self.payer(row.pop("payer", "MEDI"))
        paid = {
            "payment_amount": 0, "payment_date": paid_on, "difference_amount": 0, "claim_paid_amount": 0,
            "provider_adjustment_amount": 0, "claim_difference_amount": 0, "line_difference_amount": 0,
        } | row.pop("payment", {})  # fmt: skip
        payment = Payment.objects.create(practice=self.practice, file=file, byte_offset=at, payer=payer, **paid)
        values = {
            "byte_offset": at, "byte_end": at + 99, "segment_position": 1, "status": "processed",
            "claim_status_code": "1", "charge_amount": Decimal(100), "paid_amount": Decimal(0),
            "patient_responsibility_amount": Decimal(0), "service_from_date": date(2026, 1, 5),
            "line_count": 1, "adjustment_amount": 0, "claim_difference_amount": 0, "line_difference_amount": 0,
        } | row  # fmt: skip
        made = Remittance.objects.create(
            practice=self.practice, file=file, chunk=chunk, payment=payment, payer=payer, **values
        )
        for seq, (reason, amount) in enumerate(adjustments.items()):
            self.adjustment(made, seq, reason, Decimal(amount))
        return made

    def adjustment(self, remittance: Remittance, seq: int, reason: str, amount: Decimal) -> None:
        """Adjust the claim by `CO-45`, or its second line by `CO-45@2`."""
        reason, _, number = reason.partition("@")
        group, carc = reason.split("-")
        line = None
        if number:
            line = RemittanceLine.objects.get_or_create(
                practice=self.practice, remittance=remittance, line_number=int(number),
                defaults={"byte_offset": 0, "charge_amount": 0, "paid_amount": 0, "difference_amount": 0},
            )[0]  # fmt: skip
        Adjustment.objects.create(
            practice=self.practice,
            remittance=remittance,
            line=line,
            seq=seq,
            group_code=group,
            carc=carc,
            amount=amount,
        )
