"""Answers one by one: a cached claim as a share of a constant view, lists, depth, writing, the dashboard.

What is compared is measured in turns, over the same connections, in the same run; the generator's CPU stands beside
it, because it shares the cores. Seconds of one answer are those of one connection.
"""

from itertools import cycle, islice
from statistics import median
from typing import Any, NamedTuple

from claims.models import Claim
from marb.core.paginator import Key, write_cursor
from marb.pipeline.models import EdiFile
from monitoring.bench import held
from monitoring.bench.figures import Figure, Target
from monitoring.bench.stage import Stage, answered
from monitoring.traffic.drive import Shot, drive_closed
from monitoring.traffic.mix import API
from monitoring.traffic.person import NotAnswered
from monitoring.traffic.summary import percentile

MS = 1000
HOT = 100
CONNECTIONS = 16
SINGLE = 200
DEEP_PAGE = 10_000
# of pages that nobody asked for before
SIZES = range(50, 150)
PAGE = 100
# what people use today, on a box like this (mARB 2.0, one worker), answers a second
CLAIMS_TODAY, LISTS_TODAY = 167, 28


class Rate(NamedTuple):
    """Requests a second of each run, and the share of a core that the generator took."""

    rates: list[float]
    cpu: float

    @property
    def value(self) -> float:
        return median(self.rates)


def measure_shares(stage: Stage) -> list[Figure]:
    """GETs of hot claims against a constant view and plain Django REST framework, in turns."""
    hot = list(stage.known.values["claims"][:HOT])
    sorts = {
        "constant": stage.gets(["/bench/constant/"] * HOT),
        "claim": stage.gets([f"{API}/claims/{pk}/" for pk in hot]),
        "plain": stage.gets([f"/bench/plain/{pk}/" for pk in hot]),
    }
    for shots in sorts.values():
        stage.single([*shots, *shots])
    rates = take_turns(stage, sorts)
    constant, claim, plain = rates["constant"], rates["claim"], rates["plain"]
    details = {
        "claims_per_second": round(claim.value),
        "constant_per_second": round(constant.value),
        "plain_per_second": round(plain.value),
        "generator_share_of_a_core": round(constant.cpu, 2),
        "times_mARB_2.0": round(claim.value / CLAIMS_TODAY, 1),
    }
    seconds = [1 / rate for rate in claim.rates]
    share, times = claim.value / constant.value, claim.value / plain.value
    of, than = Target(0.25, "of a constant view"), Target(6, "times plain DRF")
    return [
        Figure("api", "GET of a hot claim, requests/s as a share of a constant view", HOT, seconds, share, of, details),
        Figure("api", "the same against a plain ModelViewSet with the same authentication", HOT, seconds, times, than),
    ]


def take_turns(stage: Stage, sorts: dict[str, list[Shot]]) -> dict[str, Rate]:
    """Measure each sort `runs` times, one after the other, so that a busy moment is everybody's."""
    found: dict[str, list[tuple[float, float]]] = {name: [] for name in sorts}
    for _ in range(stage.scope.runs):
        for name, shots in sorts.items():
            run = drive_closed(stage.address, cycle(shots), CONNECTIONS, seconds=stage.scope.seconds / 3)
            count = len(answered(run).outcomes)
            found[name].append((count / run.seconds, run.cpu_seconds / run.seconds))
    return {name: Rate([rate for rate, _ in runs], median(cpu for _, cpu in runs)) for name, runs in found.items()}


def measure_lists(stage: Stage) -> list[Figure]:
    """A list of 100 claims that was just read, and pages that nobody has read yet."""
    [shot] = stage.gets([f"{API}/claims/?limit={PAGE}"])
    stage.single([shot] * 3)
    read = stage.single([shot] * SINGLE)
    unread = stage.single(stage.gets(list(islice(pages(stage), SINGLE))))
    today = {"lists_per_second": round(1 / median(read)), "times_mARB_2.0": round(1 / median(read) / LISTS_TODAY, 1)}
    return [
        at_most("list of 100 claims read before, p95", read, 5, today),
        at_most("list of 100 claims not read before, p95", unread, 25),
    ]


def pages(stage: Stage) -> "list[str]":
    """Addresses of pages that begin at claims in the first two thirds of the list, each once."""
    ids = stage.known.values["claims"]
    step = max(1, len(ids) * 2 // 3 // SINGLE)
    return [f"{API}/claims/?limit={PAGE}&cursor={after(pk)}" for pk in ids[1::step]]


def after(pk: int) -> str:
    return write_cursor(Key(False, None, pk))


def measure_writing(stage: Stage) -> list[Figure]:
    """Uploads of small files, each new. Raises NotAnswered where one was not kept as a file of its own."""
    posts = [stage.post(f"{API}/files/?name=small.x12", body, stage.people[0]) for body in islice(stage.bodies, HOT)]
    before = EdiFile.objects.count()
    seconds = stage.single(posts)
    kept = EdiFile.objects.count() - before
    if kept != len(posts):
        raise NotAnswered(f"Of {len(posts)} new files {kept} were kept.")
    return [at_most("POST of a small file, p95", seconds, 50)]


def measure_dashboard(stage: Stage) -> list[Figure]:
    """The admin's first page, with all of its figures."""
    shots = stage.gets(["/"] * HOT, stage.session)
    stage.single(shots[:3])
    return [at_most("dashboard with its figures, p95", stage.single(shots), 100)]


def measure_depth(stage: Stage) -> list[Figure]:
    """Page 1 against page 10,000 (or the middle one, where there are fewer), each of a size that nobody asked for."""
    there = held.hold(stage.scope.held, with_lines=False)
    page = min(DEEP_PAGE, there // PAGE // 2)
    deep = Claim.objects.order_by("-id").values_list("id", flat=True)[page * PAGE]
    stage.single(stage.gets([f"{API}/claims/?limit={size}{at}" for size in (40, 45) for at in ("", cursor(deep))]))
    # in turns: first page, deep page, of each size
    both = stage.gets([f"{API}/claims/?limit={size}{at}" for size in SIZES for at in ("", cursor(deep))])
    seconds = stage.single(both)
    first, far = median(seconds[::2]), median(seconds[1::2])
    target = Target(1.2, "times page 1", at_most=True)
    details = {"held": there, "page": page, "page_1_ms": round(first * MS, 1), "that_page_ms": round(far * MS, 1)}
    return [Figure("api", "a page deep in the list against page 1", len(SIZES), [far], far / first, target, details)]


def cursor(pk: int) -> str:
    return f"&cursor={after(pk)}"


def at_most(work: str, seconds: list[float], target: float, details: dict[str, Any] | None = None) -> Figure:
    """A figure of the 95th percentile in milliseconds, with the median beside it."""
    told = {"median_ms": round(median(seconds) * MS, 2), **(details or {})}
    value = percentile(sorted(seconds), 0.95)
    return Figure("api", work, len(seconds), [value], value * MS, Target(target, "ms", at_most=True), told)
