"""Reading an answer from the cache, and filling it once where many ask.

The stamps are read before the rows. One reader holds the lease of a key and fills; the others of its process wait for
it, those of other processes look again, and none waits longer than the lease: a filler that died costs two seconds. A
lease is void as soon as the entry is forgotten, or a stamp has changed: what was filled under it is answered to the
one who asked, and not kept. An entry past its time is answered while one reader fills it anew; one whose stamps have
changed never is.
"""

import secrets
import threading
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple

from marb.core.cache import statistics
from marb.core.cache.entries import MOST_BYTES, Entry, make_entry, read_entry, write_entry
from marb.core.cache.keys import EVERYBODY, Wanted, stamp_key
from marb.core.cache.kinds import GRACE_SECONDS, is_trusted, lifetime
from marb.core.cache.memory import MEMORY
from marb.core.cache.scripts import KEEP, LEASE, PENDING_BYTE, STAMP_SECONDS, new_stamp
from marb.core.cache.server import Script, ask, send

LEASE_SECONDS = 2.0
LOOK_AGAIN_SECONDS = 0.02


class Answer(NamedTuple):
    """What is to be sent: `body` None where there is no such row."""

    body: bytes | None
    etag: str
    practice_id: int
    is_hit: bool


class Reading(NamedTuple):
    """What the cache said of one thing that was asked for. Stamps are None where one is pending or unknown."""

    wanted: Wanted
    entry: Entry | None
    stamps: str | None
    missing_stamps: str | None


class Filled(NamedTuple):
    """What a fill came to: the bytes, and the practice of the row (EVERYBODY where it is not one row)."""

    body: bytes | None
    practice_id: int = EVERYBODY


class Kept(NamedTuple):
    """An entry that is to be kept, for so many seconds."""

    wanted: Wanted
    entry: Entry
    seconds: float


@dataclass(slots=True)
class Errand:
    """What a reader has the server do in the same trip: a script (scripts.with_names) about one key, with values.

    `reply` is what it answered; None until then, and where the server could not be asked.
    """

    script: Script
    key: str
    values: Sequence[Any]
    reply: Any = None

    def run(self, client: Any, names: Sequence[str]) -> list[bytes | None]:
        self.reply, found = self.script.run(client, [self.key, *names], self.values)
        return list(found)


Fill = Callable[[], Filled]
# the ids that the cache has not, and what each comes to
FillMany = Callable[[Sequence[int]], Mapping[int, Filled]]


def read_hits(choices: Sequence[Wanted], errand: Errand | None = None) -> Answer | None:
    """Answer from the cache alone, in one round trip: the row in the first of the choices that has it, else None.

    Several choices are one row as each of a person's practices would have it: it is not there where all say so. An
    errand is run in that same trip, whatever is found.
    """
    return choose(read(choices, errand=errand))


def fetch(choices: Sequence[Wanted], fill: Fill, errand: Errand | None = None) -> Answer:
    """Answer from the cache, else by `fill`, which one reader at a time runs for a key.

    An errand is run in the first trip, whatever is found, and is done when `fill` is called.
    """
    deadline = time.monotonic() + LEASE_SECONDS
    while True:
        readings, errand = read(choices, repair=True, errand=errand), None
        found = choose(readings)
        if found is not None and not is_due(readings):
            return found
        flight = Flight(readings)
        if flight.is_first() or (found is None and time.monotonic() >= deadline):
            return fill_in(readings, fill, flight)
        if found is not None:
            return found
        flight.wait(deadline)


def fetch_many(choices: Mapping[int, Sequence[Wanted]], fill: FillMany) -> dict[int, Answer]:
    """Answer many rows by id, from the cache where it has them, the others by one `fill`; one trip, and one to keep.

    No lease is taken: two readers of the same rows may both fill, and an entry whose stamps have changed meanwhile
    answers nobody.
    """
    readings = iter(read([wanted for each in choices.values() for wanted in each], repair=True))
    asked = {number: [next(readings) for _ in each] for number, each in choices.items()}
    found = {number: choose(each) for number, each in asked.items()}
    missing = [number for number, answer in found.items() if answer is None]
    filled = fill(missing) if missing else {}
    kept: list[Kept] = []
    for number in missing:
        statistics.count(asked[number][0].wanted, is_hit=False)
        made = entries_of(asked[number], filled[number])
        kept += made
        etag = made[0].entry.etag if made else ""
        found[number] = Answer(filled[number].body, etag, filled[number].practice_id, False)
    if kept:
        store_many(kept)
    return {number: answer for number, answer in found.items() if answer is not None}


