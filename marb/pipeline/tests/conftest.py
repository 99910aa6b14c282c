"""The tests' own stages, and a way to put bytes on the belt."""

import io
import os
from collections.abc import Callable

import pytest
from django.db import connection

from marb.pipeline.models import EdiFile
from marb.pipeline.receive import receive
from marb.pipeline.run import step

STAGES = "marb.pipeline.tests.stages"


@pytest.fixture(autouse=True)
def own_stages(settings) -> None:
    chunk = [f"{STAGES}.load_chunk"]
    settings.EDI_CHUNK_CLAIMS = 2
    settings.PIPELINE = {"837": chunk, "835": chunk, "file": [f"{STAGES}.settle_file"], "kept": []}


@pytest.fixture
def put(practice) -> Callable[..., int]:
    """Receive bytes into the practice; answers the file's id."""

    def put(data: bytes, name: str = "claims.837") -> int:
        return receive(practice_id=practice.pk, name=name, stream=io.BytesIO(data)).file_id

    return put


@pytest.fixture
def ingested(put) -> Callable[..., EdiFile]:
    """Receive bytes and run the belt until nothing waits; answers the file."""

    def ingested(data: bytes, name: str = "claims.837") -> EdiFile:
        file_id = put(data, name)
        while step([file_id]):
            pass
        return EdiFile.objects.get(pk=file_id)

    return ingested


@pytest.fixture
def own_process(monkeypatch, db) -> None:
    """Give processes that the test starts the test's database and the belt's own stages."""
    base = os.environ["DATABASE_URL"].rpartition("/")[0]
    monkeypatch.setenv("DATABASE_URL", f"{base}/{connection.settings_dict['NAME']}")
    monkeypatch.setenv("DJANGO_SETTINGS_MODULE", "marb.pipeline.tests.belt_settings")
