"""Schedules in the admin: what runs by the clock, how its last run went, and a button that runs it now."""

from typing import Any

from django.contrib import admin, messages
from django.core.exceptions import PermissionDenied
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.urls import URLPattern, path, reverse
from django.utils.html import format_html
from dramatiq.errors import BrokerError
from redis import RedisError
from unfold.decorators import display

from marb.access.roles import is_superuser
from monitoring.admin.frame import Facts, MeasurePage, moment
from monitoring.models import ScheduledJob
from monitoring.room import words
from monitoring.room.belt import when
from monitoring.schedules import Unknown, run_now

RESULTS = {"Went well": "success", "Failed": "danger", "Not yet": "info"}
AWAY = (RedisError, BrokerError, OSError)


@admin.register(ScheduledJob)
class ScheduledJobAdmin(MeasurePage):
    """The actors that run on schedule."""

    page_template = "monitoring/schedule.html"
    ordering = ("name",)
    list_display = ("title", "when", "queue", "last_run", "took", "result", "reason", "run")
    search_fields = ("name",)
    actions = ("run_all",)

    def get_urls(self) -> list[URLPattern]:
        view = self.admin_site.admin_view(self.run_view)
        return [path("<path:object_id>/run/", view, name="monitoring_scheduledjob_run"), *super().get_urls()]

    def run_view(self, request: HttpRequest, object_id: str) -> HttpResponse:
        """Send the actor's message at once (POST), and go back to the list."""
        if request.method != "POST" or not is_superuser(request.user):
            raise PermissionDenied
        run_one(request, self.get_object(request, object_id))
        return redirect("admin:monitoring_scheduledjob_changelist")

    @admin.action(description="Run the selected schedules now")
    def run_all(self, request: HttpRequest, queryset: QuerySet[ScheduledJob]) -> None:
        for job in queryset:
            run_one(request, job)

    def page(self, request: HttpRequest, record: ScheduledJob) -> dict[str, Any]:
        return {"title": words.actor_title(record.name), "job": record, "facts": self.facts(record)}

    def facts(self, record: ScheduledJob) -> Facts:
        return [
            *(("Actor", record.name), ("Runs", self.when(record)), ("Queue", record.queue)),
            *(("Last run", moment(record.last_started_at)), ("Took", self.took(record))),
            *(("Result", self.result(record)), ("Why", record.last_reason)),
        ]

    @display(description="Schedule")
    def title(self, job: ScheduledJob) -> str:
        return words.actor_title(job.name)

    @display(description="Runs")
    def when(self, job: ScheduledJob) -> str:
        return when(job.schedule)

    @display(description="Last run (UTC)")
    def last_run(self, job: ScheduledJob) -> str:
        return f"{job.last_started_at:%m/%d/%Y %H:%M:%S}" if job.last_started_at else ""

    @display(description="Took")
    def took(self, job: ScheduledJob) -> str:
        return words.seconds(job.last_seconds) if job.last_seconds is not None else ""

    @display(description="Result", label=RESULTS)
    def result(self, job: ScheduledJob) -> str:
        if not job.last_started_at:
            return "Not yet"
        return "Failed" if job.last_reason else "Went well"

    @display(description="Why")
    def reason(self, job: ScheduledJob) -> str:
        return job.last_reason

    @display(description="")
    def run(self, job: ScheduledJob) -> str:
        """A button of the list's own form, which carries the token against forgery."""
        url = reverse("admin:monitoring_scheduledjob_run", args=[job.pk])
        return format_html('<button class="m-link" type="submit" formaction="{}">Run now</button>', url)


def run_one(request: HttpRequest, job: Any) -> None:
    """Send one schedule's message, and say what came of it."""
    title = words.actor_title(job.name)
    try:
        run_now(job.name)
    except Unknown:
        messages.error(request, f"{title}: it is on no schedule any more.")
    except AWAY:
        messages.error(request, f"{title}: the broker does not answer. Nothing was sent; try again later.")
    else:
        messages.success(request, f"{title}: sent. A worker runs it as soon as one is free.")
