"""Codes of payers and providers, and the rows made for them."""

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from marb.access.models import Practice
from marb.parties.models import Payer, Provider
from marb.parties.resolve import ProviderName, payer_code, provider_code, resolve_payers, resolve_providers

pytestmark = pytest.mark.django_db


@pytest.fixture
def practice():
    return Practice.objects.create(code="north", name="North Clinic")


def test_a_payer_without_identifier_goes_by_its_name_in_capitals():
    assert payer_code("", " Acme  Health ") == "ACME HEALTH"
    assert payer_code(" 60054a", "Acme Health") == "60054A"
    assert payer_code("", "") == ""


def test_a_provider_goes_by_its_npi_before_its_name():
    assert provider_code("1234567893", "Smith, Ann") == "1234567893"
    assert provider_code("", "Smith, Ann") == "SMITH, ANN"


def test_unknown_payers_are_made_once_and_found_again(practice):
    first = resolve_payers(practice.pk, {"60054": "Acme", "SKYGN": "Sky General"})
    assert first == resolve_payers(practice.pk, {"60054": "Another spelling", "SKYGN": ""})
    assert Payer.objects.get(pk=first["60054"]).name == "Acme"


def test_payers_of_two_practices_are_two_rows(practice):
    other = Practice.objects.create(code="south", name="South Clinic")
    assert resolve_payers(practice.pk, {"1": "A"}) != resolve_payers(other.pk, {"1": "A"})


def test_known_payers_cost_one_statement(practice):
    names = {str(n): f"Payer {n}" for n in range(50)}
    resolve_payers(practice.pk, names)
    with CaptureQueriesContext(connection) as queries:
        resolve_payers(practice.pk, names)
    assert len(queries) == 1


def test_nothing_to_resolve_costs_nothing(practice):
    with CaptureQueriesContext(connection) as queries:
        assert resolve_payers(practice.pk, {}) == resolve_providers(practice.pk, {}) == {}
    assert len(queries) == 0


def test_text_longer_than_a_column_is_cut(practice):
    given = ProviderName("123456789012345", "N" * 300, "T" * 40, "9" * 40)
    code = provider_code(given.npi, given.name)
    row = Provider.objects.get(pk=resolve_providers(practice.pk, {code: given})[code])
    assert (row.npi, len(row.name), len(row.taxonomy_code), len(row.tax_number)) == ("", 160, 10, 20)
    assert len(payer_code("X" * 200, "")) == 80


def test_a_provider_keeps_what_the_file_says_of_it(practice):
    given = ProviderName("1234567893", "Smith, Ann", "207Q00000X", "123456789")
    (row_id,) = resolve_providers(practice.pk, {"1234567893": given}).values()
    row = Provider.objects.get(pk=row_id)
    assert (row.npi, row.name, row.taxonomy_code, row.tax_number) == given
