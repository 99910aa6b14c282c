"""Every address that the resolver knows is one of those that the tests of scope look at; a new one fails until it is.

An address of the API takes the arguments of a kind of the house, or is named here; an address of the admin belongs to a
registered model, or is named here. What takes an object's id is asked for another practice's object.
"""

from collections.abc import Iterator
from typing import Any

import pytest
from django.apps import apps
from django.contrib import admin
from django.contrib.auth.models import User
from django.test import Client
from django.urls import URLPattern, URLResolver, get_resolver, reverse

from marb.access.models import Practice, Role
from monitoring.tests.addresses import find_addresses
from monitoring.tests.conftest import CANARY
from monitoring.tests.house import build_house
from monitoring.tests.rows import Rows
from monitoring.tests.test_admin_scope import SCOPED, body, others

# addresses of the API that show nobody's rows
WITHOUT_ROWS = {
    *("health", "schema", "swagger", "redoc", "redoc-script", "auth-login", "auth-logout"),
    *("auth-logoutall", "auth-me", "health-detailed", "cache-stats", "cache-stats-reset"),
    # sums of the person's own: episodes.tests.test_kpipages
    "kpis",
}
# addresses of the admin that belong to no model
OF_THE_SITE = {
    *("index", "login", "logout", "password_change", "password_change_done", "autocomplete", "jsi18n"),
    *("view_on_site", "app_list", "search"),
}
# a superuser's alone, or of rows without a practice: asked for by the tests of those
UNSCOPED = {model._meta.label for model in admin.site._registry} - {model._meta.label for model in SCOPED}
OTHERS_OWN = {"auth.User", "access.Practice"}


def find_pages() -> Iterator[tuple[str, tuple[str, ...]]]:
    """Find the admin's addresses: the name and the arguments of each."""
    for pattern in get_resolver().url_patterns:
        if isinstance(pattern, URLResolver) and pattern.namespace == "admin":
            yield from walk(pattern.url_patterns)


def walk(patterns: list[Any]) -> Iterator[tuple[str, tuple[str, ...]]]:
    for pattern in patterns:
        if isinstance(pattern, URLResolver):
            yield from walk(pattern.url_patterns)
        elif isinstance(pattern, URLPattern) and pattern.name:
            named = tuple(pattern.pattern.converters) or tuple(pattern.pattern.regex.groupindex)
            yield pattern.name, named


def model_of(name: str) -> Any:
    """Get the model that an address of the admin belongs to, by the longest name that begins it."""
    found = [
        model for model in admin.site._registry if name.startswith(f"{model._meta.label_lower.replace('.', '_')}_")
    ]
    return max(found, key=lambda model: len(model._meta.label_lower), default=None)


def test_every_address_of_the_api_is_of_a_kind_or_shows_no_rows(practice: Practice) -> None:
    house = build_house(practice, "HERON")
    for address in find_addresses():
        kind = address.name.partition("-")[0]
        assert address.name in WITHOUT_ROWS or kind in house.objects, f"{address.name} is in no test of scope"
        assert set(address.arguments) <= {"pk", *house.children}, f"{address.name}: say what its arguments are"


def test_nothing_stands_beside_the_api_and_the_admin() -> None:
    tops = {str(pattern.pattern) for pattern in get_resolver().url_patterns}
    # what is no address of the API is answered as JSON, and shows nothing
    assert tops == {"api/v1/", "^api/", "metrics", ""}, "a new root: put it into the tests of scope"


def test_every_page_belongs_to_a_model_or_to_the_site() -> None:
    for name, _ in find_pages():
        assert name in OF_THE_SITE or model_of(name) is not None, f"{name} is in no test of scope"


def test_every_model_without_a_practice_is_known() -> None:
    public = {
        *("claims.FeeSchedule", "claims.Fee", "claims.Locality", "claims.NcciPair", "claims.UnitLimit"),
        "episodes.CodeList",
    }
    supers = {"axes.AccessAttempt", "axes.AccessLog", "pipeline.DeadLetter", "django_dramatiq.Task"}
    measures = {f"monitoring.{model.__name__}" for model in apps.get_app_config("monitoring").get_models()}
    assert OTHERS_OWN | public | supers | measures | {"claims.ContractFee", "claims.FeeModifier"} >= UNSCOPED


@pytest.mark.parametrize("role", Role.values)
def test_every_page_of_an_object_is_a_404_for_another_practice(
    role: str, request: pytest.FixtureRequest, client: Client, rows: Rows, other_rows: Rows
) -> None:
    client.force_login(request.getfixturevalue(role))
    asked = 0
    for name, arguments in find_pages():
        model = model_of(name)
        if not arguments or model is None or model not in SCOPED:
            continue
        given = {key: str(others(model).first().pk) if key != "word" else "retry" for key in arguments}
        for method in ("get", "post"):
            answer = getattr(client, method)(reverse(f"admin:{name}", kwargs=given))
            assert answer.status_code in ((404, 405) if method == "get" else (403, 404, 405)), (name, method)
            assert CANARY not in body(answer), (name, method)
            asked += 1
    assert asked >= 6 * len(SCOPED)


@pytest.mark.parametrize("role", Role.values)
def test_every_page_without_an_object_shows_nothing_of_another_practice(
    role: str, request: pytest.FixtureRequest, client: Client, rows: Rows, other_rows: Rows
) -> None:
    client.force_login(request.getfixturevalue(role))
    User.objects.filter(username=role).update(last_name="Heron")
    for name, arguments in find_pages():
        if not arguments and name not in {"logout", "app_list"}:
            answer = client.get(reverse(f"admin:{name}"))
            assert answer.status_code in (200, 302, 403, 404, 405), name
            assert CANARY not in body(answer), name
