"""The belt in the control room: ingest and its target, the files in progress, the queues, the schedules.

Files are named by number: a name may be a patient's. Queues are read from the broker as they stand.
"""

from typing import Any

from django.db.models import Count
from django.urls import reverse

from marb.pipeline.models import DeadLetter, EdiFile, FileStatus, Hold
from marb.pipeline.progress import Progress
from monitoring.models import ScheduledJob
from monitoring.room import words
from monitoring.room.chart import rates, steps_of, values_at
from monitoring.room.reading import COUNTERS, Reading
from monitoring.room.table import Cell, Chart, Column, Line, Table, Tile, numbers
from monitoring.snapshot import read_depths

SLOW_QUEUE_SECONDS = 300


def ingest_tile(reading: Reading) -> Tile:
    """Claims and remittances a second now, of the files that are being read; else how much came in."""
    running = [far.rate for _, far in reading.files if far.rate]
    came = sum(reading.total(name, reading.levels) for name in COUNTERS)
    note = f"{words.whole(came)} in {reading.asked.title}"
    if not running:
        return Tile("Ingest", "idle", note)
    now, target = sum(running), reading.target()
    if target:
        note = f"target {words.whole(target)}, {note}"
    return Tile("Ingest, claims/s", words.rate(now), note, "warn" if target and now < target else "good")


def files_tile(reading: Reading) -> Tile:
    paused = sum(file.hold == Hold.PAUSED for file, _ in reading.files)
    note = f"{paused} paused" if paused else "oldest first below" if reading.files else "nothing waits"
    url = reverse("admin:pipeline_edifile_changelist")
    return Tile("Files in progress", words.whole(len(reading.files)), note, "info" if reading.files else "", url)


def dead_letters_tile(reading: Reading) -> Tile:
    count = DeadLetter.objects.filter(redriven_at=None).count()
    note = "messages that workers gave up" if count else "no message was given up"
    return Tile("Dead letters", words.whole(count), note, "bad" if count else "good", letters_url())


def letters_url() -> str:
    return reverse("admin:pipeline_deadletter_changelist")


def ingest_chart(reading: Reading) -> Chart:
    """Claims and remittances a second, step by step, and the target of the rule for throughput."""
    steps = steps_of(reading.lines_within)
    colors = {"claims": "blue", "remittances": "green"}
    lines = [
        Line(name.capitalize(), rates(reading.points[name], steps, reading.lines_within), colors[name])
        for name in COUNTERS
    ]
    target = reading.target()
    if target:
        lines.append(Line("Target", [target] * len(steps.starts), "red", is_target=True))
    return Chart(steps.labels, lines, ["per second"])


def queue_chart(reading: Reading) -> Chart:
    """Messages that wait, by queue, step by step."""
    steps = steps_of(reading.lines_within)
    points = reading.points["queue_ready"]
    colors = ("blue", "green", "orange", "violet", "gray", "red")
    names = sorted({point.label for point in points})
    lines = [
        Line(name, values_at([point for point in points if point.label == name], steps), colors[number % len(colors)])
        for number, name in enumerate(names)
    ]
    return Chart(steps.labels, lines, ["messages"])


FILE_COLUMNS = [
    *(Column("File"), Column("Practice"), Column("Kind"), Column("State"), Column("Done")),
    *numbers(["Claims in", "Of", "Claims/s", "Time left"]),
]


def files_table(reading: Reading) -> Table:
    rows = [file_row(file, far) for file, far in reading.files]
    return Table(FILE_COLUMNS, rows, "No file is being read.")


def file_row(file: EdiFile, far: Progress) -> list[Cell]:
    url = reverse("admin:pipeline_edifile_change", args=[file.pk])
    return [
        Cell(f"File {file.pk}", file.pk, url=url),
        Cell(file.practice.name),
        Cell(file.kind or "not read yet"),
        state_cell(file),
        Cell(f"{far.percent} %", far.percent, bar=far.percent),
        Cell(words.whole(far.claims), far.claims),
        Cell(words.whole(far.scan_claims), far.scan_claims),
        Cell(words.rate(far.rate), far.rate or 0),
        Cell(words.seconds(far.seconds_left), far.seconds_left or 0),
    ]


