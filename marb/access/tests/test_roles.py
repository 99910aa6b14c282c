"""The matrix of roles, said once more by hand, and asked through `may`."""

import pytest
from django.contrib.auth.models import AnonymousUser

from marb.access.models import Membership, Role
from marb.access.roles import MATRIX, Action, find_practices, is_member, may, may_anywhere

EXPECTED = {
    Role.ADMINISTRATOR: "read upload change_parties link work_denials manage_members see_identifiers see_audit",
    Role.MANAGER: "read upload change_parties link work_denials see_identifiers",
    Role.BILLER: "read upload link work_denials see_identifiers",
    Role.AUDITOR: "read see_audit",
}


def test_every_role_has_a_row() -> None:
    assert set(MATRIX) == set(Role) == set(EXPECTED)


@pytest.mark.parametrize("role", Role)
@pytest.mark.parametrize("action", Action)
def test_a_member_may_what_the_matrix_says_and_only_at_home(
    role: Role, action: Action, request: pytest.FixtureRequest, practice, other_practice
) -> None:
    user = request.getfixturevalue(role.value)
    allowed = action.value in EXPECTED[role].split()
    assert may(user, practice.pk, action) is allowed
    assert may_anywhere(user, action) is allowed
    assert not may(user, other_practice.pk, action)
    assert list(find_practices(user, action)) == ([practice] if allowed else [])


@pytest.mark.parametrize("action", Action)
def test_strangers_and_people_switched_off_may_nothing(action: Action, practice, manager, admin_user) -> None:
    manager.is_active = admin_user.is_active = False
    for user in (AnonymousUser(), manager, admin_user):
        assert not may(user, practice.pk, action)
        assert not may_anywhere(user, action)
        assert not is_member(user)
        assert not find_practices(user, action).exists()


def test_a_superuser_may_everything_everywhere(practice, other_practice, admin_user) -> None:
    assert all(may(admin_user, place.pk, action) for place in (practice, other_practice) for action in Action)
    assert set(find_practices(admin_user, Action.UPLOAD)) == {practice, other_practice}


def test_two_roles_in_two_practices_stay_apart(practice, other_practice, biller) -> None:
    Membership.objects.create(user=biller, practice=other_practice, role=Role.AUDITOR)
    assert may(biller, practice.pk, Action.UPLOAD)
    assert not may(biller, other_practice.pk, Action.UPLOAD)
    assert list(find_practices(biller, Action.UPLOAD)) == [practice]


def test_roles_are_read_once(practice, biller, django_assert_num_queries) -> None:
    with django_assert_num_queries(1):
        assert [may(biller, practice.pk, action) for action in Action].count(True) == 5
