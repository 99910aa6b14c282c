"""Receiving: once per practice and content, whole, named safely, refused with a sentence."""

import gzip
import hashlib
import io
import threading

import pytest
from django.db import connection
from hypothesis import given
from hypothesis import strategies as st

from marb.access.models import Practice
from marb.pipeline.models import EdiFile, FileBlock
from marb.pipeline.reading import BLOCK_BYTES, read, read_blocks
from marb.pipeline.receive import NotReceived, blocks, clean_name, receive
from marb.pipeline.tests.edi import claim_file


def take(practice: Practice, data: bytes, name: str = "claims.837"):
    return receive(practice_id=practice.pk, name=name, stream=io.BytesIO(data))


def stored(file_id: int) -> bytes:
    return b"".join(read_blocks(file_id))


def test_the_bytes_come_back_as_they_were(practice):
    data = claim_file(["1"]) * 9000
    received = take(practice, data)
    file = EdiFile.objects.get(pk=received.file_id)
    assert received.is_new
    assert stored(file.pk) == data
    assert (file.byte_count, file.sha256, file.status) == (len(data), hashlib.sha256(data).hexdigest(), "received")
    assert FileBlock.objects.filter(file=file).count() == -(-len(data) // BLOCK_BYTES) > 2


@pytest.mark.parametrize(
    ("start", "end"), [(0, 10), (BLOCK_BYTES - 5, BLOCK_BYTES + 5), (BLOCK_BYTES, BLOCK_BYTES + 1)]
)
def test_any_stretch_can_be_read(practice, start, end):
    data = claim_file(["1"]) * 4000
    file_id = take(practice, data).file_id
    assert read(file_id, start, end) == data[start:end]
    assert read(file_id, start, len(data)) == data[start:]


@given(pieces=st.lists(st.binary(max_size=2 * BLOCK_BYTES), max_size=4))
def test_blocks_are_whole_but_for_the_last(pieces):
    found = list(blocks(iter(pieces)))
    assert b"".join(found) == b"".join(pieces)
    assert all(len(block) == BLOCK_BYTES for block in found[:-1])
    assert all(found)


def test_the_same_bytes_again_answer_the_first_file(practice):
    first, second = take(practice, claim_file(["1"])), take(practice, claim_file(["1"]), "other name")
    assert (second.file_id, second.is_new) == (first.file_id, False)
    assert EdiFile.objects.get().name == "claims.837"


def test_the_same_bytes_as_gzip_are_the_same_file(practice):
    first, second = take(practice, claim_file(["1"])), take(practice, gzip.compress(claim_file(["1"])))
    assert (second.file_id, second.is_new) == (first.file_id, False)


def test_another_practice_may_have_the_same_bytes(practice):
    other = Practice.objects.create(code="elm", name="Elm")
    assert take(practice, claim_file(["1"])).file_id != take(other, claim_file(["1"])).file_id


@pytest.mark.django_db(transaction=True)
def test_eight_at_once_with_the_same_bytes_make_one_file(practice):
    data, answers, gate = claim_file(["1"]) * 3000, [], threading.Barrier(8)

    def client() -> None:
        gate.wait()
        answers.append(take(practice, data))
        connection.close()

    clients = [threading.Thread(target=client) for _ in range(8)]
    for thread in clients:
        thread.start()
    for thread in clients:
        thread.join()
    assert len({answer.file_id for answer in answers}) == 1
    assert sum(answer.is_new for answer in answers) == 1
    assert stored(EdiFile.objects.get().pk) == data
    assert FileBlock.objects.count() == -(-len(data) // BLOCK_BYTES)


@pytest.mark.parametrize("data", [b"", b"%PDF-1.7 and so on", b"Dear sirs, enclosed you find our claims."])
def test_what_is_not_x12_is_kept_as_refused_with_a_sentence(practice, data):
    received = take(practice, data)
    file = EdiFile.objects.get(pk=received.file_id)
    assert (file.status, bool(file.reason), file.finished_at is not None) == ("refused", True, True)
    assert stored(file.pk) == data


def test_a_file_larger_than_allowed_leaves_nothing(practice, settings):
    settings.EDI_MOST_BYTES = 100
    with pytest.raises(NotReceived) as refusal:
        take(practice, claim_file(["1"]))
    assert refusal.value.status_code == 413
    assert not EdiFile.objects.exists()


PACKED = gzip.compress(claim_file(["1"]))


@pytest.mark.parametrize(
    ("data", "status_code", "word"),
    [
        (PACKED[:-9], 422, "cut off"),
        (PACKED[:-5] + b"\x00" + PACKED[-4:], 422, "damaged"),
        (PACKED + b"tail", 422, "other bytes"),
        (gzip.compress(bytes(80 * BLOCK_BYTES)), 413, "100 times"),
    ],
)
def test_a_bad_gzip_is_refused_and_leaves_nothing(practice, data, status_code, word):
    with pytest.raises(NotReceived) as refusal:
        take(practice, data)
    assert (refusal.value.status_code, word in refusal.value.sentence) == (status_code, True)
    assert not FileBlock.objects.exists()


@pytest.mark.parametrize(
    ("sent", "kept"),
    [
        ("../../etc/passwd", "passwd"),
        ("C:\\claims\\march.837", "march.837"),
        ("a\x00b\nc\u202etxt.837", "abctxt.837"),
        ("", "unnamed"),
        ("...", "..."),
        ("x" * 300, "x" * 255),
    ],
)
def test_a_name_is_text_only(sent, kept):
    assert clean_name(sent) == kept
