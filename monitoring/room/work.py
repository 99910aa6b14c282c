"""Work in the control room: requests per endpoint, actors, statements by table, slow ones with their plans."""

from contextlib import suppress

from django.conf import settings
from django.urls import NoReverseMatch, reverse
from django.utils.http import urlencode

from monitoring.models import Statement
from monitoring.reading import Work
from monitoring.room import words
from monitoring.room.chart import rate_of, steps_of
from monitoring.room.reading import Reading
from monitoring.room.table import Cell, Chart, Column, Line, Table, Tile, numbers

# an endpoint, an actor: bounded, the most time first
MOST_NAMES = 40
MOST_STATEMENTS = 15
MOST_TEXT = 160
LATE_MS, VERY_LATE_MS = 200, 500
ERRORS_PERCENT = 5.0
METHODS = ("GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS")


def requests_tile(reading: Reading) -> Tile:
    """How many requests a second over the range, and how long they took on average."""
    count = sum(step.count for step in reading.steps)
    if not count:
        return Tile("Requests", "none", f"in {reading.asked.title}")
    average = sum(step.average_ms * step.count for step in reading.steps) / count
    note = f"{words.whole(count)} in {reading.asked.title}, {words.milliseconds(average)} on average"
    per_second = count / reading.lines_within.seconds
    if per_second < 1:
        return Tile("Requests a minute", words.rate(60 * per_second), note)
    return Tile("Requests a second", words.rate(per_second), note)


def errors_tile(reading: Reading) -> Tile:
    count, errors = (sum(getattr(step, name) for step in reading.steps) for name in ("count", "errors"))
    percent = 100 * errors / count if count else None
    tone = "" if percent is None else "bad" if percent > ERRORS_PERCENT else "warn" if errors else "good"
    return Tile("Requests failed", words.percent(percent), f"{words.whole(errors)} answered 500 or above", tone)


def requests_chart(reading: Reading) -> Chart:
    """Requests a second and their average duration, step by step."""
    within = reading.lines_within
    steps = steps_of(within)
    found = {step.at: step for step in reading.steps}
    counts = [found[start].count if start in found else 0 for start in steps.starts]
    rates = [rate_of(count, start, within) for count, start in zip(counts, steps.starts, strict=True)]
    took = [round(found[start].average_ms, 2) if start in found else None for start in steps.starts]
    lines = [Line("Requests a second", rates, "blue"), Line("Average, ms", took, "orange", axis=1)]
    return Chart(steps.labels, lines, ["per second", "ms"])


WORK_COLUMNS = numbers(["Count", "Average", "p50", "p95", "p99", "Slowest"])
ENDPOINT_COLUMNS = [Column("Endpoint"), *WORK_COLUMNS, *numbers(["Errors"])]


def endpoints_table(reading: Reading) -> Table:
    """Requests per endpoint, those first that took the most time in all."""
    rows = [endpoint_row(work) for work in reading.work("request", MOST_NAMES)]
    columns = [*ENDPOINT_COLUMNS, Column("Profiles")] if settings.SILK else ENDPOINT_COLUMNS
    return Table(columns, rows, "No request was answered in this time.")


def endpoint_row(work: Work) -> list[Cell]:
    row = [Cell(work.name), *work_cells(work), count_cell(work.errors, "bad")]
    return [*row, Cell("Silk", "", url=silk_url(work.name))] if settings.SILK else row


def silk_url(endpoint: str) -> str:
    """Get silk's list of profiled requests, slowest first; only the endpoint's where its address has no argument."""
    query = {"order_by": "time_taken", "order_dir": "DESC"}
    _, _, name = endpoint.partition(" ")
    with suppress(NoReverseMatch):
        query["path"] = reverse(name)
    return f"{reverse('silk:requests')}?{urlencode(query)}"


def work_cells(work: Work) -> list[Cell]:
    """Write count, average, percentiles and the slowest; late ones are coloured."""
    durations = (work.average_ms, work.p50_ms, work.p95_ms, work.p99_ms, work.most_ms)
    return [Cell(words.whole(work.count), work.count), *(duration_cell(each) for each in durations)]


