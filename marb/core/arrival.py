"""How many web threads may wait for bodies that are still arriving, so that slow senders never hold all of them.

A WSGI server reads a body by a call that waits for as long as the sender likes, and cannot be broken off: a handful of
forms that never end would be the whole service, for strangers too. So no more than BODIES_AT_ONCE threads of a process
read bodies at the same time; whoever finds none free within PATIENCE_SECONDS is told to send again (a 408, or a page's
403). Everything without a body is answered all the while. What this does not do is end a slow sender: a proxy that
takes bodies in before it hands them on does that. Slow heads are the server's own to cut.
"""

import threading
from collections.abc import Callable, Iterable
from typing import Any

from django.conf import settings

# a thread that waits for its turn is one that answers nobody else
PATIENCE_SECONDS = 0.5

Application = Callable[[dict[str, Any], Any], Iterable[bytes]]


class Crowded(OSError):
    """Too many bodies are arriving at this moment."""


class Readers:
    """The turns of one process: who reads a body has one until the body is there, or the request over."""

    def __init__(self, most: int):
        self.turns = threading.BoundedSemaphore(most)

    def body(self, stream: Any, length: int) -> "Body":
        return Body(self, stream, length)


class Body:
    """What WSGI calls wsgi.input; reading takes a turn. `length` is what the sender declares, -1 where nothing."""

    def __init__(self, readers: Readers, stream: Any, length: int):
        self.readers, self.stream, self.left = readers, stream, length
        self.has_turn = False

    def read(self, size: int = -1) -> bytes:
        """Read as the server does. Raises Crowded."""
        return self.taken(lambda: self.stream.read(size))

    def readline(self, size: int = -1) -> bytes:
        return self.taken(lambda: self.stream.readline(size))

    def taken(self, read: Callable[[], bytes]) -> bytes:
        if self.left == 0:
            return b""
        if not self.has_turn and not self.readers.turns.acquire(timeout=PATIENCE_SECONDS):
            raise Crowded
        self.has_turn = True
        piece = read()
        self.left = max(self.left - len(piece), 0) if piece and self.left > 0 else self.left
        if not piece or self.left == 0:
            self.end()
        return piece

    def end(self) -> None:
        """Give the turn back."""
        if self.has_turn:
            self.has_turn = False
            self.readers.turns.release()


def bounded(application: Application) -> Application:
    """Wrap a WSGI application so that its bodies are read by turns."""
    readers = Readers(settings.BODIES_AT_ONCE)

    def answer(environ: dict[str, Any], start_response: Any) -> Iterable[bytes]:
        declared = environ.get("CONTENT_LENGTH", "")
        body = readers.body(environ["wsgi.input"], int(declared) if declared.isdecimal() else -1)
        environ["wsgi.input"] = body
        try:
            return application(environ, start_response)
        finally:
            body.end()

    return answer
