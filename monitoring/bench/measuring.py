"""What monitoring costs: ingest and a claim's GET, each with it on and off by turns in the same minutes.

Two turns that follow each other, one with it and one without, meet the same machine: each pair gives a ratio, whose
order alternates, and the median of the ratios is the figure, so a disturbed turn decides nothing. Processor time is
told beside it: on a machine that is busy otherwise it is the steadier of the two. The GET is
asked of the WSGI application itself, so that the web server's own share does not make the cost look smaller; the
flush, whose work is its thread's, is added by its share of MEASURE_SECONDS.
"""

import io
import os
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from statistics import median
from typing import Any

import psutil
from django.apps import apps
from django.conf import settings
from django.contrib.auth import get_user_model
from django.core.handlers.wsgi import WSGIHandler
from knox.models import AuthToken

from marb.access.models import Membership, Practice, Role
from marb.core.measure.flusher import Flusher
from marb.core.measure.process import HELD
from monitoring.bench.files import Input
from monitoring.bench.house import empty
from monitoring.bench.loading import Team, team

REQUESTS = 50
WARM_REQUESTS = 50
TURNS_OF_GET = 150
# a turn of an ingest takes seconds, and fewer pairs than these are an anecdote
LEAST_TURNS = 9
FLUSHES = 20


@contextmanager
def switched(is_on: bool) -> Iterator[None]:
    """Switch monitoring for this process and the children it starts meanwhile."""
    before, said = settings.MONITORING, os.environ.get("MONITORING")
    settings.MONITORING, os.environ["MONITORING"] = is_on, "on" if is_on else "off"
    try:
        yield
    finally:
        settings.MONITORING = before
        if said is None:
            del os.environ["MONITORING"]
        else:
            os.environ["MONITORING"] = said


RATES = ("API_RATE_MINUTE", "API_RATE_HOUR", "API_RATE_ADDRESS_MINUTE", "API_RATE_ADDRESS_HOUR")


@contextmanager
def unthrottled() -> Iterator[None]:
    """Let this process ask as often as it likes."""
    before = {name: getattr(settings, name) for name in RATES}
    try:
        for name in RATES:
            setattr(settings, name, 0)
        yield
    finally:
        for name, rate in before.items():
            setattr(settings, name, rate)


class Turns:
    """Seconds of each turn, on and off: on the wall, and of the processor."""

    def __init__(self) -> None:
        self.wall: dict[bool, list[float]] = {True: [], False: []}
        self.cpu: dict[bool, list[float]] = {True: [], False: []}

    def add(self, is_on: bool, wall: float, cpu: float) -> None:
        self.wall[is_on].append(wall)
        self.cpu[is_on].append(cpu)

    def percent(self) -> float:
        return cost(self.wall)

    def cpu_percent(self) -> float:
        return cost(self.cpu)


def cost(turns: dict[bool, list[float]]) -> float:
    """By how many percent a turn with monitoring is longer than its pair without: the median of the pairs."""
    # the system counts processor time by hundredths of a second: a turn may have none
    pairs = [on / off for on, off in zip(turns[True], turns[False], strict=True) if off]
    return 100 * (median(pairs) - 1) if pairs else 0.0


def ingest(given: Input, warm: list[Path], practice_id: int, *, jobs: int, runs: int) -> Turns:
    """Load a file by two teams in turn, one that measures and one that does not."""
    turns = Turns()
    with ExitStack() as stack:
        teams: dict[bool, Team] = {}
        for is_on in (True, False):
            with switched(is_on):
                teams[is_on] = stack.enter_context(team(practice_id, jobs, warm))
        for turn in range(max(runs, LEAST_TURNS)):
            # each kind is first as often as the other
            for is_on in (True, False) if turn % 2 else (False, True):
                empty()
                before = cpu_seconds(teams[is_on])
                load = teams[is_on].load([given.path])
                turns.add(is_on, load.seconds, cpu_seconds(teams[is_on]) - before)
    return turns


def cpu_seconds(working: Team) -> float:
    times = [psutil.Process(process.pid).cpu_times() for process in working.crew.processes]
    return sum(each.user + each.system for each in times)


def get_claim(practice_id: int) -> Turns:
    """Ask the application for one claim over and over, a stretch with monitoring and a stretch without."""
    with unthrottled():
        return take_turns(practice_id)


def take_turns(practice_id: int) -> Turns:
    turns = Turns()
    ask = {is_on: asker(practice_id, is_on) for is_on in (True, False)}
    for is_on, call in ask.items():
        with switched(is_on):
            repeat(call, WARM_REQUESTS)
    for turn in range(TURNS_OF_GET):
        for is_on in (True, False) if turn % 2 else (False, True):
            with switched(is_on):
                wall, cpu = time.perf_counter(), time.process_time()
                repeat(ask[is_on], REQUESTS)
                turns.add(is_on, time.perf_counter() - wall, time.process_time() - cpu)
    return turns


def repeat(call: Callable[[], None], times: int) -> None:
    for _ in range(times):
        call()


def asker(practice_id: int, is_on: bool) -> Callable[[], None]:
    """Make a call of the application for the first claim, by a member with a token."""
    claim = apps.get_model("claims", "Claim").objects.filter(practice_id=practice_id).earliest("id")
    with switched(is_on):
        handler = WSGIHandler()
    path, header = f"/api/v1/claims/{claim.pk}/", f"Token {make_token(practice_id)}"

    def ask() -> None:
        answered: list[str] = []
        note: Any = lambda status, headers: answered.append(status)  # noqa: E731 typed as what WSGI calls
        response: Any = handler(environ(path, header), note)
        if not answered[0].startswith("200") or not b"".join(response):
            raise AssertionError(f"the claim was answered with {answered[0]}")
        response.close()

    return ask


def make_token(practice_id: int) -> str:
    user, _ = get_user_model().objects.get_or_create(username="bench")
    Membership.objects.get_or_create(practice=Practice.objects.get(pk=practice_id), user=user, role=Role.BILLER)
    return str(AuthToken.objects.create(user)[1])


def environ(path: str, authorization: str) -> dict[str, Any]:
    body = {"wsgi.input": io.BytesIO(), "wsgi.errors": io.StringIO(), "wsgi.url_scheme": "http"}
    where = {"REQUEST_METHOD": "GET", "PATH_INFO": path, "SERVER_NAME": "localhost", "SERVER_PORT": "80"}
    return {**body, **where, "REMOTE_ADDR": "127.0.0.1", "HTTP_AUTHORIZATION": authorization}


def flush_percent() -> float:
    """The processor time of a flush, as a share of the time between two: what the thread takes from the others."""
    flusher, ledger = Flusher(), HELD.ledger
    sink, settings.MEASURE_SINK = settings.MEASURE_SINK, "monitoring.sink.keep"
    least = float("inf")
    for number in range(FLUSHES):
        # as in a process at work: a few dozen cells have changed
        for name in range(20):
            ledger.record("request", f"GET bench-{name}", 0.001 * number)
            ledger.record("sql", f"SELECT bench_{name}", 0.001 * number)
        started = time.process_time()
        flusher.flush()
        least = min(least, time.process_time() - started)
    settings.MEASURE_SINK = sink
    return 100 * least / settings.MEASURE_SECONDS