def duration_cell(milliseconds: float | None) -> Cell:
    number = milliseconds or 0.0
    return Cell(words.milliseconds(milliseconds), number, "bad" if number > VERY_LATE_MS else "")


def plain_duration_cell(milliseconds: float | None) -> Cell:
    return Cell(words.milliseconds(milliseconds), milliseconds or 0.0)


def count_cell(count: int, tone: str) -> Cell:
    return Cell(words.whole(count), count, tone if count else "")


ACTOR_COLUMNS = [
    Column("Actor"),
    *numbers(["Runs", "A minute", "p50", "p95", "Slowest", "Waited p50", "Waited p95", "Retries", "Failures"]),
]


def actors_table(reading: Reading) -> Table:
    """Each actor's work over all worker processes, and how long its messages waited for it."""
    waits = {work.name: work for work in reading.work("wait", MOST_NAMES)}
    rows = [actor_row(work, waits.get(work.name)) for work in reading.work("actor", MOST_NAMES)]
    return Table(ACTOR_COLUMNS, rows, "No worker did anything in this time.")


def actor_row(work: Work, wait: Work | None) -> list[Cell]:
    return [
        Cell(words.actor_title(work.name)),
        Cell(words.whole(work.count), work.count),
        Cell(words.rate(60 * work.per_second), work.per_second),
        *(plain_duration_cell(each) for each in (work.p50_ms, work.p95_ms, work.most_ms)),
        *(plain_duration_cell(each) for each in ((wait.p50_ms, wait.p95_ms) if wait else (None, None))),
        count_cell(work.retries, "warn"),
        count_cell(work.errors, "bad"),
    ]


SUBJECT_COLUMNS = [Column("Statement"), *WORK_COLUMNS, *numbers(["Errors", "Time in all"])]


def statements_table(reading: Reading) -> Table:
    """Statements by verb and table, those first that took the most time in all."""
    found = reading.work("sql", MOST_STATEMENTS)
    rows = [
        [Cell(work.name), *work_cells(work), count_cell(work.errors, "bad"), plain_duration_cell(in_all(work))]
        for work in found
    ]
    return Table(SUBJECT_COLUMNS, rows, "No statement was measured in this time.")


def in_all(work: Work) -> float:
    return work.average_ms * work.count


SLOW_COLUMNS = [Column("Slow statement"), *numbers(["Count", "Average", "p95", "Slowest"]), Column("Plan")]


def slow_table(reading: Reading) -> Table:
    """Statements slower than SLOW_QUERY_MS by their masked text, each with PostgreSQL's plan."""
    found = reading.work("slow_sql", MOST_STATEMENTS)
    known = {each.fingerprint: each for each in Statement.objects.filter(fingerprint__in=[work.name for work in found])}
    rows = [slow_row(work, known.get(work.name)) for work in found]
    return Table(SLOW_COLUMNS, rows, f"No statement took longer than {words.milliseconds(settings.SLOW_QUERY_MS)}.")


def slow_row(work: Work, statement: Statement | None) -> list[Cell]:
    durations = (work.average_ms, work.p95_ms, work.most_ms)
    counted = [Cell(words.whole(work.count), work.count), *(plain_duration_cell(each) for each in durations)]
    return [Cell(text_of(statement)), *counted, plan_cell(statement)]


def text_of(statement: Statement | None) -> str:
    """Write a statement on one line, cut to MOST_TEXT characters."""
    if statement is None:
        return "(its text was not kept)"
    text = " ".join(statement.text.split())
    return f"{text[:MOST_TEXT]}…" if len(text) > MOST_TEXT else text


def plan_cell(statement: Statement | None) -> Cell:
    if statement is None:
        return Cell(words.NONE)
    url = reverse("admin:monitoring_statement_change", args=[statement.pk])
    return Cell("Plan" if statement.plan else "No plan", url=url)
