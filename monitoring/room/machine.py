"""Machines in the control room: hosts, pools, PostgreSQL, the cache, processes and their memory checkpoints."""

from django.urls import reverse
from django.utils import timezone

from marb.core.cache.kinds import KINDS, OVERALL_TARGET
from marb.core.cache.statistics import tally
from marb.core.measure import memory
from monitoring.models import Checkpoint, Process
from monitoring.reading import Level
from monitoring.room import words
from monitoring.room.chart import steps_of, values_at
from monitoring.room.reading import Levels, Reading, age_seconds, is_silent
from monitoring.room.table import Cell, Chart, Column, Line, Table, Tile, numbers

HIGH_PERCENT = {"cpu_percent": 90, "memory_percent": 85, "disk_percent": 90}
HOST = {"cpu_percent": "CPU", "memory_percent": "Memory", "disk_percent": "Disk"}
MOST_PROCESSES = 40
MOST_LABELS = 30
UNMEASURED = "not measured"
NO_PSUTIL = "CPU and memory are not measured: psutil is missing on this machine."


def host_tile(name: str, reading: Reading) -> Tile:
    """A host's figure now, of the machine where it is highest."""
    found = reading.fullest(name)
    if found is None:
        return Tile(HOST[name], UNMEASURED, "in the last minutes", "warn")
    tone = "bad" if found > HIGH_PERCENT[name] else "good"
    return Tile(HOST[name], words.percent(found), f"of the busiest machine, high above {HIGH_PERCENT[name]} %", tone)


def cpu_tile(reading: Reading) -> Tile:
    return host_tile("cpu_percent", reading)


def memory_tile(reading: Reading) -> Tile:
    return host_tile("memory_percent", reading)


def disk_tile(reading: Reading) -> Tile:
    return host_tile("disk_percent", reading)


def cache_tile(reading: Reading) -> Tile:
    hits, misses = (grown(reading, f"cache_{word}") for word in ("hits", "misses"))
    if not hits + misses:
        return Tile("Cache hit rate", words.NONE, f"nothing was asked in {reading.asked.title}")
    rate = 100 * hits / (hits + misses)
    note = f"target {OVERALL_TARGET} %, {words.whole(hits + misses)} asked in {reading.asked.title}"
    return Tile("Cache hit rate", words.percent(rate), note, "good" if rate >= OVERALL_TARGET else "warn")


def grown(reading: Reading, name: str) -> float:
    return sum(number for (known, _), number in reading.growth.items() if known == name)


def host_chart(reading: Reading) -> Chart:
    """CPU, memory and disk of the busiest machine, step by step."""
    steps = steps_of(reading.lines_within)
    colors = {"cpu_percent": "blue", "memory_percent": "orange", "disk_percent": "gray"}
    lines = [
        Line(title, values_at(reading.points[name], steps), colors[name])
        for name, title in HOST.items()
        if reading.points[name]
    ]
    return Chart(steps.labels, lines, ["%"], most=100)


LEVEL_COLUMNS = [Column("Figure"), Column("Of"), *numbers(["Now", "Average", "Highest"])]
PERCENT, MEMORY, PLAIN = words.percent, words.megabytes, words.rate
HOST_ROWS = [
    ("cpu_percent", "CPU", PERCENT),
    ("memory_percent", "Memory", PERCENT),
    ("disk_percent", "Disk", PERCENT),
    ("load_average", "Load, 1 minute", PLAIN),
    ("process_memory_mb", "Memory of a process", MEMORY),
    ("process_cpu_percent", "CPU of a process", PERCENT),
]
POOL_ROWS = [
    ("pool_used_percent", "Pool in use", PERCENT),
    ("pool_size", "Pool's connections", PLAIN),
    ("pool_waiting", "Waiting for a connection", PLAIN),
    ("database_connections", "PostgreSQL connections", PLAIN),
    ("database_connections_percent", "Of those that it allows", PERCENT),
    ("database_mb", "Size of the database", MEMORY),
    ("cache_memory_mb", "Cache's memory", MEMORY),
    ("broker_memory_mb", "Broker's memory", MEMORY),
]


def hosts_table(reading: Reading) -> Table:
    rows = level_rows(HOST_ROWS, reading)
    note = NO_PSUTIL if memory.psutil is None or is_without_psutil(reading) else ""
    return Table(LEVEL_COLUMNS, rows, "No process has measured its machine in this time.", note)


def is_without_psutil(reading: Reading) -> bool:
    """Say whether machines were measured, but none of what only psutil knows."""
    names = {name for name, _ in reading.levels}
    return "load_average" in names and "cpu_percent" not in names


def pools_table(reading: Reading) -> Table:
    rows = level_rows(POOL_ROWS, reading)
    asked, waited, errors = (
        reading.total(name, reading.levels) for name in ("pool_requests", "pool_wait_ms", "pool_errors")
    )
    waits = f", {words.milliseconds(waited / asked)} waited for each" if asked else ""
    note = f"{words.whole(asked)} connections were asked for{waits}, {words.whole(errors)} could not be had."
    return Table(LEVEL_COLUMNS, rows, "Nothing was measured in this time.", note)


