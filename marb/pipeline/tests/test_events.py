"""Progress: one look as JSON, and events until the file is finished, the time is over or nobody listens."""

import io
import json
from typing import Any

import pytest
from django.test import Client

from marb.core import slots
from marb.pipeline import events
from marb.pipeline.models import Chunk, EdiFile
from marb.pipeline.receive import receive
from marb.pipeline.run import finish_file, run_chunk, split_file, step
from marb.pipeline.tests.edi import claim_file

pytestmark = pytest.mark.django_db(transaction=True)
FILES = "/api/v1/files/"
CLAIMS = claim_file(["100", "bad"], ["3", "7"])


@pytest.fixture
def api(client: Client, biller, settings) -> Client:
    settings.EVENTS_MOST_SECONDS = 0
    client.force_login(biller)
    return client


def messages(answer: Any) -> list[dict[str, str]]:
    """The messages of a stream: their fields by name; a comment is {"": text}."""
    text = answer.getvalue().decode()
    assert text.endswith("\n\n")
    return [dict(line.split(": ", 1) for line in message.split("\n")) for message in text[:-2].split("\n\n")]


def test_progress_is_a_look_at_a_file(api, put):
    file_id = put(CLAIMS)
    split_file(file_id)
    run_chunk(Chunk.objects.filter(file_id=file_id).order_by("seq")[0].pk)
    found = api.get(f"{FILES}{file_id}/progress/").json()
    assert (found["id"], found["status"], found["chunks_done"], found["chunk_count"]) == (file_id, "running", 1, 2)


def test_a_finished_file_is_told_once_and_done(api, ingested):
    file = ingested(CLAIMS)
    retry, progress, done = messages(api.get(f"{FILES}{file.pk}/events/"))
    assert int(retry["retry"]) > 0
    assert (progress["event"], done["event"]) == ("progress", "done")
    told = json.loads(progress["data"])["files"]
    assert [(told[0]["id"], told[0]["status"], told[0]["percent"])] == [(file.pk, "partial", 100)]


def test_the_belt_is_told_step_by_step(put, settings, monkeypatch):
    settings.EVENTS_SECONDS = 0
    file_id = put(CLAIMS)
    monkeypatch.setattr(events.time, "sleep", lambda _: step([file_id]))
    told = [message for message in events.tell(lambda: [file_id], "", 30) if message.startswith(b"event: progress")]
    looks = [json.loads(message.split(b"data: ")[1])["files"][0] for message in told]
    assert looks[0]["status"] == "received"
    assert looks[-1]["status"] == "partial"
    assert [look["percent"] for look in looks] == sorted(look["percent"] for look in looks)
    assert len(looks) >= 4


def test_what_is_known_already_is_not_told_again(api, put):
    file_id = put(CLAIMS)
    address = f"{FILES}{file_id}/events/"
    first = messages(api.get(address))[1]
    heard = {"Last-Event-ID": first["id"]}
    assert messages(api.get(address, headers=heard))[1:] == [{"": "nothing new"}]
    split_file(file_id)
    assert messages(api.get(address, headers=heard))[1]["event"] == "progress"


def test_every_unfinished_file_is_in_one_message(api, put, ingested):
    ingested(claim_file(["1"]))
    waiting = [put(CLAIMS), put(claim_file(["2"]))]
    found = messages(api.get(f"{FILES}events/"))
    assert [row["id"] for row in json.loads(found[1]["data"])["files"]] == waiting


def test_nothing_is_told_of_another_practices_files(api, put, other_practice):
    mine = put(CLAIMS)
    theirs = receive(practice_id=other_practice.pk, name="theirs.837", stream=io.BytesIO(CLAIMS)).file_id
    found = messages(api.get(f"{FILES}events/"))
    assert [row["id"] for row in json.loads(found[1]["data"])["files"]] == [mine]
    assert api.get(f"{FILES}{theirs}/events/").status_code == 404


def test_the_end_of_a_file_is_told_to_those_who_watch_all(put, settings, monkeypatch, biller):
    from marb.pipeline.api import Unfinished

    file_id = put(CLAIMS)
    watched = Unfinished(EdiFile.objects.for_user(biller))
    assert watched.find() == [file_id]
    while step([file_id]):
        pass
    finish_file(file_id)
    assert watched.find() == [file_id]
    assert events.look_at(watched.find()).is_over


def test_a_stream_holds_no_connection_between_two_looks(put, settings, monkeypatch):
    given: list[int] = []
    monkeypatch.setattr(events, "give_back", lambda: given.append(1))
    file_id = put(CLAIMS)
    assert len(list(events.tell(lambda: [file_id], "", 0))) == 2
    assert given == [1]


def test_a_person_listens_so_many_times(api, put, settings):
    settings.STREAMS_PER_USER = 1
    file_id = put(CLAIMS)
    first = api.get(f"{FILES}{file_id}/events/")
    second = api.get(f"{FILES}{file_id}/events/")
    assert (first.status_code, second.status_code, second.json()["code"]) == (200, 429, "too_many_streams")
    first.getvalue()
    assert api.get(f"{FILES}{file_id}/events/").getvalue()
    assert slots.here.open == 0


def test_without_a_thread_to_spare_one_look_is_told(api, put, settings):
    settings.EVENTS_MOST_SECONDS = 3600
    settings.STREAMS_PER_PROCESS = 0
    found = messages(api.get(f"{FILES}{put(CLAIMS)}/events/"))
    assert [message.get("event") for message in found] == [None, "progress"]


def test_events_are_not_gathered_by_gzip_and_not_kept(api, put):
    answer = api.get(f"{FILES}{put(CLAIMS)}/events/", headers={"Accept-Encoding": "gzip"})
    assert answer.headers["Content-Type"] == "text/event-stream"
    assert "Content-Encoding" not in answer.headers
    assert "no-store" in answer.headers["Cache-Control"]
    answer.getvalue()


def test_an_error_is_json_also_for_those_who_want_events(api, put):
    answer = api.get(f"{FILES}0/events/", headers={"Accept": "text/event-stream"})
    assert (answer.status_code, answer.json()["code"]) == (404, "not_found")
    accepted = api.get(f"{FILES}{put(CLAIMS)}/events/", headers={"Accept": "text/event-stream"})
    assert accepted.status_code == 200
    accepted.getvalue()