def store_many(kept: Sequence[Kept]) -> None:
    def call(client: Any) -> bool:
        pipeline = client.pipeline(transaction=False)
        for wanted, entry, seconds in kept:
            pipeline.set(wanted.key, write_entry(entry), px=int((seconds + GRACE_SECONDS) * 1000))
        pipeline.execute()
        return True

    ask(call, False)


def read(choices: Sequence[Wanted], *, repair: bool = False, errand: Errand | None = None) -> list[Reading]:
    """Ask the cache for entries and stamps. With `repair` stamps that are not there are made, at a second trip."""
    kept = {wanted.key: MEMORY.get(wanted.key) for wanted in choices}
    if errand is None and len(choices) == 1 and is_trusted(choices[0].kind) and (entry := kept[choices[0].key]):
        return [Reading(choices[0], entry, entry.stamps, None)]
    names = [key for key, entry in kept.items() if entry is None]
    stamps = list(dict.fromkeys(key for wanted in choices for key in wanted.stamp_keys()))
    values = ask(lambda client: read_values(client, [*names, *stamps], errand), None)
    if values is None:
        return [Reading(wanted, None, None, None) for wanted in choices]
    found = dict(zip([*names, *stamps], values, strict=True))
    absent = [key for key in stamps if found[key] is None]
    if absent and repair:
        found |= make_stamps(absent)
    for key in names:
        data = found[key]
        kept[key] = read_entry(data) if data else None
        if data and kept[key] is not None:
            MEMORY.put(key, kept[key], len(data))
    return [judge(wanted, kept[wanted.key], found) for wanted in choices]


def read_values(client: Any, names: list[str], errand: Errand | None) -> list[bytes | None]:
    values: list[bytes | None] = errand.run(client, names) if errand else send(client, "MGET", *names)
    return values


def make_stamps(keys: list[str]) -> dict[str, bytes | None]:
    """Make the stamps that are not there; another reader's are taken where it was first."""

    def call(client: Any) -> list[bytes | None]:
        pipeline = client.pipeline(transaction=False)
        for key in keys:
            pipeline.set(key, new_stamp(), ex=STAMP_SECONDS, nx=True)
        pipeline.mget(keys)
        answer: list[bytes | None] = pipeline.execute()[-1]
        return answer

    nothing: list[bytes | None] = [None] * len(keys)
    return dict(zip(keys, ask(call, nothing), strict=True))


def judge(wanted: Wanted, entry: Entry | None, found: dict[str, bytes | None]) -> Reading:
    """Compare an entry with the stamps as they are now."""
    stamps = join_stamps(found, wanted.practice_ids, wanted.depends)
    missing = join_stamps(found, wanted.practice_ids, wanted.missing) if wanted.missing else None
    if entry is not None:
        now = missing if entry.body is None else stamps
        if now is None or entry.stamps != now:
            MEMORY.drop(wanted.key)
            entry = None
    return Reading(wanted, entry, stamps, missing)


def join_stamps(found: dict[str, bytes | None], practice_ids: Sequence[int], names: Sequence[str]) -> str | None:
    stamps = [found[stamp_key(each, name)] for each in practice_ids for name in names]
    if any(stamp is None or stamp.startswith(PENDING_BYTE) for stamp in stamps):
        return None
    return ",".join(stamp.decode() for stamp in stamps if stamp is not None)


def choose(readings: Sequence[Reading]) -> Answer | None:
    """Choose the answer of several readings of one row and count it; None where the cache cannot tell."""
    entries = [each.entry for each in readings]
    found = next((entry for entry in entries if entry is not None and entry.body is not None), None)
    if found is None and all(entry is not None for entry in entries) and entries:
        found = entries[0]
    if found is None:
        return None
    statistics.count(readings[0].wanted, is_hit=True)
    return Answer(found.body, found.etag, found.practice_id, True)


