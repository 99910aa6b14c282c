"""Faults put in on purpose: whatever statement fails, whoever works beside, the rows are those of a calm run."""

import threading
from collections.abc import Callable
from functools import partial
from typing import Any

import pytest
from django.db import OperationalError, connection
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from marb.pipeline.models import FINISHED, Chunk, EdiFile, Finding, Quarantine, TransactionSet
from marb.pipeline.run import step
from marb.pipeline.tests.edi import claim_file, claim_set, claim_sets

pytestmark = pytest.mark.django_db(transaction=True)
CLAIMS = claim_file(["1", "bad"], ["2"], ["3", "4"])
MOST_STEPS = 60


def calm(count: list[int], execute, sql, params, many, context) -> Any:
    count[0] += 1
    return execute(sql, params, many, context)


def failing(number: int, has_effect: bool, count: list[int], execute, sql, params, many, context) -> Any:
    """Let the n-th statement fail, once: before it does its work, or after, so that only its answer is lost."""
    if has_effect or count[0] + 1 != number:
        found = calm(count, execute, sql, params, many, context)
        if count[0] != number:
            return found
    count[0] = max(count[0], number)
    raise OperationalError("server closed the connection")


def digest(file_id: int) -> list[Any]:
    """All that the belt writes of a file, without ids, leases and times."""
    file = EdiFile.objects.values(
        *("status", "reason", "kind", "claim_count", "claims_quarantined", "charge_amount", "finding_count"),
        *("chunk_count", "chunks_done", "scan_claim_count", "scan_charge_amount"),
    ).get(pk=file_id)
    return [
        file,
        columns(TransactionSet, file_id, "byte_from", "byte_to", "set_control", "claim_count", "status"),
        columns(Chunk, file_id, "seq", "byte_from", "byte_to", "state", "claim_count", "charge_amount"),
        columns(Finding, file_id, "byte_offset", "code", "segment_position"),
        columns(Quarantine, file_id, "byte_from", "byte_to"),
    ]


def columns(model: Any, file_id: int, *names: str) -> list[Any]:
    return list(model.objects.filter(file=file_id).order_by(*names).values_list(*names))


def run_to_end(file_id: int, fault: Callable[..., Any] = calm) -> int:
    """Take steps as a worker would that is started again whenever it falls; answers how many statements it took."""
    count = [0]
    for _ in range(MOST_STEPS):
        try:
            with connection.execute_wrapper(partial(fault, count)):
                step([file_id])
        except OperationalError:
            connection.close()
        if EdiFile.objects.filter(pk=file_id, status__in=FINISHED).exists():
            return count[0]
        overdue(file_id)
    raise AssertionError("the file did not come to its end")


def overdue(file_id: int) -> None:
    """Let every lease run out, as time would."""
    EdiFile.objects.filter(pk=file_id).update(lease_until=None)
    Chunk.objects.filter(file_id=file_id, state="leased").update(lease_until="2000-01-01T00:00:00Z")


@pytest.mark.parametrize("has_effect", [False, True])
def test_whatever_statement_fails_the_rows_are_those_of_a_calm_run(put, caplog, has_effect):
    caplog.set_level("CRITICAL")
    calm_id = put(CLAIMS)
    statements, expected = run_to_end(calm_id), digest(calm_id)
    assert statements > 30
    for number in range(1, statements + 1):
        EdiFile.objects.all().delete()
        file_id = put(CLAIMS)
        run_to_end(file_id, partial(failing, number, has_effect))
        assert digest(file_id) == expected, f"statement {number}"


def test_many_at_once_on_one_file_come_to_the_same(put):
    calm_id = put(CLAIMS)
    run_to_end(calm_id)
    expected = digest(calm_id)
    EdiFile.objects.all().delete()
    file_id = put(CLAIMS)

    def work() -> None:
        while not EdiFile.objects.filter(pk=file_id, status__in=FINISHED).exists():
            step([file_id])
        connection.close()

    crew = [threading.Thread(target=work) for _ in range(6)]
    for thread in crew:
        thread.start()
    for thread in crew:
        thread.join()
    assert digest(file_id) == expected
    assert list(Chunk.objects.filter(file_id=file_id).values_list("attempts", flat=True)) == [1, 1, 1]


GOOD = ("1", "2.50", "-3")
amounts = st.lists(st.sampled_from([*GOOD, "bad", "1E2", ""]), max_size=4)
sets = st.lists(st.tuples(amounts, st.booleans()), min_size=1, max_size=4)


@settings(
    max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow]
)
@given(sets=sets)
def test_every_claim_of_the_raw_bytes_is_accounted_for(ingested, sets):
    file = ingested(claim_sets(*(claim_set(number, *found) for number, found in enumerate(sets, 1))))
    claims = sum(len(found) for found, _ in sets)
    assert file.scan_claim_count == claims
    assert file.claim_count + file.claims_quarantined + file.claims_rejected == claims
    good = [amount for found, is_broken in sets for amount in found if not is_broken and amount in GOOD]
    assert file.claim_count == len(good)
    assert (file.status == "accepted") == (not file.reason)
