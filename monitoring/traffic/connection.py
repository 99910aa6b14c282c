"""One HTTP/1.1 connection of asyncio, as light as measuring beside the server asks for: 40 µs of CPU per request.

(gevent's client takes 100, which on two cores would be measured with the server.) Reads bodies by Content-Length or in
chunks, keeps the connection, makes it anew when the server has closed it. It does not follow redirects, unpack, or
pipeline; a body is held whole, so it is not for exports.
"""

import asyncio
import re
import ssl
from typing import NamedTuple
from urllib.parse import urlsplit

HEAD_END = b"\r\n\r\n"
LENGTH = re.compile(rb"\r\ncontent-length: *(\d+)", re.IGNORECASE)
CHUNKED = re.compile(rb"\r\ntransfer-encoding: *chunked", re.IGNORECASE)
CLOSES = re.compile(rb"\r\nconnection: *close", re.IGNORECASE)
NO_BODY = (204, 304)


class Address(NamedTuple):
    """Where the server listens."""

    host: str
    port: int
    is_tls: bool = False

    @property
    def name(self) -> str:
        """The Host header: an IPv6 address in brackets, a port that is the scheme's own left out."""
        host = f"[{self.host}]" if ":" in self.host else self.host
        return host if self.port == (443 if self.is_tls else 80) else f"{host}:{self.port}"


def read_address(url: str) -> Address:
    """Read http://host:port. Raises ValueError where there is no host, or another scheme."""
    parts = urlsplit(url if "//" in url else f"http://{url}")
    if parts.scheme not in ("http", "https") or not parts.hostname:
        raise ValueError(f"{url} is no address such as http://localhost:8000.")
    is_tls = parts.scheme == "https"
    return Address(parts.hostname, parts.port or (443 if is_tls else 80), is_tls)


def write_request(
    address: Address, path: str, headers: dict[str, str], *, method: str = "GET", body: bytes = b""
) -> bytes:
    """Write a request as the bytes that are sent. Raises ValueError for a line break in path or headers."""
    length = {"Content-Length": str(len(body))} if body or method not in ("GET", "HEAD") else {}
    lines = [f"{method} {path} HTTP/1.1", f"Host: {address.name}"]
    lines += [f"{name}: {value}" for name, value in {**headers, **length}.items()]
    if any("\r" in line or "\n" in line for line in lines) or " " in path:
        raise ValueError("A path or header with a line break or a space.")
    return "\r\n".join([*lines, "", ""]).encode() + body


class Answer(NamedTuple):
    """An answer as it came: `head` is the status line and the headers."""

    status: int
    head: bytes
    body: bytes


class Protocol(asyncio.Protocol):
    """Collects bytes until they are one whole answer."""

    def __init__(self) -> None:
        self.held = b""
        self.waiting: asyncio.Future[Answer] | None = None
        self.is_closed = False

    def data_received(self, data: bytes) -> None:
        self.held = self.held + data if self.held else data
        try:
            answer = read_answer(self.held)
        except ValueError:
            self.fail("the answer is no HTTP/1.1")
            return
        if answer is not None:
            self.held = b""
            self.is_closed = self.is_closed or CLOSES.search(answer.head) is not None
            if self.waiting is not None and not self.waiting.done():
                self.waiting.set_result(answer)

    def connection_lost(self, error: Exception | None) -> None:
        self.fail("the connection was closed")

    def fail(self, reason: str) -> None:
        self.is_closed = True
        if self.waiting is not None and not self.waiting.done():
            self.waiting.set_exception(ConnectionError(reason))


def read_answer(data: bytes) -> Answer | None:
    """Read one answer, or None where bytes are missing yet. Raises ValueError for what is no answer."""
    end = data.find(HEAD_END)
    if end < 0:
        return None
    head, rest = data[: end + 2], data[end + 4 :]
    status = int(data[9:12])
    if CHUNKED.search(head):
        body = read_chunks(rest)
        return None if body is None else Answer(status, head, body)
    found = LENGTH.search(head)
    length = int(found[1]) if found and status not in NO_BODY else 0
    return Answer(status, head, rest[:length]) if len(rest) >= length else None


def read_chunks(data: bytes) -> bytes | None:
    """Read a chunked body, or None where bytes are missing yet. Trailers are not expected."""
    at = 0
    pieces: list[bytes] = []
    while (end := data.find(b"\r\n", at)) >= 0:
        size = int(data[at:end].partition(b";")[0], 16)
        at = end + 2 + size + 2
        if len(data) < at:
            return None
        if size == 0:
            return b"".join(pieces)
        pieces.append(data[end + 2 : end + 2 + size])
    return None


class Connection:
    """Asks one thing after another; connects when first asked, and again after the server has closed."""

    def __init__(self, address: Address, patience: float):
        self.address = address
        self.patience = patience
        self.protocol: Protocol | None = None
        self.transport: asyncio.Transport | None = None

    async def ask(self, request: bytes) -> Answer:
        """Send a request and wait for its answer. Raises OSError, or TimeoutError after `patience` seconds."""
        try:
            async with asyncio.timeout(self.patience):
                protocol = await self.connect()
                protocol.waiting = asyncio.get_running_loop().create_future()
                self.transport.write(request)  # type: ignore[union-attr]
                return await protocol.waiting
        except BaseException:
            # what is still on its way must not be taken for the next answer
            self.close()
            raise

    async def connect(self) -> Protocol:
        if self.protocol is not None and not self.protocol.is_closed:
            return self.protocol
        self.close()
        context = ssl.create_default_context() if self.address.is_tls else None
        loop = asyncio.get_running_loop()
        self.transport, self.protocol = await loop.create_connection(
            Protocol, self.address.host, self.address.port, ssl=context
        )
        return self.protocol

    def close(self) -> None:
        if self.transport is not None:
            self.transport.close()
        self.protocol = self.transport = None