def level_rows(shown: list[tuple[str, str, words.Writer]], reading: Reading) -> list[list[Cell]]:
    return [
        level_row(title, level, reading.now, write)
        for name, title, write in shown
        for level in labelled(name, reading.levels)
    ]


def labelled(name: str, levels: Levels) -> list[Level]:
    found = [level for (known, _), level in levels.items() if known == name]
    return found[:MOST_LABELS]


def level_row(title: str, level: Level, now: Levels, write: words.Writer) -> list[Cell]:
    current = now.get((level.name, level.label))
    figures = (current.average if current else None, level.average, level.most)
    high = HIGH_PERCENT.get(level.name)
    return [Cell(title), Cell(level.label), *(figure_cell(each, write, high) for each in figures)]


def figure_cell(number: float | None, write: words.Writer, high: int | None) -> Cell:
    tone = "bad" if high and number is not None and number > high else ""
    return Cell(write(number), number if number is not None else -1, tone)


CACHE_COLUMNS = [Column("Kind"), *numbers(["Hits", "Misses", "Hit rate", "Target"])]


def cache_table(reading: Reading) -> Table:
    """How often the cache was met over the range, by kind, beside the rates that are expected."""
    kinds = sorted({label for name, label in reading.growth if name in ("cache_hits", "cache_misses")})
    counts = {
        kind: tuple(reading.growth.get((f"cache_{word}", kind), 0) for word in ("hits", "misses")) for kind in kinds
    }
    rows = [cache_row(kind, *map(int, counts[kind])) for kind in kinds if sum(counts[kind])]
    evicted, expired = grown(reading, "server_evictions"), grown(reading, "server_expired")
    note = f"{words.whole(evicted)} entries were evicted, {words.whole(expired)} expired."
    return Table(CACHE_COLUMNS, rows, "Nothing was asked of the cache in this time.", note)


def cache_row(kind: str, hits: int, misses: int) -> list[Cell]:
    rate = float(tally(hits, misses)["hit_rate"])
    target = KINDS[kind].target if kind in KINDS else OVERALL_TARGET
    return [
        Cell(kind.replace("_", " ")),
        Cell(words.whole(hits), hits),
        Cell(words.whole(misses), misses),
        Cell(words.percent(rate), rate, "good" if rate >= target else "warn"),
        Cell(words.percent(target), target),
    ]


PROCESS_COLUMNS = [
    *(Column("Process"), Column("Machine"), Column("State")),
    *numbers(["Process id", "Heard of", "Up for"]),
]


def processes_table(reading: Reading) -> Table:
    """Heartbeats: who is alive, and who fell silent without a clean stop in the last hour."""
    rows = [process_row(process) for process in reading.processes[:MOST_PROCESSES]]
    dropped = sum(process.dropped for process in reading.processes)
    note = f"{words.counted(dropped, 'measure')} found no room and were dropped." if dropped else ""
    return Table(PROCESS_COLUMNS, rows, "No process has been heard of in the last hour.", note)


def process_row(process: Process) -> list[Cell]:
    age, up = age_seconds(process), (timezone.now() - process.started_at).total_seconds()
    state = Cell("Lost", "0", "bad") if is_silent(process) else Cell("Alive", "1", "good")
    url = reverse("admin:monitoring_process_change", args=[process.pk])
    return [
        Cell(process.role.capitalize(), url=url),
        Cell(process.host),
        state,
        Cell(str(process.pid), process.pid),
        Cell(f"{words.seconds(age)} ago", age),
        Cell(words.seconds(up), up),
    ]


CHECKPOINT_COLUMNS = [
    *(Column("Operation"), Column("Checkpoint")),
    *numbers(["Change", "Process", "Peak", "Machine"]),
    *(Column("Thresholds exceeded"), Column("At (UTC)")),
]


def checkpoints_table(reading: Reading) -> Table:
    """The memory checkpoints with the highest change since their operation began."""
    rows = [checkpoint_row(each) for each in reading.checkpoints]
    return Table(CHECKPOINT_COLUMNS, rows, "No heavy operation ran in this time.")


def checkpoint_row(row: Checkpoint) -> list[Cell]:
    exceeded = exceeded_words(row.thresholds_exceeded)
    url = reverse("admin:monitoring_checkpoint_change", args=[row.pk])
    memories = (row.process_memory_delta_mb, row.process_memory_mb, row.peak_memory_mb)
    return [
        Cell(words.actor_title(row.operation), url=url),
        Cell(words.actor_title(row.checkpoint)),
        *(Cell(words.megabytes(each), each) for each in memories),
        Cell(words.percent(row.system_memory_percent), row.system_memory_percent),
        Cell(exceeded or "none", tone="warn" if exceeded else ""),
        Cell(f"{row.at:%m/%d %H:%M:%S}", row.at.timestamp()),
    ]


def exceeded_words(thresholds: dict[str, bool]) -> str:
    """Write the thresholds that are exceeded, the critical ones in place of their warnings."""
    names = [name for name, is_exceeded in thresholds.items() if is_exceeded]
    shown = [name for name in names if not (name.endswith("_warning") and name.replace("warning", "critical") in names)]
    return ", ".join(name.replace("_", " ") for name in shown)
