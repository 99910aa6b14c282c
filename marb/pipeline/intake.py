"""Taking in an upload: receive the bytes, ring for the file. What the API and the admin page call."""

from collections.abc import Iterable
from typing import IO

from marb.pipeline.actors import ring_file
from marb.pipeline.models import FINISHED
from marb.pipeline.receive import Received, receive


def take_in(
    *, practice_id: int, name: str, stream: IO[bytes] | Iterable[bytes], user_id: int | None = None
) -> Received:
    """Keep an upload and put it on the belt. Raises marb.pipeline.receive.NotReceived."""
    received = receive(practice_id=practice_id, name=name, stream=stream, user_id=user_id)
    if received.status not in FINISHED:
        ring_file(received.file_id)
    return received