def is_due(readings: Sequence[Reading]) -> bool:
    return any(each.entry is not None and each.entry.is_due() for each in readings)


def fill_in(readings: Sequence[Reading], fill: Fill, flight: "Flight") -> Answer:
    """Fill, keep what may be kept, and answer."""
    statistics.count(readings[0].wanted, is_hit=False)
    try:
        filled = fill()
        entries = flight.keep(filled)
    finally:
        flight.end()
    made = entries[0] if entries else make_entry("", filled.practice_id, 0, filled.body)
    return Answer(made.body, made.etag, filled.practice_id, False)


def entries_of(readings: Sequence[Reading], filled: Filled) -> list[Kept]:
    """Make the entries of what was filled, under the stamps that stood before; none where they cannot be believed."""
    kept: list[Kept] = []
    for each in readings:
        stamps = each.missing_stamps if filled.body is None else each.stamps
        is_theirs = filled.body is None or filled.practice_id in each.wanted.practice_ids
        if stamps is None or not (is_theirs or EVERYBODY in (*each.wanted.practice_ids, filled.practice_id)):
            continue
        seconds = lifetime(each.wanted.kind, is_missing=filled.body is None)
        kept.append(Kept(each.wanted, make_entry(stamps, filled.practice_id, seconds, filled.body), seconds))
    return kept


# the fills of this process, by the key of their lease
FLIGHTS: dict[str, threading.Event] = {}
FLIGHTS_LOCK = threading.Lock()


class Flight:
    """One attempt to fill: the first of its process, and by the lease the first of all."""

    def __init__(self, readings: Sequence[Reading]):
        self.readings = readings
        self.key = f"{readings[0].wanted.key}:lease"
        self.stamps = "|".join(f"{each.stamps},{each.missing_stamps}" for each in readings)
        self.token = secrets.token_hex(6)
        self.event: threading.Event | None = None

    @property
    def can_be_kept(self) -> bool:
        return all(each.stamps is not None for each in self.readings)

    def is_first(self) -> bool:
        """Take the lease, where there is one to take. What cannot be kept is filled by everybody."""
        if not self.can_be_kept:
            return True
        with FLIGHTS_LOCK:
            if f"{self.key} {self.stamps}" in FLIGHTS:
                return False
            event = FLIGHTS[f"{self.key} {self.stamps}"] = threading.Event()
        self.event = event
        values = (self.token, self.stamps, int(LEASE_SECONDS * 1000))
        if ask(lambda client: client.eval(LEASE, 1, self.key, *values), 1):
            return True
        self.end()
        return False

    def wait(self, deadline: float) -> None:
        """Wait for the first of this process, or a moment for that of another."""
        event = FLIGHTS.get(f"{self.key} {self.stamps}")
        if event is not None:
            event.wait(max(0.0, deadline - time.monotonic()))
        else:
            time.sleep(LOOK_AGAIN_SECONDS)

    def end(self) -> None:
        """Let the others of this process go on."""
        if self.event is not None:
            with FLIGHTS_LOCK:
                FLIGHTS.pop(f"{self.key} {self.stamps}", None)
            self.event.set()
            self.event = None

    def keep(self, filled: Filled) -> list[Entry]:
        """Keep what was filled under the stamps that stood before. Answers the entries that were made."""
        kept = entries_of(self.readings, filled)
        if kept and len(filled.body or b"") <= MOST_BYTES:
            self.store(kept)
        return [each.entry for each in kept]

    def store(self, kept: list[Kept]) -> None:
        keys = [wanted.key for wanted, _, _ in kept]
        values: list[bytes | int] = []
        for _, entry, seconds in kept:
            values += [write_entry(entry), int((seconds + GRACE_SECONDS) * 1000)]
        held = f"{self.token} {self.stamps}"
        if ask(lambda client: client.eval(KEEP, len(keys) + 1, self.key, *keys, held, *values), 0):
            for wanted, entry, _ in kept:
                MEMORY.put(wanted.key, entry, len(entry.body or b""))
