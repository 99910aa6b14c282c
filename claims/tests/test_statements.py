"""Statements that are made once give what their querysets give, for every row and to nobody else."""

from collections.abc import Mapping
from typing import Any

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from claims.api import ClaimDetailSerializer, LineSerializer
from claims.models import Claim, ServiceLine
from claims.tests.rows import create_claim, create_line
from marb.core import statements
from marb.core.statements import read_rows
from marb.core.viewsets import get_shape, select
from marb.parties.tests.rows import create_payer
from marb.pipeline.tests.rows import create_chunk, create_file

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def none_kept(monkeypatch) -> None:
    monkeypatch.setattr(statements, "KEPT", {})


@pytest.fixture
def claims(practice) -> list[Claim]:
    chunk = create_chunk(create_file(practice))
    found = [create_claim(chunk, 100, payer=create_payer(practice)), create_claim(chunk, 300)]
    create_line(found[0])
    return found


def of_claim(values: Mapping[str, Any]) -> Any:
    return select(Claim.objects.filter(pk=values["pk"]), get_shape(ClaimDetailSerializer))


def lines_of(values: Mapping[str, Any]) -> Any:
    return select(ServiceLine.objects.filter(claim_id=values["id"]), get_shape(LineSerializer))


def test_each_row_is_what_its_queryset_gives(claims: list[Claim]) -> None:
    for claim in [*claims, *claims]:
        assert read_rows("claim", of_claim, {"pk": claim.pk}) == list(of_claim({"pk": claim.pk}))
        assert read_rows("lines", lines_of, {"id": claim.pk}) == list(lines_of({"id": claim.pk}))
    assert read_rows("claim", of_claim, {"pk": 2**60}) == []
    assert all(statements.KEPT.values())


def test_one_statement_is_sent_and_its_values_are_the_rows_own(claims: list[Claim]) -> None:
    read_rows("claim", of_claim, {"pk": claims[0].pk})
    with CaptureQueriesContext(
        connection,
    ) as sent:
        read_rows("claim", of_claim, {"pk": claims[1].pk})
    assert len(sent) == 1
    assert f"= {claims[1].pk}" in sent[0]["sql"]
    assert str(statements.FIRST_STAND_IN) not in sent[0]["sql"]


def test_a_value_that_is_no_number_is_the_querysets(claims: list[Claim]) -> None:
    def unnumbered(values: Mapping[str, Any]) -> Any:
        return Claim.objects.filter(payer=values["payer"]).values("id")

    assert read_rows("payer", unnumbered, {"payer": claims[0].payer_id}) == [{"id": claims[0].pk}]
    # null is not equal to null
    assert read_rows("payer", unnumbered, {"payer": None}) == [{"id": claims[1].pk}]


def test_what_has_no_place_or_no_statement_is_the_querysets(claims: list[Claim]) -> None:
    def told(values: Mapping[str, Any]) -> Any:
        return Claim.objects.filter(patient_control_number=f"{values['id']}").values("id")

    def nobody(values: Mapping[str, Any]) -> Any:
        return Claim.objects.none().filter(pk=values["id"]).values("id")

    for key, build in (("told", told), ("nobody", nobody)):
        assert [read_rows(key, build, {"id": claims[0].pk}) for _ in range(2)] == [[], []]
        assert statements.KEPT[key] is None


def test_no_more_are_kept_than_may_be(claims: list[Claim], monkeypatch) -> None:
    monkeypatch.setattr(statements, "MOST_STATEMENTS", 3)
    for key in range(10):
        assert read_rows(key, of_claim, {"pk": claims[0].pk})
        assert len(statements.KEPT) <= 3
