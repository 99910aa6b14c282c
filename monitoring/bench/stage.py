"""Where the API is measured: rows in the scratch database, a server of the bench, people with tokens."""

import random
from collections.abc import Iterator
from functools import cached_property
from io import StringIO
from itertools import cycle
from pathlib import Path
from typing import Any, NamedTuple

from django.core.management import call_command

from claims.models import Claim
from episodes.models import Episode
from marb.pipeline.models import EdiFile
from monitoring.bench import held
from monitoring.bench.files import write_bodies, write_pair
from monitoring.bench.people import create_people, create_session
from monitoring.bench.server import Server
from monitoring.traffic.connection import Address, write_request
from monitoring.traffic.drive import Run, Shot, drive_closed
from monitoring.traffic.mix import Known, requests_of
from monitoring.traffic.person import Headers, NotAnswered
from remits.models import Remittance

FILE_CLAIMS = 5_000
SMALL_CLAIMS = 6
# the newest ids, the first of which are the hottest
KNOWN = 20_000
LISTS: dict[str, Any] = {"claims": Claim, "remits": Remittance, "episodes": Episode, "files": EdiFile}
X12 = {"Content-Type": "application/edi-x12"}
MOST_SECONDS = 300.0


class Scope(NamedTuple):
    """What is asked of one bench: claims at first and for depth, how many runs, and the mix's rate and seconds."""

    folder: Path
    practice_id: int
    claims: int
    held: int
    runs: int
    rate: int
    seconds: int


class Stage:
    """A server, who asks it, and for what."""

    def __init__(self, scope: Scope, server: Server, people: list[Headers], bodies: Iterator[bytes]):
        self.scope = scope
        self.server = server
        self.people = people
        self.known = read_known()
        self.bodies = bodies

    @property
    def address(self) -> Address:
        return self.server.address

    @cached_property
    def session(self) -> Headers:
        return create_session(self.address, self.scope.practice_id)

    def gets(self, paths: list[str], headers: Headers | None = None) -> list[Shot]:
        """GETs of paths, from the people in turns, or with these headers."""
        who = cycle(self.people if headers is None else [headers])
        return [Shot(path, write_request(self.address, path, next(who))) for path in paths]

    def post(self, path: str, body: bytes, who: Headers) -> Shot:
        return Shot(path, write_request(self.address, path, {**who, **X12}, method="POST", body=body))

    def single(self, shots: list[Shot]) -> list[float]:
        """Make requests one after the other; their seconds in that order. Raises NotAnswered."""
        run = drive_closed(self.address, iter(shots), 1, seconds=MOST_SECONDS)
        return [outcome.seconds for outcome in answered(run).outcomes]

    def mixed(self, seed: int) -> Iterator[Shot]:
        """The realistic mix without end, uploads too, from all the people."""
        chance = random.Random(seed)
        for asked, path in requests_of(self.known, chance, uploads=True):
            who = chance.choice(self.people)
            if asked.method == "POST":
                yield self.post(path, next(self.bodies), who)._replace(name=asked.name)
            else:
                yield Shot(asked.name, write_request(self.address, path, who))


def answered(run: Run) -> Run:
    """The run, if nothing failed. Raises NotAnswered: a figure of errors is none."""
    failed = [outcome for outcome in run.outcomes if outcome.is_error]
    if failed:
        first = failed[0]
        raise NotAnswered(f"{len(failed)} of {len(run.outcomes)} requests failed: {first.status} {first.error}".strip())
    return run


def write_small(scope: Scope) -> Iterator[bytes]:
    """Small files to upload, each of them new to the bench's practice."""
    return write_bodies(scope.folder, SMALL_CLAIMS)


def furnish(scope: Scope) -> list[Headers]:
    """Take in a file and its remittances, multiply the claims to as many as asked, create people."""
    for given in write_pair(scope.folder, min(scope.claims, FILE_CLAIMS)):
        call_command("ingest", str(given.path), practice="bench", json=True, stdout=StringIO())
    held.hold(scope.claims)
    return create_people(scope.practice_id)


def read_known() -> Known:
    """The newest ids of each list, and the control numbers of the newest claims."""
    newest: dict[str, Any] = {
        kind: list(model.objects.order_by("-id").values_list("id", flat=True)[:KNOWN]) for kind, model in LISTS.items()
    }
    numbers = Claim.objects.order_by("-id").values_list("patient_control_number", flat=True)[:KNOWN]
    return Known({**newest, "control_numbers": list(numbers)})
