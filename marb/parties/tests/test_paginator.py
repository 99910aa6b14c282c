"""Pages by key over payers: every row once, in order, forwards and backwards, while rows arrive.

Here and not in marb.core, because core has no table.
"""

import contextlib
from urllib.parse import urlsplit

import pytest
from django.test import Client
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from marb.core.paginator import Key, read_cursor, write_cursor
from marb.parties.models import Payer
from marb.parties.tests.rows import create_payer

# two names only, so that most keys share their first column
NAMES = ["AETNA", "CIGNA", "AETNA", "AETNA", "CIGNA", "AETNA", "AETNA"]


@pytest.fixture
def member(client: Client, biller, practice) -> Client:
    for n, name in enumerate(NAMES):
        create_payer(practice, f"P{n}", name=name)
    client.force_login(biller)
    return client


def walk(client: Client, path: str, direction: str) -> list[list[int]]:
    pages: list[list[int]] = []
    following: str | None = path
    while following:
        body = client.get(following).json()
        pages.append([row["id"] for row in body["results"]])
        following = body[direction] and f"{urlsplit(body[direction]).path}?{urlsplit(body[direction]).query}"
    return pages


def last_page(client: Client, path: str) -> str:
    following, last = path, path
    while following:
        last, following = following, client.get(following).json()["next"]
    return last


@pytest.mark.parametrize("limit", [1, 2, 3, 6, 7, 8, 1000])
@pytest.mark.parametrize("ordering", ["name", "-name", "id", "-id"])
def test_pages_hold_every_row_once_in_order(limit: int, ordering: str, member: Client) -> None:
    column, reverse = ordering.removeprefix("-"), ordering.startswith("-")
    rows = sorted(Payer.objects.all(), key=lambda row: (getattr(row, column), row.pk), reverse=reverse)
    pages = walk(member, f"/api/v1/payers/?limit={limit}&ordering={ordering}", "next")
    assert [pk for page in pages for pk in page] == [row.pk for row in rows]
    assert all(len(page) == limit for page in pages[:-1])


@pytest.mark.parametrize("limit", [1, 2, 3, 7])
def test_going_back_finds_the_same_rows(limit: int, member: Client) -> None:
    path = f"/api/v1/payers/?limit={limit}&ordering=name"
    forwards = walk(member, path, "next")
    backwards = walk(member, last_page(member, path), "previous")
    assert [pk for page in reversed(backwards) for pk in page] == [pk for page in forwards for pk in page]


def test_a_row_that_arrives_shifts_no_page(member: Client, practice) -> None:
    first = member.get("/api/v1/payers/?limit=3").json()
    create_payer(practice, "NEW", name="AAA")
    second = member.get(first["next"]).json()
    assert not {row["id"] for row in first["results"]} & {row["id"] for row in second["results"]}


def test_a_page_reads_one_row_more_than_it_shows(member: Client, django_assert_num_queries) -> None:
    with django_assert_num_queries(4) as queries:
        member.get("/api/v1/payers/?limit=3")
    page = queries.captured_queries[-1]["sql"]
    assert page.endswith("LIMIT 4")
    assert "OFFSET" not in page


@given(st.booleans(), st.none() | st.text(st.characters(exclude_characters="\x00")), st.integers(0, 2**63 - 1))
def test_a_cursor_reads_as_it_was_written(back: bool, value: str | None, row_id: int) -> None:
    assert read_cursor(write_cursor(Key(back, value, row_id))) == (back, value, row_id)


@settings(max_examples=200, suppress_health_check=[HealthCheck.too_slow])
@given(st.text(max_size=60))
def test_any_other_text_is_refused_in_known_ways(text: str) -> None:
    with contextlib.suppress(ValueError, TypeError, RecursionError):
        assert isinstance(read_cursor(text), Key)
