"""What the processes measured, by minute and process, and rolled up to hours and days over all of them.

Written by monitoring.sink, rolled up and deleted by monitoring.rollup, read by monitoring.reading. They belong to no
practice and hold no PHI: names are routes, actors, tables and our own words.
"""

from django.contrib.postgres.fields import ArrayField
from django.db import models


class Span(models.TextChoices):
    """How long a row's time is. Rows of an hour or day have no process: they are sums over all."""

    MINUTE = "minute", "Minute"
    HOUR = "hour", "Hour"
    DAY = "day", "Day"


class Process(models.Model):
    """A process that measures, seen at each of its flushes: the heartbeat. `stopped_at` is set by a clean stop only."""

    token = models.CharField(max_length=32, unique=True)
    host = models.CharField(max_length=100)
    pid = models.PositiveIntegerField()
    role = models.CharField(max_length=20)
    started_at = models.DateTimeField()
    seen_at = models.DateTimeField()
    stopped_at = models.DateTimeField(null=True, blank=True)
    # measures that found no room in its memory
    dropped = models.PositiveBigIntegerField(default=0)

    class Meta:
        verbose_name_plural = "processes"
        ordering = ["-seen_at"]
        indexes = [
            # who is alive, by role
            models.Index(fields=["-seen_at"], name="process_seen"),
        ]

    def __str__(self) -> str:
        return f"{self.role} {self.pid} on {self.host}"


class Timing(models.Model):
    """How often something was done and how long it took: a histogram (marb.core.measure.histogram) in two arrays.

    `kind` is request (name "GET claim-list"), sql ("SELECT claims_claim"), slow_sql (a Statement's fingerprint), actor
    and wait (an actor's name: its work, and its message's time in the queue), or call (a measured function).
    """

    span = models.CharField(max_length=6, choices=Span.choices)
    at = models.DateTimeField()
    process = models.ForeignKey(Process, models.CASCADE, null=True, blank=True, db_index=False)
    kind = models.CharField(max_length=20)
    name = models.CharField(max_length=150)
    count = models.BigIntegerField()
    errors = models.BigIntegerField(default=0)
    retries = models.BigIntegerField(default=0)
    total_us = models.BigIntegerField()
    most_us = models.BigIntegerField()
    buckets = ArrayField(models.IntegerField())
    counts = ArrayField(models.BigIntegerField())

    class Meta:
        ordering = ["-at"]
        constraints = [
            # a kind's rows of a time range, and the replacing of a minute's row
            models.UniqueConstraint(
                fields=["span", "kind", "at", "name", "process"], nulls_distinct=False, name="timing_once"
            ),
        ]
        indexes = [
            # retention
            models.Index(fields=["span", "at"], name="timing_age"),
        ]

    def __str__(self) -> str:
        return f"{self.kind} {self.name}"


class Sample(models.Model):
    """A gauge or counter: how often it was sampled, and the sum, least, most and last of its values.

    A gauge's value is its average, total / count; a counter's is its total. monitoring.reading lists the names.
    """

    span = models.CharField(max_length=6, choices=Span.choices)
    at = models.DateTimeField()
    process = models.ForeignKey(Process, models.CASCADE, null=True, blank=True, db_index=False)
    name = models.CharField(max_length=60)
    label = models.CharField(max_length=100, blank=True)
    count = models.BigIntegerField()
    total = models.FloatField()
    least = models.FloatField()
    most = models.FloatField()
    last = models.FloatField()

    class Meta:
        ordering = ["-at"]
        constraints = [
            # a gauge's rows of a time range, and the replacing of a minute's row
            models.UniqueConstraint(
                fields=["span", "name", "at", "label", "process"], nulls_distinct=False, name="sample_once"
            ),
        ]
        indexes = [
            # retention
            models.Index(fields=["span", "at"], name="sample_age"),
        ]

    def __str__(self) -> str:
        return f"{self.name} {self.label}".strip()


class Checkpoint(models.Model):
    """The memory of a process at a point of a heavy operation. Megabytes are of 2**20 bytes."""

    process = models.ForeignKey(Process, models.CASCADE, db_index=False)
    # counts up within the process: a batch that is written twice is there once
    number = models.PositiveIntegerField()
    at = models.DateTimeField()
    operation = models.CharField(max_length=60)
    checkpoint = models.CharField(max_length=60)
    process_memory_mb = models.FloatField()
    process_memory_delta_mb = models.FloatField()
    peak_memory_mb = models.FloatField()
    system_memory_total_mb = models.FloatField()
    system_memory_available_mb = models.FloatField()
    system_memory_percent = models.FloatField()
    seconds = models.FloatField()
    metadata = models.JSONField(default=dict, blank=True)
    thresholds_exceeded = models.JSONField(default=dict, blank=True)

    class Meta:
        ordering = ["-at"]
        constraints = [models.UniqueConstraint(fields=["process", "number"], name="checkpoint_once")]
        indexes = [
            # newest first, and retention
            models.Index(fields=["-at"], name="checkpoint_newest"),
            # the highest deltas of an operation
            models.Index(fields=["operation", "-process_memory_delta_mb"], name="checkpoint_delta"),
        ]

    def __str__(self) -> str:
        return f"{self.operation} {self.checkpoint}"


class Statement(models.Model):
    """A slow statement's text, its literals masked and its parameters never kept, and its plan without values.

    How often and how long is in Timing (slow_sql, by fingerprint).
    """

    fingerprint = models.CharField(max_length=32, unique=True)
    text = models.TextField()
    plan = models.JSONField(null=True, blank=True)
    # why there is no plan: an SQLSTATE, or that the statement cannot be explained
    reason = models.CharField(max_length=60, blank=True)
    first_seen_at = models.DateTimeField()
    seen_at = models.DateTimeField()

    class Meta:
        ordering = ["-seen_at"]
        indexes = [
            # newest first, and retention
            models.Index(fields=["-seen_at"], name="statement_seen"),
        ]

    def __str__(self) -> str:
        return self.fingerprint


class ScheduledJob(models.Model):
    """An actor that runs on schedule, and its last run. History is in Timing (actor, by name)."""

    name = models.CharField(max_length=100, unique=True)
    queue = models.CharField(max_length=100, blank=True)
    schedule = models.CharField(max_length=100, blank=True)
    last_started_at = models.DateTimeField(null=True, blank=True)
    last_seconds = models.FloatField(null=True, blank=True)
    # empty where the last run went well
    last_reason = models.CharField(max_length=200, blank=True)

    class Meta:
        ordering = ["name"]
        verbose_name = "schedule"

    def __str__(self) -> str:
        return self.name
