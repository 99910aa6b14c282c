"""The product's web server, as `manage.py up` starts it, with a broker and a cache of its own, under a supervisor.

So nothing of the bench reaches the product's cache or workers, and whatever ends the bench ends them too. The database
is the scratch database of monitoring.bench.house. No worker runs: what is uploaded is received, and stays.
"""

import socket
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import NamedTuple

from django.conf import settings

from marb.core.embedded import addresses, product, valkey
from marb.core.embedded.program import NotStarted
from marb.core.embedded.supervisor import Supervisor
from monitoring.traffic.connection import Address

SETTINGS = "monitoring.bench.settings"
# what is counted is measured too, but no limit is to be reached here
UNLIMITED = dict.fromkeys(
    ("API_RATE_MINUTE", "API_RATE_HOUR", "API_RATE_ADDRESS_MINUTE", "API_RATE_ADDRESS_HOUR"), "1000000"
)


class Server(NamedTuple):
    """Where it listens, the process id of the server, and its cache."""

    address: Address
    pid: int
    cache_url: str


@contextmanager
def serving(folder: Path, *, counting: bool = False) -> Iterator[Server]:
    """Start broker, cache and one web worker, wait until they answer, end them. Raises NotStarted.

    `folder` must be this server's alone. With `counting` it tells what requests cost, and is slower for it.
    """
    folder.mkdir(mode=0o700)
    addresses.make(folder)
    found = addresses.settle(folder)
    with Supervisor(folder, ignore) as supervisor:
        for kind, url in (("broker", found.broker_url), ("cache", found.cache_url)):
            program = valkey.program(folder, kind, url)
            running = supervisor.start(program)
            valkey.wait_ready(program, url, lambda running=running: running.process.poll() is None)  # type: ignore[misc]
        environ = {"BROKER_URL": found.broker_url, "CACHE_URL": found.cache_url, "SECRET_KEY": settings.SECRET_KEY}
        port, claim = product.claim_port(None)
        own = {"DJANGO_SETTINGS_MODULE": SETTINGS, "BENCH_COUNT": "on" if counting else "off", **UNLIMITED}
        web = product.web(settings.BASE_DIR, folder, {**environ, **own, "MARB_VAR": str(folder)}, port)
        pid = supervisor.start(web).process.pid
        if not product.wait_web(port, supervisor.watch):
            raise NotStarted(web)
        try:
            yield Server(Address(addresses.LOOPBACK, port), pid, found.cache_url)
        finally:
            release(claim)


def release(claim: socket.socket | None) -> None:
    if claim is not None:
        claim.close()


def ignore(text: str) -> None:
    """What the supervisor tells of restarts shows in the figures as failed requests."""
