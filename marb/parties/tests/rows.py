"""Payers, plans and providers for tests."""

from typing import Any

from marb.access.models import Practice
from marb.parties.models import Payer, Plan, Provider


def create_payer(practice: Practice, code: str = "87726", **columns: Any) -> Payer:
    return Payer.objects.create(practice=practice, payer_code=code, **{"name": f"Payer {code}", **columns})


def create_plan(payer: Payer, code: str = "PPO1", **columns: Any) -> Plan:
    values = {"plan_code": code, "plan_name": f"Plan {code}", **columns}
    return Plan.objects.create(practice=payer.practice, payer=payer, **values)


def create_provider(practice: Practice, code: str = "1234567893", **columns: Any) -> Provider:
    values = {"npi": code, "name": f"Provider {code}", "tax_number": "123456789", **columns}
    return Provider.objects.create(practice=practice, provider_code=code, **values)
