"""What was measured, as lists: timings, gauges, checkpoints, slow statements with their plans, and processes.

The list of processes carries the control room's own addresses.
"""

import json
from typing import Any

from django.contrib import admin
from django.db.models import QuerySet
from django.http import HttpRequest
from django.urls import URLPattern, path
from unfold.contrib.filters.admin import ChoicesDropdownFilter, DropdownFilter
from unfold.decorators import display

from marb.core.list_filters import DayRangeFilter
from marb.core.measure.histogram import percentile
from monitoring.admin.frame import Dated, Facts, MeasurePage, link, moment
from monitoring.models import Checkpoint, Process, Sample, Statement, Timing
from monitoring.reading import processes_alive
from monitoring.room import words
from monitoring.room.machine import exceeded_words
from monitoring.room.page import figures_view, room_view
from monitoring.room.reading import is_silent

KINDS = [
    *(("request", "Requests"), ("actor", "Actors"), ("wait", "Waiting for a worker"), ("sql", "Statements")),
    *(("slow_sql", "Slow statements"), ("call", "Calls")),
]

# characters of a statement in a list
MOST_TEXT = 90


class KindFilter(DropdownFilter):
    title = "kind"
    parameter_name = "kind"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, str]]:
        return list(KINDS)

    def queryset(self, request: HttpRequest, queryset: QuerySet[Any]) -> QuerySet[Any]:
        return queryset.filter(kind=self.value()) if self.value() else queryset


@admin.register(Timing)
class TimingAdmin(Dated, MeasurePage):
    """How often and how long, by minute and process, hour, or day."""

    list_display = ("moment", "span", "kind", "name", "count", "average", "p95", "slowest", "errors", "retries")
    list_filter = (KindFilter, ("span", ChoicesDropdownFilter), ("at", DayRangeFilter))
    list_select_related = ("process",)
    search_fields = ("name",)
    search_help_text = "Endpoint, actor, statement or function"
    sortable_by = ("moment", "count", "slowest", "errors", "retries")
    export_columns = (
        ("at", lambda row: row.at.isoformat()),
        ("span", lambda row: row.span),
        ("kind", lambda row: row.kind),
        ("name", lambda row: row.name),
        ("process", lambda row: row.process_id),
        ("count", lambda row: row.count),
        ("errors", lambda row: row.errors),
        ("retries", lambda row: row.retries),
        ("total_ms", lambda row: row.total_us / 1000),
        ("p50_ms", lambda row: share_ms(row, 0.5)),
        ("p95_ms", lambda row: share_ms(row, 0.95)),
        ("p99_ms", lambda row: share_ms(row, 0.99)),
        ("slowest_ms", lambda row: row.most_us / 1000),
    )

    def facts(self, record: Timing) -> Facts:
        shares = [(f"p{share * 100:.0f}", words.milliseconds(share_ms(record, share))) for share in (0.5, 0.95, 0.99)]
        return [
            *(("Kind", record.kind), ("Name", record.name), ("From", moment(record.at)), ("For a", record.span)),
            *(("Process", link(record.process) or "all"), ("Count", words.whole(record.count))),
            *(("Errors", words.whole(record.errors)), ("Retries", words.whole(record.retries))),
            *(("Average", self.average(record)), *shares, ("Slowest", self.slowest(record))),
        ]

    @display(description="Average")
    def average(self, row: Timing) -> str:
        return words.milliseconds(row.total_us / row.count / 1000 if row.count else None)

    @display(description="p95")
    def p95(self, row: Timing) -> str:
        return words.milliseconds(share_ms(row, 0.95))

    @display(description="Slowest", ordering="most_us")
    def slowest(self, row: Timing) -> str:
        return words.milliseconds(row.most_us / 1000)


def share_ms(row: Timing, share: float) -> float | None:
    """Get a percentile of a row in milliseconds, no more than its slowest."""
    found = percentile(dict(zip(row.buckets, row.counts, strict=True)), share)
    return None if found is None else round(min(found, row.most_us) / 1000, 3)


