"""Alerts in the admin: rules with thresholds that a superuser sets, what fired, who acknowledged it, who is told.

Rules are neither added nor deleted: there is one for every metric, and one that is not wanted is switched off.
"""

from typing import Any

from django import forms
from django.contrib import admin, messages
from django.core.exceptions import PermissionDenied, ValidationError
from django.core.validators import validate_email
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.urls import URLPattern, path
from django.utils.http import url_has_allowed_host_and_scheme
from unfold.contrib.filters.admin import DropdownFilter
from unfold.decorators import display

from marb.access.roles import is_superuser
from marb.core.cache import EVERYBODY, touching
from marb.core.list_filters import DayRangeFilter
from monitoring.admin.frame import Facts, MeasureAdmin, MeasurePage, link, moment
from monitoring.alerts import acknowledge
from monitoring.metrics import METRICS
from monitoring.models import Alert, AlertRule, AlertTarget, Notice, Severity
from monitoring.notices import Refused, check_url
from monitoring.room import words
from monitoring.room.state import amount

SEVERITIES = {Severity.CRITICAL.label: "danger", Severity.WARNING.label: "warning"}
STATES = {"Open": "danger", "Acknowledged": "warning", "Cleared": "success"}
MOST_ACKNOWLEDGED = 200


def unit_of(rule: AlertRule) -> str:
    metric = METRICS.get(rule.metric)
    return metric.unit if metric else ""


class RuleForm(forms.ModelForm):
    """A rule's thresholds, with what each of them does."""

    class Meta:
        labels = {
            "window_seconds": "Measured over",
            "fire_after": "Fires after",
            "clear_after": "Clears after",
            "is_enabled": "On",
            "advice": "What to do",
        }
        help_texts = {
            "threshold": "In the unit that is measured.",
            "window_seconds": "Seconds, at least a minute.",
            "fire_after": "So many bad judgements in a row. Rules are judged every half minute.",
            "clear_after": "So many good judgements in a row.",
            "is_enabled": "A rule that is off clears its alert.",
            "advice": "Shown with the alert, and sent with it.",
        }


@admin.register(AlertRule)
class AlertRuleAdmin(MeasureAdmin):
    """What is judged, against which threshold, and how often in a row before it fires or clears."""

    form = RuleForm
    ordering = ("name",)
    list_display = ("name", "what", "limit", "value", "severity_shown", "is_enabled", "judged")
    list_select_related = ()
    search_fields = ("name", "metric")
    fields = (
        *("name", "measures", "comparison", "threshold", "severity", "window_seconds", "fire_after", "clear_after"),
        *("is_enabled", "advice", "value", "judged"),
    )
    readonly_fields = ("name", "measures", "comparison", "value", "judged")

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return is_superuser(request.user)

    def save_model(self, request: HttpRequest, obj: Any, form: Any, change: bool) -> None:
        with touching(EVERYBODY, "alert"):
            super().save_model(request, obj, form, change)

    @display(description="Measures")
    def what(self, rule: AlertRule) -> str:
        metric = METRICS.get(rule.metric)
        return metric.title if metric else f"{rule.metric} (no longer measured)"

    @display(description="Measures")
    def measures(self, rule: AlertRule) -> str:
        unit = unit_of(rule)
        return f"{self.what(rule)}, in {unit}" if unit else self.what(rule)

    @display(description="Alert when")
    def limit(self, rule: AlertRule) -> str:
        return f"{rule.comparison} {amount(rule.threshold, unit_of(rule))}"

    @display(description="Last value")
    def value(self, rule: AlertRule) -> str:
        return "nothing to judge" if rule.last_value is None else amount(rule.last_value, unit_of(rule))

    @display(description="Severity", label=SEVERITIES)
    def severity_shown(self, rule: AlertRule) -> str:
        return rule.get_severity_display()

    @display(description="Judged (UTC)")
    def judged(self, rule: AlertRule) -> str:
        return f"{rule.evaluated_at:%m/%d/%Y %H:%M:%S}" if rule.evaluated_at else "not yet"


