"""The board drawn for a terminal, by rich: live in panels, or as a report from top to bottom."""

from collections.abc import Iterable, Iterator, Sequence
from typing import Any

from rich.columns import Columns
from rich.console import Group, RenderableType
from rich.markup import escape
from rich.panel import Panel
from rich.table import Table
from rich.text import Text

from monitoring import statements
from monitoring.board.read import TARGET, Board
from monitoring.reading import Level, Work

MEGABYTE = 2**20
WORK = {"request": "Requests", "actor": "Actors", "wait": "Time in the queue", "sql": "Statements", "call": "Functions"}
FIRST_OF = 8
HEAD = ("Name", "Count", "/s", "Errors", "Average", "p50", "p95", "p99", "Most")


def draw_live(board: Board) -> RenderableType:
    """One screen: what is wrong first, then the figures, then the slowest of each kind."""
    parts: list[RenderableType] = [*told(board), Columns([Panel(table) for table in tiles(board)])]
    parts += [draw_work(WORK[kind], board.work.get(kind, [])[:FIRST_OF]) for kind in ("request", "actor", "sql")]
    return Group(heading(board), *parts)


def draw_report(board: Board, most: int = 20) -> RenderableType:
    """Everything, from top to bottom."""
    parts: list[RenderableType] = [heading(board), *told(board), *tiles(board)]
    parts += [draw_work(title, board.work.get(kind, [])[:most]) for kind, title in WORK.items()]
    return Group(*parts, draw_processes(board), draw_deltas(board))


def heading(board: Board) -> Text:
    start, end = (f"{at:%m/%d/%Y %H:%M}" for at in (board.within.start, board.within.end))
    return Text(f"mARB  {start} to {end} UTC, by {board.within.span.value}; read {board.at:%H:%M:%S}", style="bold")


def told(board: Board) -> Iterator[Text]:
    """What is wrong: alerts, processes lost, parts that are missing."""
    for alert in board.alerts:
        style = "bold red" if alert.rule.severity == "critical" else "yellow"
        advice = f" {alert.rule.advice}" if alert.rule.advice else ""
        yield Text(f"! {alert.rule.name}: {alert.worst:,.1f} against {alert.threshold:,.1f}.{advice}", style=style)
    for process in board.lost:
        yield Text(f"! {process} was last heard of at {process.seen_at:%H:%M:%S}.", style="yellow")
    yield from (Text(f"! {sentence}.", style="bold red") for sentence in board.missing)
    if not (board.alerts or board.lost or board.missing):
        yield Text("Nothing is wrong that is known of.", style="green")


def tiles(board: Board) -> list[Table]:
    return [draw_throughput(board), draw_queues(board), draw_cache(board), draw_machines(board), draw_stores(board)]


def draw_throughput(board: Board) -> Table:
    both = board.per_second("claims", "remittances")
    p50, p95, p99 = (milliseconds(board.percentile_ms(share)) for share in (0.5, 0.95, 0.99))
    count = sum(work.count for work in board.work.get("request", []))
    failed = sum(work.errors for work in board.work.get("request", []))
    return pairs(
        "Throughput",
        [
            ("claims/s", f"{board.per_second('claims'):,.1f}"),
            ("remittances/s", f"{board.per_second('remittances'):,.1f}"),
            (f"of {TARGET:,}/s", f"{100 * both / TARGET:.1f} %"),
            ("requests/s", f"{count / board.within.seconds:,.1f}"),
            ("errors", f"{100 * failed / count:.2f} %" if count else "-"),
            ("p50 p95 p99", f"{p50} {p95} {p99}"),
        ],
    )


def draw_queues(board: Board) -> Table:
    table = made("Queues", "Queue", "Wait", "Run", "Later", "Oldest")
    for level in board.labelled("queue_ready"):
        more = (board.level(f"queue_{word}", level.label) for word in ("running", "delayed"))
        oldest = board.level("queue_oldest_seconds", level.label)
        counts = [whole(level), *map(whole, more)]
        table.add_row(escape(level.label), *counts, f"{oldest.last:.0f} s" if oldest else "-")
    letters, files = board.level("dead_letters"), board.level("files_unfinished")
    table.add_row("dead letters", whole(letters))
    table.add_row("files unfinished", whole(files))
    return table


def draw_cache(board: Board) -> Table:
    table = made("Cache", "Kind", "Hits", "Misses", "Rate")
    for kind, (hits, misses) in sorted(board.hits.items()):
        rate = f"{100 * hits / (hits + misses):.1f} %" if hits + misses else "-"
        table.add_row(escape(kind), f"{hits:,.0f}", f"{misses:,.0f}", rate)
    return table


def draw_machines(board: Board) -> Table:
    table = made("Machines", "Host", "CPU", "Memory", "Disk", "Load")
    for host in sorted({level.label for level in board.labelled("load_average")}):
        found = (board.level(f"{word}_percent", host) for word in ("cpu", "memory", "disk"))
        load = board.level("load_average", host)
        table.add_row(escape(host), *(percent(level) for level in found), f"{load.last:.2f}" if load else "-")
    return table