@admin.register(Sample)
class SampleAdmin(Dated, MeasurePage):
    """Gauges and counters, by minute and process, hour, or day."""

    list_display = ("moment", "span", "name", "label", "count", "average", "least", "most", "total")
    list_filter = (("span", ChoicesDropdownFilter), ("at", DayRangeFilter))
    list_select_related = ("process",)
    search_fields = ("name",)
    search_help_text = "A gauge or counter, such as cpu_percent"
    sortable_by = ("moment", "count", "least", "most", "total")
    export_columns = (
        ("at", lambda row: row.at.isoformat()),
        ("span", lambda row: row.span),
        ("name", lambda row: row.name),
        ("label", lambda row: row.label),
        ("process", lambda row: row.process_id),
        ("count", lambda row: row.count),
        ("total", lambda row: row.total),
        ("least", lambda row: row.least),
        ("most", lambda row: row.most),
        ("last", lambda row: row.last),
    )

    def facts(self, record: Sample) -> Facts:
        return [
            *(("Name", record.name), ("Of", record.label), ("From", moment(record.at)), ("For a", record.span)),
            *(("Process", link(record.process) or "all"), ("Sampled", words.whole(record.count))),
            *(("Average", self.average(record)), ("Least", plain(record.least)), ("Most", plain(record.most))),
            *(("Last", plain(record.last)), ("Sum", plain(record.total))),
        ]

    @display(description="Average")
    def average(self, row: Sample) -> str:
        return plain(row.total / row.count) if row.count else ""


def plain(number: float) -> str:
    return f"{number:,.0f}" if number == int(number) else f"{number:,.2f}"


class ExceededFilter(DropdownFilter):
    """Checkpoints that exceed a threshold."""

    title = "threshold"
    parameter_name = "exceeded"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, str]]:
        names = (f"{what}_{level}" for what in ("process", "delta", "system") for level in ("warning", "critical"))
        return [(name, name.replace("_", " ").capitalize()) for name in names]

    def queryset(self, request: HttpRequest, queryset: QuerySet[Any]) -> QuerySet[Any]:
        known = {name for name, _ in self.lookup_choices}
        if self.value() not in known:
            return queryset
        return queryset.filter(thresholds_exceeded__contains={self.value(): True})


@admin.register(Checkpoint)
class CheckpointAdmin(Dated, MeasurePage):
    """The memory of a process at the points of a heavy operation."""

    list_display = ("moment", "operation", "checkpoint", "change", "memory", "peak", "machine", "took", "exceeded")
    list_filter = (ExceededFilter, ("at", DayRangeFilter))
    list_select_related = ("process",)
    search_fields = ("operation", "checkpoint")
    search_help_text = "Operation or checkpoint, such as link_episodes"
    sortable_by = ("moment", "change", "memory", "peak", "took")
    export_columns = (
        ("at", lambda row: row.at.isoformat()),
        ("operation", lambda row: row.operation),
        ("checkpoint", lambda row: row.checkpoint),
        ("process", lambda row: row.process_id),
        ("process_memory_mb", lambda row: row.process_memory_mb),
        ("process_memory_delta_mb", lambda row: row.process_memory_delta_mb),
        ("peak_memory_mb", lambda row: row.peak_memory_mb),
        ("system_memory_total_mb", lambda row: row.system_memory_total_mb),
        ("system_memory_available_mb", lambda row: row.system_memory_available_mb),
        ("system_memory_percent", lambda row: row.system_memory_percent),
        ("seconds", lambda row: row.seconds),
        ("thresholds_exceeded", lambda row: exceeded_words(row.thresholds_exceeded)),
        ("metadata", lambda row: json.dumps(row.metadata, sort_keys=True)),
    )

    def facts(self, record: Checkpoint) -> Facts:
        told = [(words.actor_title(name), value) for name, value in sorted(record.metadata.items())]
        available = words.megabytes(record.system_memory_available_mb)
        return [
            *(("Operation", record.operation), ("Checkpoint", record.checkpoint), ("At", moment(record.at))),
            *(("Since its start", self.took(record)), ("Process", link(record.process))),
            *(("Memory of the process", self.memory(record)), ("Change since its start", self.change(record))),
            *(("Peak of the process", self.peak(record)), ("Memory of the machine", self.machine(record))),
            *(("Free on the machine", available), ("Thresholds exceeded", self.exceeded(record) or "none")),
            *told,
        ]

    @display(description="Change", ordering="process_memory_delta_mb")
    def change(self, row: Checkpoint) -> str:
        return words.megabytes(row.process_memory_delta_mb)

    @display(description="Process", ordering="process_memory_mb")
    def memory(self, row: Checkpoint) -> str:
        return words.megabytes(row.process_memory_mb)

    @display(description="Peak", ordering="peak_memory_mb")
    def peak(self, row: Checkpoint) -> str:
        return words.megabytes(row.peak_memory_mb)

    @display(description="Machine")
    def machine(self, row: Checkpoint) -> str:
        total = words.megabytes(row.system_memory_total_mb)
        return f"{words.percent(row.system_memory_percent)} of {total}"

    @display(description="Took", ordering="seconds")
    def took(self, row: Checkpoint) -> str:
        return words.seconds(row.seconds)

    @display(description="Thresholds exceeded")
    def exceeded(self, row: Checkpoint) -> str:
        return exceeded_words(row.thresholds_exceeded)


