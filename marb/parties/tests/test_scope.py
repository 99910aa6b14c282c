"""The scope itself: the same rows whether a person's roles were read already or not."""

import pytest
from django.contrib.auth.models import AnonymousUser

from marb.access.models import Membership, Practice, Role
from marb.access.roles import get_roles
from marb.parties.models import Payer
from marb.parties.tests.rows import create_payer


@pytest.fixture
def payers(practice: Practice, other_practice: Practice) -> list[Payer]:
    return [create_payer(practice), create_payer(other_practice)]


@pytest.mark.parametrize("roles_read", [False, True])
@pytest.mark.parametrize("homes", [0, 1, 2])
def test_a_person_reaches_the_rows_of_all_homes_and_no_others(
    homes: int, roles_read: bool, payers: list[Payer], django_user_model
) -> None:
    user = django_user_model.objects.create_user("somebody")
    for payer in payers[:homes]:
        Membership.objects.create(user=user, practice=payer.practice, role=Role.AUDITOR)
    if roles_read:
        get_roles(user)
    assert set(Payer.objects.for_user(user)) == set(payers[:homes])


@pytest.mark.parametrize("roles_read", [False, True])
def test_a_person_switched_off_reaches_nothing(roles_read: bool, payers: list[Payer], biller, admin_user) -> None:
    if roles_read:
        get_roles(biller)
    biller.is_active = admin_user.is_active = False
    for user in (biller, admin_user, AnonymousUser()):
        assert not Payer.objects.for_user(user).exists()


def test_one_home_is_named_as_a_constant(payers: list[Payer], biller) -> None:
    get_roles(biller)
    assert "SELECT" not in str(Payer.objects.for_user(biller).query)[6:]
