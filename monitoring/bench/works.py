"""What can be measured, by name: each takes a Bench and answers its figures. Targets are those of the project."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import cached_property
from pathlib import Path
from statistics import median
from typing import Any

from django.core.management import CommandError

from monitoring.bench import agreeing, bare, denial, held, keyfigures, linking, measuring, reading
from monitoring.bench import api as outside
from monitoring.bench.figures import Figure, Target, rate
from monitoring.bench.files import Input, Pair, write_large, write_pair, write_professional
from monitoring.bench.house import empty
from monitoring.bench.loading import Load, Team, team
from monitoring.bench.stage import Scope
from monitoring.traffic.person import NotAnswered

WARM_CLAIMS = 4_000
WARM_SEED = 99
FILES_AT_ONCE = 10
MEGABYTE = 10**6


class Bench:
    """One call of the command: where the files lie, whose rows they are, how many and how often."""

    def __init__(self, folder: Path, practice_id: int, options: dict[str, Any]):
        self.folder = folder
        self.practice_id = practice_id
        self.claims: int = options["claims"]
        self.runs: int = options["runs"]
        self.jobs: int = options["jobs"]
        self.held: int = options["held"]
        self.sizes: list[int] = options["sizes"]
        self.rate: int = options["rate"]
        self.seconds: int = options["seconds"]

    @cached_property
    def pair(self) -> Pair:
        return write_pair(self.folder, self.claims)

    @cached_property
    def professional(self) -> Input:
        return write_professional(self.folder, self.claims)

    @cached_property
    def warm(self) -> Pair:
        return write_pair(self.folder, WARM_CLAIMS, WARM_SEED)

    @contextmanager
    def team(self, jobs: int | None = None) -> Iterator[Team]:
        with team(self.practice_id, jobs or self.jobs, [given.path for given in self.warm]) as ready:
            yield ready

    def load(self, ready: Team, paths: list[Path]) -> Load:
        empty()
        return ready.load(paths)


def parse(bench: Bench) -> list[Figure]:
    return [reading.measure_claims(bench.professional, bench.practice_id, bench.runs)]


def parse835(bench: Bench) -> list[Figure]:
    return [reading.measure_remittances(bench.pair.remittances, bench.practice_id, bench.runs)]


def price(bench: Bench) -> list[Figure]:
    return [reading.measure_prices(bench.professional, bench.practice_id, bench.runs)]


def load(bench: Bench) -> list[Figure]:
    target = Target(12_000, "claims/s")
    return compare(bench, "load", "file of claims to committed rows", bench.pair.claims, bare.CLAIMS, target)


def remits(bench: Bench) -> list[Figure]:
    target = Target(10_000, "remittances/s")
    given = bench.pair.remittances
    return compare(bench, "remits", "file of remittances to committed rows", given, bare.REMITTANCES, target)


def compare(
    bench: Bench, name: str, work: str, given: Input, tables: tuple[tuple[str, str], ...], target: Target
) -> list[Figure]:
    """Load a file `runs` times, and COPY its rows as often in the same minutes: the rate, and the share of the bare."""
    with bench.team() as ready:
        loads = [bench.load(ready, [given.path]) for _ in range(bench.runs)]
        halves = bare.export(bench.folder, tables)
        copies = [bare.copy(halves) for _ in range(bench.runs)]
        with bare.every_foreign_key(halves):
            checked = [bare.copy(halves) for _ in range(bench.runs)]
    seconds = [each.seconds for each in loads]
    details = {
        "lines": given.lines,
        "megabytes": given.bytes // MEGABYTE,
        "processes": bench.jobs,
        "seconds_received": round(median(each.received for each in loads), 2),
        "seconds_until_split": round(median(each.split for each in loads), 2),
        "worker_megabytes": round(max(each.most_megabytes for each in loads)),
    }
    share = median(copies) / median(seconds)
    return [
        Figure(name, work, given.total, seconds, rate(given.total, seconds), target, details),
        Figure(
            "copy",
            f"`{name}` as a share of a bare two-connection COPY of its rows",
            given.total,
            copies,
            share,
            Target(0.5, "of bare"),
            {
                "bare_per_second": round(rate(given.total, copies)),
                "share_where_the_bare_checks_every_foreign_key": round(median(checked) / median(seconds), 2),
            },
        ),
    ]


def link(bench: Bench) -> list[Figure]:
    with bench.team() as ready:
        return [linking.measure(ready, bench.pair, bench.runs)]


def second(bench: Bench) -> list[Figure]:
    """Load into empty tables, then other claims of the same number into tables that hold many."""
    others = [write_pair(bench.folder, bench.claims, seed).claims for seed in range(2, bench.runs + 2)]
    with bench.team() as ready:
        first = [bench.load(ready, [bench.pair.claims.path]).seconds for _ in range(bench.runs)]
        there = held.hold(bench.held)
        later = [ready.load([other.path]).seconds for other in others]
    ratio = median(later) / median(first)
    details = {"held": there, "seconds_into_empty": [round(value, 2) for value in first]}
    target = Target(1.2, "times the first", at_most=True)
    return [Figure("second", "as many claims into tables that hold many", bench.claims, later, ratio, target, details)]


def memory(bench: Bench) -> list[Figure]:
    """The most memory of one worker that loads a file of each size alone."""
    found = []
    for size in bench.sizes:
        given = write_large(bench.folder, size * MEGABYTE)
        with bench.team(jobs=1) as ready:
            run = bench.load(ready, [given.path])
        given.path.unlink()
        work, target = f"peak memory of a worker, file of {size} MB", Target(256, "MB", at_most=True)
        found.append(Figure("memory", work, given.total, [run.seconds], run.most_megabytes, target))
    return found


def together(bench: Bench) -> list[Figure]:
    """Ten files at once against one file of as many claims, each to its end: linked and settled too."""
    each = max(1, bench.claims // FILES_AT_ONCE)
    files = [write_pair(bench.folder, each, seed).claims for seed in range(101, 101 + FILES_AT_ONCE)]
    with bench.team() as ready:
        one = [bench.load(ready, [bench.pair.claims.path]).finished for _ in range(bench.runs)]
        ten = [bench.load(ready, [given.path for given in files]).finished for _ in range(bench.runs)]
    count = sum(given.total for given in files)
    share = rate(count, ten) / rate(bench.claims, one)
    details = {"claims_per_second_of_one": round(rate(bench.claims, one))}
    return [Figure("together", "ten files at once", count, ten, share, Target(1, "of one's rate"), details)]


def api(bench: Bench) -> list[Figure]:
    """The API under the product's web server, beside a constant view and plain Django REST framework."""
    scope = Scope(bench.folder, bench.practice_id, bench.claims, bench.held, bench.runs, bench.rate, bench.seconds)
    try:
        return outside.measure(scope)
    except NotAnswered as error:
        raise CommandError(str(error)) from error