@admin.register(Statement)
class StatementAdmin(MeasurePage):
    """Slow statements without values; the page shows PostgreSQL's plan."""

    page_template = "monitoring/statement.html"
    ordering = ("-seen_at",)
    list_display = ("short", "seen", "has_plan", "reason")
    list_filter = (("seen_at", DayRangeFilter),)
    search_fields = ("text", "fingerprint")
    search_help_text = "Any part of the text, or the fingerprint"
    sortable_by = ("seen",)

    def page(self, request: HttpRequest, record: Statement) -> dict[str, Any]:
        return {"title": "Slow statement", "facts": self.facts(record), "plan": list(plan_lines(record.plan))}

    def facts(self, record: Statement) -> Facts:
        seen = (("First seen", moment(record.first_seen_at)), ("Last seen", moment(record.seen_at)))
        return [("Fingerprint", record.fingerprint), *seen, ("Why there is no plan", record.reason)]

    @display(description="Statement")
    def short(self, row: Statement) -> str:
        text = " ".join(row.text.split())
        return f"{text[:MOST_TEXT]}…" if len(text) > MOST_TEXT else text

    @display(description="Last seen (UTC)", ordering="seen_at")
    def seen(self, row: Statement) -> str:
        return f"{row.seen_at:%m/%d/%Y %H:%M}"

    @display(description="Plan", boolean=True)
    def has_plan(self, row: Statement) -> bool:
        return row.plan is not None


def plan_lines(plan: dict[str, Any] | None, depth: int = 0) -> Any:
    """Walk a plan as lines: a dot for each step above, what is done on what, rows and cost that PostgreSQL expects."""
    if plan:
        named = (plan.get("Relation Name", ""), plan.get("Index Name", ""))
        done = " ".join(str(plan[key]) for key in ("Operation", "Strategy", "Join Type", "Node Type") if key in plan)
        yield "·  " * depth, done, " by ".join(filter(None, named)), plan.get("Plan Rows", 0), plan.get("Total Cost", 0)
        for below in plan.get("Plans", []):
            yield from plan_lines(below, depth + 1)


class AliveFilter(DropdownFilter):
    title = "state"
    parameter_name = "state"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, str]]:
        return [("alive", "Alive"), ("lost", "Lost"), ("stopped", "Stopped")]

    def queryset(self, request: HttpRequest, queryset: QuerySet[Any]) -> QuerySet[Any]:
        if self.value() == "alive":
            return queryset.filter(pk__in=processes_alive().values("pk"))
        if self.value() == "lost":
            return queryset.filter(stopped_at=None).exclude(pk__in=processes_alive().values("pk"))
        return queryset.filter(stopped_at__isnull=False) if self.value() == "stopped" else queryset


@admin.register(Process)
class ProcessAdmin(MeasurePage):
    """Every process that measured; and the control room, whose heartbeats they are."""

    ordering = ("-seen_at",)
    list_display = ("role", "host", "pid", "state", "started", "seen", "dropped")
    list_filter = (AliveFilter, ("seen_at", DayRangeFilter))
    search_fields = ("role", "host")
    search_help_text = "Role, such as worker, or machine"
    sortable_by = ("started", "seen", "dropped")

    def get_urls(self) -> list[URLPattern]:
        view, extra = self.admin_site.admin_view, {"model_admin": self}
        return [
            path("room/", view(room_view), extra, name="monitoring_process_room"),
            path("figures/", view(figures_view), extra, name="monitoring_process_figures"),
            *super().get_urls(),
        ]

    def facts(self, record: Process) -> Facts:
        return [
            *(("Role", record.role), ("Machine", record.host), ("Process id", record.pid)),
            *(("State", self.state(record)), ("Started", moment(record.started_at))),
            *(("Last heard of", moment(record.seen_at)), ("Stopped", moment(record.stopped_at))),
            ("Measures without room", words.whole(record.dropped)),
        ]

    @display(description="State", label={"Alive": "success", "Lost": "danger", "Stopped": "info"})
    def state(self, row: Process) -> str:
        return "Stopped" if row.stopped_at else "Lost" if is_silent(row) else "Alive"

    @display(description="Started (UTC)", ordering="started_at")
    def started(self, row: Process) -> str:
        return f"{row.started_at:%m/%d/%Y %H:%M:%S}"

    @display(description="Last heard of (UTC)", ordering="seen_at")
    def seen(self, row: Process) -> str:
        return f"{row.seen_at:%m/%d/%Y %H:%M:%S}"