def state_cell(file: EdiFile) -> Cell:
    if file.hold == Hold.PAUSED:
        return Cell("Paused", tone="warn")
    return Cell("Reading" if file.status == FileStatus.RUNNING else "Waiting", tone="info")


QUEUE_COLUMNS = [Column("Queue"), *numbers(["Waiting", "Oldest", "At work", "For later", "Dead"])]


def queues_table(reading: Reading) -> Table:
    """Every queue as the broker has it now, with the dead letters that came of it."""
    dead = dict(DeadLetter.objects.filter(redriven_at=None).order_by().values_list("queue").annotate(count=Count("id")))
    rows = [queue_row(depth, dead.get(depth.name, 0) + dead.get(f"{depth.name}.DQ", 0)) for depth in read_depths()]
    return Table(QUEUE_COLUMNS, rows, "No queue is declared.")


def queue_row(depth: Any, dead: int) -> list[Cell]:
    tone = "bad" if depth.oldest_seconds > SLOW_QUEUE_SECONDS else ""
    oldest = words.seconds(depth.oldest_seconds) if depth.ready else words.NONE
    return [
        Cell(depth.name),
        Cell(words.whole(depth.ready), depth.ready),
        Cell(oldest, depth.oldest_seconds, tone),
        Cell(words.whole(depth.running), depth.running),
        Cell(words.whole(depth.delayed), depth.delayed),
        Cell(words.whole(dead), dead, "bad" if dead else "", letters_url() if dead else ""),
    ]


SCHEDULE_COLUMNS = [Column("Schedule"), Column("When"), Column("Last run (UTC)"), *numbers(["Took"]), Column("Result")]


def schedules_table(reading: Reading) -> Table:
    rows = [schedule_row(job) for job in ScheduledJob.objects.order_by("name")]
    return Table(SCHEDULE_COLUMNS, rows, "No schedule is known yet: they are listed once a scheduler runs.")


def schedule_row(job: ScheduledJob) -> list[Cell]:
    at = job.last_started_at
    url = reverse("admin:monitoring_scheduledjob_change", args=[job.pk])
    return [
        Cell(words.actor_title(job.name), url=url),
        Cell(when(job.schedule)),
        Cell(f"{at:%m/%d %H:%M:%S}" if at else "not yet", at.timestamp() if at else 0),
        Cell(words.seconds(job.last_seconds), job.last_seconds or 0),
        result_cell(job),
    ]


def result_cell(job: ScheduledJob) -> Cell:
    if not job.last_started_at:
        return Cell(words.NONE)
    return Cell(job.last_reason, tone="bad") if job.last_reason else Cell("Went well", tone="good")


def when(schedule: str) -> str:
    """Write a trigger as words: "interval[0:00:15]" as every 15 s; what it does not know, as it is."""
    kind, _, rest = schedule.partition("[")
    parts = rest.rstrip("]").split(":")
    if kind == "interval" and len(parts) == 3 and all(part.isdigit() for part in parts):
        hours, minutes, seconds = map(int, parts)
        return f"every {words.seconds(3_600 * hours + 60 * minutes + seconds)}"
    return cron_words(rest.rstrip("]")) if kind == "cron" else schedule


def cron_words(fields: str) -> str:
    """Write cron's fields as words where they name a time of each day, else as they are."""
    told = dict(part.split("=", 1) for part in fields.replace("'", "").split(", ") if "=" in part)
    hour, minute = told.get("hour", ""), told.get("minute", "")
    is_daily = all(told.get(name, "*") == "*" for name in ("day", "month", "day_of_week"))
    if is_daily and hour.isdigit() and minute.isdigit():
        return f"daily at {int(hour):02}:{int(minute):02} UTC"
    return f"cron {fields}"