def monitoring(bench: Bench) -> list[Figure]:
    """What monitoring costs an ingest, and the GET of one claim."""
    warm = [given.path for given in bench.warm]
    given = bench.professional
    loads = measuring.ingest(given, warm, bench.practice_id, jobs=bench.jobs, runs=bench.runs)
    with bench.team(jobs=1) as ready:
        bench.load(ready, [bench.warm.claims.path])
        gets, flush = measuring.get_claim(bench.practice_id), measuring.flush_percent()
    ingest_details: dict[str, Any] = {
        "seconds_off": [round(value, 2) for value in loads.wall[False]],
        "percent_of_processor_time": round(loads.cpu_percent(), 2),
    }
    get_details: dict[str, Any] = {
        "microseconds_on": round(1e6 * median(gets.wall[True]) / measuring.REQUESTS),
        "microseconds_off": round(1e6 * median(gets.wall[False]) / measuring.REQUESTS),
        "percent_of_processor_time": round(gets.cpu_percent() + flush, 2),
        "flush_percent": round(flush, 2),
    }
    return [
        Figure(
            "monitoring",
            "monitoring's share of an ingest",
            given.total,
            loads.wall[True],
            loads.percent(),
            Target(3, "%", at_most=True),
            ingest_details,
        ),
        Figure(
            "monitoring",
            "monitoring's share of the GET of a claim",
            measuring.REQUESTS,
            gets.wall[True],
            gets.percent() + flush,
            Target(5, "%", at_most=True),
            get_details,
        ),
    ]


def agree(bench: Bench) -> list[Figure]:
    """Whether the measures are what the load generator, and the rows, say."""
    found = agreeing.measure_requests(bench.folder / "agree")
    with bench.team(jobs=1) as ready:
        empty()
        tell = agreeing.measure_claims(ready, bench.professional)
        ready.crew.close()
        return found + tell()


def kpis(bench: Bench) -> list[Figure]:
    """The key figures of a practice of many lines, from their sums."""
    return [keyfigures.measure(bench.practice_id, bench.runs)]


def risk(bench: Bench) -> list[Figure]:
    """Risk of denial on a sample with planted causes: training, scores, a what-if, patterns."""
    paths = denial.write_files(bench.folder, bench.claims)
    with bench.team() as ready:
        return list(denial.measure(ready, paths, bench.runs))


WORKS: dict[str, Callable[[Bench], list[Figure]]] = {
    "parse": parse,
    "parse835": parse835,
    "price": price,
    "load": load,
    "remits": remits,
    "link": link,
    "together": together,
    "memory": memory,
    "second": second,
    "api": api,
    "monitoring": monitoring,
    "agree": agree,
    "kpis": kpis,
    "risk": risk,
}
# `copy` is measured in the same minutes as what it is compared with
ALIASES = {"copy": ["load"], "all": list(WORKS)}
