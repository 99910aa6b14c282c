"""Claims and service lines for tests."""

import datetime
from decimal import Decimal
from typing import Any

from claims.models import Claim, ServiceLine
from marb.pipeline.models import Chunk

PERSON = {
    "subscriber_member_id": "W123456789",
    "subscriber_last_name": "DOE",
    "subscriber_first_name": "JANE",
    "subscriber_birth_date": datetime.date(1971, 3, 4),
    "patient_last_name": "DOE",
    "patient_first_name": "JANE",
    "patient_birth_date": datetime.date(1971, 3, 4),
}
DETAIL = {
    "references": [{"qualifier": "SY", "value": "123456789"}, {"qualifier": "EA", "value": "MRN1"}],
    "patient": {"birth_date": "19710304", "gender_code": "F"},
}


def create_claim(chunk: Chunk, offset: int = 100, **columns: Any) -> Claim:
    place = {"byte_offset": offset, "byte_end": offset + 50, "segment_position": 20, "set_control": "0001"}
    values = {"claim_type": "P", "status": "processed", "patient_control_number": f"A{offset}", "line_count": 1}
    dates = {"service_from_date": datetime.date(2026, 1, 5), "service_to_date": datetime.date(2026, 1, 5)}
    everything = {**place, **values, **dates, **PERSON, "detail": DETAIL, "charge_amount": Decimal("120.00"), **columns}
    return Claim.objects.create(practice=chunk.practice, file=chunk.file, chunk=chunk, **everything)


def create_line(claim: Claim, number: int = 1, **columns: Any) -> ServiceLine:
    values = {"byte_offset": claim.byte_offset + number, "procedure_code": "99213", "charge_amount": Decimal("120.00")}
    return ServiceLine.objects.create(
        practice=claim.practice, claim=claim, line_number=number, **{**values, "modifiers": ["25"], **columns}
    )