class StateFilter(DropdownFilter):
    title = "state"
    parameter_name = "state"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, str]]:
        return [("open", "Open"), ("unseen", "Open, not acknowledged"), ("cleared", "Cleared")]

    def queryset(self, request: HttpRequest, queryset: QuerySet[Any]) -> QuerySet[Any]:
        chosen: dict[str | None, dict[str, Any]] = {
            "open": {"cleared_at": None},
            "unseen": {"cleared_at": None, "acknowledged_at": None},
            "cleared": {"cleared_at__isnull": False},
        }
        return queryset.filter(**chosen.get(self.value(), {}))


class SeverityFilter(DropdownFilter):
    title = "severity"
    parameter_name = "severity"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, str]]:
        return [(severity.value, severity.label) for severity in Severity]

    def queryset(self, request: HttpRequest, queryset: QuerySet[Any]) -> QuerySet[Any]:
        return queryset.filter(rule__severity=self.value()) if self.value() else queryset


@admin.register(Alert)
class AlertAdmin(MeasurePage):
    """What was wrong, from when to when; a person says that she has seen it."""

    page_template = "monitoring/alert.html"
    ordering = ("-fired_at", "-id")
    list_display = ("name", "state", "severity", "fired", "lasted", "limit", "first_value", "worst_value", "seen_by")
    list_filter = (StateFilter, SeverityFilter, ("fired_at", DayRangeFilter))
    list_select_related = ("rule", "acknowledged_by")
    search_fields = ("rule__name",)
    search_help_text = "Name of a rule"
    sortable_by = ("fired",)
    actions = ("acknowledge_all",)
    export_columns = (
        ("alert", lambda row: row.pk),
        ("rule", lambda row: row.rule.name),
        ("severity", lambda row: row.rule.severity),
        ("fired_at", lambda row: row.fired_at.isoformat()),
        ("cleared_at", lambda row: row.cleared_at and row.cleared_at.isoformat()),
        ("threshold", lambda row: row.threshold),
        ("value", lambda row: row.value),
        ("worst", lambda row: row.worst),
        ("acknowledged_by", lambda row: row.acknowledged_by and row.acknowledged_by.get_username()),
        ("acknowledged_at", lambda row: row.acknowledged_at and row.acknowledged_at.isoformat()),
        ("comment", lambda row: row.comment),
    )

    def get_urls(self) -> list[URLPattern]:
        view = self.admin_site.admin_view(self.acknowledge_view)
        return [
            path("<path:object_id>/acknowledge/", view, name="monitoring_alert_acknowledge"),
            *super().get_urls(),
        ]

    def acknowledge_view(self, request: HttpRequest, object_id: str) -> HttpResponse:
        """Note that the asking person has seen the alert (POST `comment`), and go back to where she was."""
        if request.method != "POST" or not is_superuser(request.user):
            raise PermissionDenied
        alert: Any = self.get_object(request, object_id)
        if acknowledge(alert, request.user, request.POST.get("comment", "").strip()):
            messages.success(request, f"{alert.rule.name}: acknowledged.")
        else:
            messages.warning(request, f"{alert.rule.name}: it was acknowledged before.")
        back = request.POST.get("next", "")
        if url_has_allowed_host_and_scheme(back, {request.get_host()}):
            return redirect(back)
        return redirect("admin:monitoring_alert_change", alert.pk)

    @admin.action(description="Acknowledge the selected alerts")
    def acknowledge_all(self, request: HttpRequest, queryset: QuerySet[Alert]) -> None:
        taken = sum(acknowledge(alert, request.user) for alert in queryset[:MOST_ACKNOWLEDGED])
        messages.success(request, f"{taken:,} alerts were acknowledged.")

    def page(self, request: HttpRequest, record: Alert) -> dict[str, Any]:
        notices = Notice.objects.filter(alert=record).select_related("target").order_by("id")
        told = [(notice, sent_words(notice)) for notice in notices]
        return {"title": record.rule.name, "alert": record, "facts": self.facts(record), "notices": told}

    def facts(self, record: Alert) -> Facts:
        return [
            *(("Rule", link(record.rule)), ("Severity", record.rule.get_severity_display())),
            *(
                ("State", self.state(record)),
                ("Fired", moment(record.fired_at)),
                ("Cleared", moment(record.cleared_at)),
            ),
            *(("Alert when", self.limit(record)), ("At first", self.first_value(record))),
            *(("Worst", self.worst_value(record)), ("What to do", record.rule.advice)),
            *(("Acknowledged by", self.seen_by(record)), ("Acknowledged", moment(record.acknowledged_at))),
            ("Comment", record.comment),
        ]

    @display(description="Alert", ordering="rule__name")
    def name(self, alert: Alert) -> str:
        return alert.rule.name

    @display(description="State", label=STATES)
    def state(self, alert: Alert) -> str:
        return "Cleared" if alert.cleared_at else "Acknowledged" if alert.acknowledged_at else "Open"

    @display(description="Severity", label=SEVERITIES)
    def severity(self, alert: Alert) -> str:
        return alert.rule.get_severity_display()

    @display(description="Fired (UTC)", ordering="fired_at")
    def fired(self, alert: Alert) -> str:
        return f"{alert.fired_at:%m/%d/%Y %H:%M:%S}"

    @display(description="Cleared after")
    def lasted(self, alert: Alert) -> str:
        return words.seconds((alert.cleared_at - alert.fired_at).total_seconds()) if alert.cleared_at else ""

    @display(description="Alert when")
    def limit(self, alert: Alert) -> str:
        return f"{alert.rule.comparison} {amount(alert.threshold, unit_of(alert.rule))}"

    @display(description="At first")
    def first_value(self, alert: Alert) -> str:
        return amount(alert.value, unit_of(alert.rule))

    @display(description="Worst")
    def worst_value(self, alert: Alert) -> str:
        return amount(alert.worst, unit_of(alert.rule))

    @display(description="Acknowledged by")
    def seen_by(self, alert: Alert) -> str:
        return alert.acknowledged_by.get_username() if alert.acknowledged_by else ""


