"""What PostgreSQL counts of itself: without values, and with a reason where it does not count."""

from typing import Any

import pytest
from django.db import DatabaseError, connection

from monitoring import statements
from monitoring.statements import Top, scanned_tables, text_of, top, unused_indexes, used_indexes, why_not

pytestmark = pytest.mark.django_db


def execute(statement: str) -> None:
    with connection.cursor() as cursor:
        cursor.execute(statement)


def answer(monkeypatch: pytest.MonkeyPatch, state: tuple[bool, bool], found: list[Any]) -> None:
    """Let the server have this extension, and these statements."""
    monkeypatch.setattr(statements, "rows", lambda text, given: [state] if text == statements.STATE else found)


@pytest.mark.parametrize(
    ("is_created", "is_loaded", "reason"),
    [
        (True, True, ""),
        (False, True, statements.NOT_CREATED),
        (True, False, statements.NOT_LOADED),
        (False, False, statements.NOT_LOADED),
    ],
)
def test_a_server_that_does_not_count_says_what_to_do(
    is_created: bool, is_loaded: bool, reason: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    answer(monkeypatch, (is_created, is_loaded), [])
    assert why_not() == reason
    assert top() == ([], reason)


def test_this_servers_own_answer_is_one_of_them() -> None:
    found, reason = top(5)
    assert reason in ("", statements.NOT_CREATED, statements.NOT_LOADED)
    assert not (found and reason)


def test_statements_are_told_without_values(monkeypatch: pytest.MonkeyPatch) -> None:
    text = "SELECT *\n  FROM claims_claim WHERE patient_last_name = 'Abernathy' AND id = 4711 AND x = $1"
    answer(monkeypatch, (True, True), [(text, 3, 6.0, 2.0, 4.0, 9, 99.987), (None, 1, 1.0, 1.0, 1.0, 0, None)])
    found, reason = top()
    assert reason == ""
    masked = "SELECT * FROM claims_claim WHERE patient_last_name = ? AND id = ? AND x = $1"
    assert found == [Top(masked, 3, 6.0, 2.0, 4.0, 9, 100.0), Top("", 1, 1.0, 1.0, 1.0, 0, None)]


def test_who_may_not_read_them_is_told_so(monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(text: str, given: Any) -> Any:
        if text == statements.STATE:
            return [(True, True)]
        raise DatabaseError

    monkeypatch.setattr(statements, "rows", refuse)
    assert top()[1].startswith("This user may not read")


def test_a_statement_that_ran_is_counted() -> None:
    if why_not() == statements.NOT_LOADED:
        pytest.skip("this PostgreSQL was started without pg_stat_statements")
    execute("CREATE EXTENSION IF NOT EXISTS pg_stat_statements")
    # the suite runs more statements than are kept
    execute("SELECT pg_stat_statements_reset()")
    execute("SELECT count(*) AS heron_count FROM claims_claim WHERE patient_last_name = 'Abernathy'")
    found, reason = top(100_000)
    assert reason == ""
    ours = [each for each in found if "heron_count" in each.text]
    assert ours
    assert all(each.calls >= 1 and "Abernathy" not in each.text for each in ours)


def test_a_text_is_on_one_line_and_cut() -> None:
    assert text_of("SET  x\n TO 'secret'") == "SET x TO ?"
    assert len(text_of("SELECT " + "a, " * 9_000)) <= statements.MOST_TEXT


def test_indexes_that_nobody_uses_are_found_but_not_those_of_constraints() -> None:
    execute("CREATE TABLE heron (id int PRIMARY KEY, name text UNIQUE, unused text)")
    execute("CREATE INDEX heron_unused ON heron (unused)")
    ours = [each.name for each in unused_indexes(1_000, least_bytes=0) if each.table == "heron"]
    assert ours == ["heron_unused"]


def test_counts_of_indexes_and_tables_are_read() -> None:
    assert all(index.scans > 0 for index in used_indexes(3))
    tables = scanned_tables(3)
    assert tables == sorted(tables, key=lambda table: -table.rows_read)
    assert all(table.scans > 0 for table in tables)