def draw_stores(board: Board) -> Table:
    pool, connections = board.level("pool_used_percent"), board.level("database_connections_percent")
    waiting, asked = board.level("pool_waiting"), board.per_second("pool_requests")
    return pairs(
        "Stores",
        [
            ("pools, average", percent(pool)),
            ("pools, most", f"{pool.most:.0f} %" if pool else "-"),
            ("pools, waiting", f"{waiting.most:.0f}" if waiting else "-"),
            ("pools, asked/s", f"{asked:,.1f}"),
            ("of connections", percent(connections)),
            *((name.partition("_")[0], size(board.level(name))) for name in STORES),
        ],
    )


STORES = ("database_mb", "cache_memory_mb", "broker_memory_mb")


def draw_work(title: str, work: Iterable[Work]) -> Table:
    table = made(title, *HEAD)
    for each in work:
        errors = Text(f"{each.errors:,}", style="red" if each.errors else "")
        times = (each.average_ms, each.p50_ms, each.p95_ms, each.p99_ms, each.most_ms)
        spread = (milliseconds(value) for value in times)
        table.add_row(escape(each.name), f"{each.count:,}", f"{each.per_second:,.2f}", errors, *spread)
    return table


def draw_processes(board: Board) -> Table:
    table = made("Processes", "Role", "Host", "Process", "Started", "Last heard of", "Dropped")
    for process in (*board.alive, *board.lost):
        times = (f"{at:%m/%d %H:%M:%S}" for at in (process.started_at, process.seen_at))
        table.add_row(process.role, escape(process.host), str(process.pid), *times, f"{process.dropped:,}")
    return table


def draw_deltas(board: Board) -> Table:
    table = made("Highest change of memory", "Operation", "Checkpoint", "Change", "Process", "Peak")
    for each in board.deltas:
        megabytes = (each.process_memory_delta_mb, each.process_memory_mb, each.peak_memory_mb)
        table.add_row(each.operation, each.checkpoint, *(f"{value:,.1f} MB" for value in megabytes))
    return table


def draw_statements(most: int) -> RenderableType:
    """What took most time by PostgreSQL's own count."""
    found, reason = statements.top(most)
    if reason:
        return Text(f"PostgreSQL does not count its statements. {reason}", style="yellow")
    table = made("Statements by PostgreSQL's count", "Calls", "Total", "Average", "Most", "Rows", "Hits", "Text")
    for each in found:
        times = (milliseconds(value) for value in (each.total_ms, each.average_ms, each.most_ms))
        hits = "-" if each.hit_percent is None else f"{each.hit_percent:.1f} %"
        table.add_row(f"{each.calls:,}", *times, f"{each.rows:,}", hits, escape(each.text[:200]))
    return table


def draw_indexes(most: int) -> RenderableType:
    """The indexes that nobody uses, the most used ones, and the tables that are read without one."""
    parts = []
    chosen = {"Unused indexes": statements.unused_indexes(most), "Most used indexes": statements.used_indexes(most)}
    for title, indexes in chosen.items():
        table = made(title, "Table", "Index", "Scans", "Entries read", "Size")
        for each in indexes:
            told_size = f"{each.bytes / MEGABYTE:,.1f} MB"
            table.add_row(each.table, each.name, f"{each.scans:,}", f"{each.entries:,}", told_size)
        parts.append(table)
    table = made("Tables read without an index", "Table", "Scans", "Rows read", "Index scans", "Rows", "Dead rows")
    for scanned in statements.scanned_tables(most):
        table.add_row(scanned.table, *(f"{value:,}" for value in scanned[1:]))
    return Group(*parts, table)


def made(title: str, first: str, *others: str) -> Table:
    """A table whose first column is text and whose others are numbers; texts come last."""
    table = Table(title=title, title_justify="left", title_style="bold", box=None, pad_edge=False)
    texts = {"Name", "Text", "Table", "Index", "Host", "Checkpoint", "Operation", "Role"}
    for name in (first, *others):
        is_number = name not in texts and (name != first or name == "Calls")
        table.add_column(name, justify="right" if is_number else "left", overflow="fold")
    return table


def pairs(title: str, found: Sequence[tuple[str, str]]) -> Table:
    table = made(title, "", " ")
    table.show_header = False
    for row in found:
        table.add_row(*row)
    return table


def milliseconds(value: float | None) -> str:
    if value is None:
        return "-"
    return f"{value / 1000:,.1f} s" if value >= 10_000 else f"{value:,.1f} ms"


def percent(level: Level | None) -> str:
    return f"{level.average:.0f} %" if level else "-"


def size(level: Level | None) -> str:
    return f"{level.last:,.0f} MB" if level else "-"


def whole(level: Any) -> str:
    return f"{level.last:,.0f}" if level else "-"