def sent_words(notice: Notice) -> str:
    """Say what became of a notice."""
    if notice.sent_at:
        return f"sent {moment(notice.sent_at)}"
    tries = words.counted(notice.attempts, "try").replace("trys", "tries")
    return f"not sent after {tries}: {notice.reason}" if notice.attempts else "waits to be sent"


class TargetForm(forms.ModelForm):
    """An address that fits its kind: an e-mail address, or a webhook's URL as monitoring.notices allows it."""

    def clean(self) -> dict[str, Any]:
        given = super().clean() or {}
        address, kind = given.get("address", ""), given.get("kind")
        try:
            if kind == AlertTarget.Kind.MAIL:
                validate_email(address)
            elif kind == AlertTarget.Kind.WEBHOOK:
                check_url(address)
        except Refused as refusal:
            raise ValidationError({"address": str(refusal)}) from None
        except ValidationError:
            raise ValidationError({"address": "This is not an e-mail address."}) from None
        return given


@admin.register(AlertTarget)
class AlertTargetAdmin(MeasureAdmin):
    """Who is told of alerts; a superuser adds, changes and deletes them."""

    form = TargetForm
    ordering = ("kind", "address")
    list_display = ("address", "kind", "severity", "is_enabled")
    fields = ("kind", "address", "severity", "is_enabled")

    def has_add_permission(self, request: HttpRequest) -> bool:
        return is_superuser(request.user)

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return is_superuser(request.user)

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return is_superuser(request.user)
