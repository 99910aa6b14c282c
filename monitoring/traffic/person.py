"""A person at the API: a token for her name and password, and the ids that her lists show.

Name and password, or a token, come by MARB_USER and MARB_PASSWORD, or MARB_TOKEN: a command line is seen by everybody
on the machine. A token that was asked for here is given back at the end.
"""

import asyncio
import json
import os
from base64 import b64encode
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from urllib.parse import urlencode

from monitoring.traffic.connection import Address, Answer, Connection, write_request
from monitoring.traffic.mix import API, KINDS, Known

PATIENCE_SECONDS = 30.0
SHOWN = 1000
HINT = "set MARB_USER and MARB_PASSWORD, or MARB_TOKEN"
Headers = dict[str, str]


class NotAnswered(Exception):
    """The server did not answer as it must before anything can be measured; the message says what to do."""


def ask(address: Address, path: str, headers: Headers, method: str = "GET", body: bytes = b"") -> Answer:
    """Make one request. Raises NotAnswered where nobody answers."""
    try:
        return asyncio.run(ask_once(address, write_request(address, path, headers, method=method, body=body)))
    except (OSError, TimeoutError) as error:
        raise NotAnswered(f"Nobody answers at {address.name}: {type(error).__name__}.") from error


async def ask_once(address: Address, request: bytes) -> Answer:
    connection = Connection(address, PATIENCE_SECONDS)
    try:
        return await connection.ask(request)
    finally:
        connection.close()


def write_form(address: Address, path: str, headers: Headers, form: Mapping[str, str]) -> Answer:
    """Send a form. Raises NotAnswered."""
    kind = {"Content-Type": "application/x-www-form-urlencoded"}
    return ask(address, path, {**headers, **kind}, "POST", urlencode(form).encode())


def log_in(address: Address, name: str, password: str) -> str:
    """Get a token. Raises NotAnswered."""
    basic = b64encode(f"{name}:{password}".encode()).decode()
    answer = ask(address, f"{API}/auth/login/", {"Authorization": f"Basic {basic}"}, "POST")
    if answer.status != 200:
        raise NotAnswered(f"The login answered {answer.status}; {HINT}.")
    return str(json.loads(answer.body)["token"])


def authorize(token: str) -> Headers:
    return {"Authorization": f"Token {token}"} if token else {}


@contextmanager
def signed_in(address: Address) -> Iterator[Headers]:
    """Yield the headers of whoever the environment names: none where it names nobody."""
    lent, name = os.environ.get("MARB_TOKEN", ""), os.environ.get("MARB_USER", "")
    if lent or not name:
        yield authorize(lent)
        return
    headers = authorize(log_in(address, name, os.environ.get("MARB_PASSWORD", "")))
    try:
        yield headers
    finally:
        ask(address, f"{API}/auth/logout/", headers, "POST")


def discover(address: Address, headers: Headers) -> Known:
    """Read the first page of each list, for ids to open. Raises NotAnswered."""
    known = Known()
    for kind in KINDS:
        answer = ask(address, f"{API}/{kind}/?limit={SHOWN}", headers)
        if answer.status != 200:
            raise NotAnswered(f"The list of {kind} answered {answer.status}; {HINT}.")
        known.note(kind, json.loads(answer.body)["results"])
    return known
