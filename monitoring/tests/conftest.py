"""A practice with rows, and another whose texts carry a mark that must be seen nowhere."""

from importlib import import_module
from typing import Any

import pytest
from django.apps import apps

from marb.access.models import Membership, Practice, Role
from monitoring.models import AlertRule
from monitoring.tests.measures import forget
from monitoring.tests.rows import Rows, create_rows

CANARY = "QZXCANARY"


@pytest.fixture
def rows(practice: Practice) -> Rows:
    return create_rows(practice)


@pytest.fixture
def other_rows(other_practice: Practice, django_user_model: Any) -> Rows:
    person = django_user_model.objects.create_user(f"{CANARY}-person", is_staff=True)
    Membership.objects.create(practice=other_practice, user=person, role=Role.BILLER)
    other_practice.name = f"{CANARY} Clinic"
    other_practice.save()
    return create_rows(other_practice, CANARY)


@pytest.fixture
def default_rules(db: None) -> None:
    """The rules as the migration makes them: tests that commit empty every table."""
    AlertRule.objects.all().delete()
    import_module("monitoring.migrations.0002_default_rules").create(apps, None)


@pytest.fixture
def root(django_user_model: Any) -> Any:
    return django_user_model.objects.create_superuser("root", password="a long enough password")


@pytest.fixture(params=["administrator", "manager", "biller", "auditor", "root"])
def person(request: pytest.FixtureRequest) -> Any:
    return request.getfixturevalue(request.param)


@pytest.fixture
def no_measures(db: None) -> None:
    forget()
