"""Batches for tests: claims that say what they are told to, and nothing is wrong with them otherwise."""

from typing import Any

import numpy as np

from risk.batch import NO_AMOUNT, NO_LIMIT, Batch, derived

GOOD: dict[str, Any] = {
    "practice_id": 1,
    "payer_id": 7,
    "payer_code": "P7",
    "payer_type": "commercial",
    "claim_type": "P",
    "filing_indicator_code": "CI",
    "frequency_code": "1",
    "place_of_service_code": "11",
    "payer_sequence_code": "P",
    "principal": "J209",
    "billing_provider_id": 3,
    "rendering_provider_id": 4,
    "charge_cents": 12_000,
    "expected_cents": NO_AMOUNT,
    "line_count": 1,
    "diagnosis_count": 1,
    "finding_count": 0,
    "has_authorization": False,
    "has_referral": False,
    "has_rendering": False,
    "has_attending": False,
    "has_principal": True,
    "has_assignment": True,
    "has_member_id": True,
    "has_payer_number": False,
    "is_self": True,
    "is_incomplete": False,
    "is_duplicate": False,
    "has_prior_payment": False,
    "other_payer_count": 0,
    "is_new_patient": False,
    "submitted_date": 20_500,
    "service_from_date": 20_490,
    "service_to_date": 20_490,
    "filing_days_left": NO_LIMIT,
}
LINE: dict[str, Any] = {
    "line_id": 1,
    "line_procedure": "99213",
    "line_is_unnamed": False,
    "line_modifiers": "25",
    "line_charge_cents": 12_000,
    "line_units": 1.0,
    "line_diagnosis": "J209",
    "line_place": "11",
}


def make_batch(*claims: dict[str, Any]) -> Batch:
    """Make a batch: each claim says what is other than GOOD, its `lines` what is other than LINE."""
    rows = [GOOD | {"claim_id": number} | claim for number, claim in enumerate(claims, start=1)]
    lines = [LINE | {"line_claim": place} | line for place, row in enumerate(rows) for line in row.pop("lines", [{}])]
    columns = {name: np.array([row[name] for row in rows]) for name in (*GOOD, "claim_id")}
    columns |= {name: np.array([line[name] for line in lines]) for name in (*LINE, "line_claim")}
    return Batch(**(columns | derived(columns)))
