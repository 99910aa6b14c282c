"""The control room's rows in the admin: alerts acknowledged, thresholds set, schedules run, lists found, exported."""

from datetime import timedelta
from typing import Any

import dramatiq
import pytest
import redis
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse
from django.utils import timezone

from marb.core.measure.ledger import Run
from monitoring.alerts import clear, fire, firing
from monitoring.models import (
    Alert,
    AlertRule,
    AlertTarget,
    Checkpoint,
    Notice,
    Process,
    Sample,
    ScheduledJob,
    Statement,
    Timing,
)
from monitoring.room.banner import open_alerts
from monitoring.tests.measures import hand_on, note, sample, timing

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("default_rules")]
MODELS: tuple[Any, ...] = (Alert, AlertRule, AlertTarget, Checkpoint, Process, Sample, ScheduledJob, Statement, Timing)
WRITABLE = (AlertRule, AlertTarget)


@pytest.fixture
def operator(client: Client, root: Any) -> Client:
    client.force_login(root)
    return client


@pytest.fixture
def alert(default_rules: None) -> Alert:
    return fire(AlertRule.objects.get(metric="dead_letters"), 3.0, timezone.now())


@pytest.fixture
def measured(alert: Alert) -> None:
    """One row of everything."""
    high = note(2, delta=300.0)._replace(thresholds_exceeded={"delta_warning": True})
    hand_on(
        role="worker",
        timings=[timing("GET claim-list", [10_000] * 20, errors=1)],
        samples=[sample("cpu_percent", 5, "box")],
        notes=[note(1), high],
        statements={"f00d": "SELECT * FROM pipeline_edifile WHERE id = %s"},
        runs=[Run("reap", timezone.now(), 0.5, "")],
    )
    target = AlertTarget.objects.create(kind="mail", address="ops@example.org")
    Notice.objects.create(alert=alert, target=target, event="fired", attempts=2, reason="OSError")


def place(model: Any, page: str) -> str:
    return f"admin:monitoring_{model._meta.model_name}_{page}"


def text_of(answer: Any) -> str:
    assert answer.status_code == 200
    return b"".join(answer.streaming_content).decode() if answer.streaming else answer.content.decode()


@pytest.mark.parametrize("model", MODELS, ids=lambda model: model.__name__)
def test_every_list_and_page_opens_for_a_superuser(model: Any, operator: Client, measured: None) -> None:
    assert "1" in text_of(operator.get(reverse(place(model, "changelist"))))
    assert text_of(operator.get(reverse(place(model, "change"), args=[model.objects.first().pk])))


@pytest.mark.parametrize("role", ["administrator", "auditor"])
def test_nobody_else_sees_or_does_anything(
    role: str, request: pytest.FixtureRequest, client: Client, measured: None, alert: Alert
) -> None:
    client.force_login(request.getfixturevalue(role))
    for model in MODELS:
        assert client.get(reverse(place(model, "changelist"))).status_code == 403
        assert client.get(reverse(place(model, "change"), args=[model.objects.first().pk])).status_code in (403, 404)
    job = ScheduledJob.objects.get()
    assert client.post(reverse("admin:monitoring_alert_acknowledge", args=[alert.pk])).status_code == 403
    assert client.post(reverse("admin:monitoring_scheduledjob_run", args=[job.pk])).status_code == 403
    assert [each.acknowledged_at for each in firing()] == [None]


def test_what_was_measured_cannot_be_changed(operator: Client, measured: None) -> None:
    for model in set(MODELS) - set(WRITABLE):
        first = model.objects.first()
        assert operator.get(reverse(place(model, "add"))).status_code == 403
        assert operator.post(reverse(place(model, "change"), args=[first.pk]), {}).status_code == 403
        assert operator.post(reverse(place(model, "delete"), args=[first.pk]), {"post": "yes"}).status_code == 403


@pytest.mark.parametrize("model", [Timing, Sample, Checkpoint, Alert], ids=lambda model: model.__name__)
def test_a_list_of_many_costs_as_many_queries_as_one_of_few(model: Any, operator: Client, measured: None) -> None:
    def count() -> int:
        with CaptureQueriesContext(connection) as captured:
            operator.get(reverse(place(model, "changelist")))
        return len(captured)

    # what is kept in the cache is there from the first look on
    count()
    few = count()
    for number in range(10):
        each = {"timings": [timing(f"GET {number}", [1])], "samples": [sample("cpu_percent", 1, str(number))]}
        hand_on(token=str(number), notes=[note(number + 10)], **each)
    for rule in AlertRule.objects.exclude(metric="dead_letters"):
        clear(fire(rule, 1.0, timezone.now()), timezone.now())
    assert count() <= few + 1


class TestAcknowledging:
    def test_it_notes_who_when_and_what(self, operator: Client, root: Any, alert: Alert) -> None:
        address = reverse("admin:monitoring_alert_acknowledge", args=[alert.pk])
        answer = operator.post(address, {"comment": " on it "}, follow=True)
        assert "Dead letters: acknowledged." in text_of(answer)
        alert.refresh_from_db()
        assert (alert.acknowledged_by, alert.comment) == (root, "on it")
        assert alert.acknowledged_at is not None
        assert "was acknowledged before" in text_of(operator.post(address, follow=True))

    def test_it_goes_back_to_a_page_of_ours_only(self, operator: Client, alert: Alert) -> None:
        address = reverse("admin:monitoring_alert_acknowledge", args=[alert.pk])
        own = reverse("admin:monitoring_alert_change", args=[alert.pk])
        assert operator.post(address, {"next": "https://example.org/"}).headers["Location"] == own
        assert operator.post(address, {"next": "/claims/claim/"}).headers["Location"] == "/claims/claim/"

    def test_it_is_not_done_by_following_a_link(self, operator: Client, alert: Alert) -> None:
        assert operator.get(reverse("admin:monitoring_alert_acknowledge", args=[alert.pk])).status_code == 403

    def test_several_at_once(self, operator: Client, alert: Alert) -> None:
        data = {"action": "acknowledge_all", "_selected_action": [alert.pk]}
        operator.post(reverse("admin:monitoring_alert_changelist"), data)
        assert [each.acknowledged_at is None for each in firing()] == [False]


class TestTheBanner:
    def test_it_is_on_every_page_for_those_who_may_see_it(self, operator: Client, alert: Alert) -> None:
        for name in ("index", "claims_claim_changelist", "monitoring_alertrule_changelist"):
            text = text_of(operator.get(reverse(f"admin:{name}")))
            assert "<strong>Dead letters</strong>: 3 messages, above 0 messages" in text, name
        assert "r-banner" not in text_of(operator.get(reverse("admin:monitoring_process_room")))

    def test_it_costs_others_nothing_and_shows_them_nothing(self, client: Client, biller: Any, alert: Alert) -> None:
        client.force_login(biller)
        with CaptureQueriesContext(connection) as captured:
            assert "r-banner" not in text_of(client.get(reverse("admin:index")))
        assert not [each for each in captured if "monitoring_alert" in each["sql"]]

    def test_it_says_who_acknowledged(self, operator: Client, alert: Alert) -> None:
        operator.get(reverse("admin:index"))
        operator.post(reverse("admin:monitoring_alert_acknowledge", args=[alert.pk]))
        assert "Acknowledged by root" in text_of(operator.get(reverse("admin:index")))

    def test_more_than_it_shows_are_counted(self, operator: Client) -> None:
        for rule in AlertRule.objects.all()[:5]:
            fire(rule, 1.0, timezone.now())
        text = text_of(operator.get(reverse("admin:index")))
        assert text.count('class="m-note') == 3
        assert "and 2 more" in text


def test_the_banner_is_read_once_until_an_alert_fires_or_clears(
    django_assert_num_queries: Any, django_capture_on_commit_callbacks: Any
) -> None:
    assert open_alerts((0,)) == []
    with django_assert_num_queries(0):
        assert open_alerts((0,)) == []
    with django_capture_on_commit_callbacks(execute=True):
        alert = fire(AlertRule.objects.get(metric="cpu"), 96.0, timezone.now())
    assert [each["name"] for each in open_alerts((0,))] == ["CPU high"]
    # a commit forgets what it has called; a test's transaction never commits
    connection.run_on_commit = []
    with django_capture_on_commit_callbacks(execute=True):
        clear(alert, timezone.now())
    assert open_alerts((0,)) == []


class TestRules:
    def test_a_threshold_is_set_by_a_person(self, operator: Client) -> None:
        rule = AlertRule.objects.get(metric="cpu")
        data = {"threshold": "75.5", "severity": "critical", "window_seconds": 120, "fire_after": 3, "clear_after": 1}
        address = reverse("admin:monitoring_alertrule_change", args=[rule.pk])
        answer = operator.post(address, {**data, "advice": "x", "is_enabled": "on", "metric": "disk", "name": "stolen"})
        assert answer.status_code == 302
        rule.refresh_from_db()
        assert (rule.threshold, rule.severity, rule.fire_after) == (75.5, "critical", 3)
        assert (rule.metric, rule.name) == ("cpu", "CPU high")

    @pytest.mark.parametrize(("field", "value"), [("threshold", "many"), ("fire_after", "0"), ("window_seconds", "1")])
    def test_what_makes_no_sense_is_refused_in_words(self, field: str, value: str, operator: Client) -> None:
        rule = AlertRule.objects.get(metric="cpu")
        data = {"threshold": "75", "severity": "warning", "window_seconds": 120, "fire_after": 3, "clear_after": 1}
        address = reverse("admin:monitoring_alertrule_change", args=[rule.pk])
        answer = operator.post(address, {**data, field: value})
        assert field in answer.context["adminform"].form.errors
        rule.refresh_from_db()
        assert rule.threshold == 90

    def test_they_are_neither_added_nor_deleted(self, operator: Client) -> None:
        rule = AlertRule.objects.first()
        assert operator.get(reverse("admin:monitoring_alertrule_add")).status_code == 403
        assert rule is not None
        assert operator.post(reverse("admin:monitoring_alertrule_delete", args=[rule.pk])).status_code == 403


class TestTargets:
    @pytest.mark.parametrize(
        ("kind", "address", "said"),
        [
            ("mail", "nobody", "This is not an e-mail address."),
            ("webhook", "http://example.org/", "begins with https://"),
            ("webhook", "https://user:word@example.org/", "without a user or password"),
            ("webhook", "https://[", "not a URL"),
        ],
    )
    def test_an_address_that_cannot_be_is_refused(self, kind: str, address: str, said: str, operator: Client) -> None:
        data = {"kind": kind, "address": address, "severity": "warning", "is_enabled": "on"}
        assert said in text_of(operator.post(reverse("admin:monitoring_alerttarget_add"), data))
        assert not AlertTarget.objects.exists()

    def test_one_is_added_changed_and_deleted(self, operator: Client) -> None:
        data = {"kind": "webhook", "address": "https://example.org/a", "severity": "warning", "is_enabled": "on"}
        assert operator.post(reverse("admin:monitoring_alerttarget_add"), data).status_code == 302
        target = AlertTarget.objects.get()
        address = reverse("admin:monitoring_alerttarget_change", args=[target.pk])
        assert operator.post(address, {**data, "severity": "critical"}).status_code == 302
        target.refresh_from_db()
        assert target.severity == "critical"
        address = reverse("admin:monitoring_alerttarget_delete", args=[target.pk])
        assert operator.post(address, {"post": "yes"}).status_code == 302
        assert not AlertTarget.objects.exists()


class TestSchedules:
    @pytest.fixture
    def job(self) -> ScheduledJob:
        return ScheduledJob.objects.create(name="reap", queue="maintenance", schedule="interval[0:00:10]")

    def test_the_list_has_a_button_that_needs_no_script(self, operator: Client, job: ScheduledJob) -> None:
        text = text_of(operator.get(reverse("admin:monitoring_scheduledjob_changelist")))
        address = reverse("admin:monitoring_scheduledjob_run", args=[job.pk])
        assert f'formaction="{address}"' in text
        assert "every 10 s" in text

    def test_it_is_run_at_once(self, operator: Client, job: ScheduledJob, monkeypatch: pytest.MonkeyPatch) -> None:
        sent: list[Any] = []
        monkeypatch.setattr(dramatiq.get_broker(), "enqueue", sent.append)
        address = reverse("admin:monitoring_scheduledjob_run", args=[job.pk])
        assert "Reap: sent." in text_of(operator.post(address, follow=True))
        operator.post(
            reverse("admin:monitoring_scheduledjob_changelist"),
            {"action": "run_all", "_selected_action": [job.pk]},
        )
        assert [message.actor_name for message in sent] == ["reap", "reap"]
        assert operator.get(address).status_code == 403

    def test_one_that_is_on_no_schedule_is_told(self, operator: Client, job: ScheduledJob) -> None:
        ScheduledJob.objects.update(name="gone")
        answer = operator.post(reverse("admin:monitoring_scheduledjob_run", args=[job.pk]), follow=True)
        assert "it is on no schedule any more" in text_of(answer)

    def test_a_broker_that_is_away_is_told(
        self, operator: Client, job: ScheduledJob, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        def refuse(message: Any) -> None:
            raise redis.ConnectionError

        monkeypatch.setattr(dramatiq.get_broker(), "enqueue", refuse)
        answer = operator.post(reverse("admin:monitoring_scheduledjob_run", args=[job.pk]), follow=True)
        assert "the broker does not answer" in text_of(answer)


class TestLists:
    def test_checkpoints_are_found_by_operation_threshold_and_day(self, operator: Client, measured: None) -> None:
        address = reverse("admin:monitoring_checkpoint_changelist")
        day = f"{timezone.now() + timedelta(days=2):%Y-%m-%d}"
        found = {
            query: operator.get(f"{address}?{query}").context["cl"].result_count
            for query in ("q=edi_file", "q=nothing", "exceeded=delta_warning", "exceeded=x", f"at_from={day}")
        }
        assert list(found.values()) == [2, 0, 1, 2, 0]

    def test_checkpoints_are_sorted_by_their_change(self, operator: Client, measured: None) -> None:
        address = reverse("admin:monitoring_checkpoint_changelist")
        for order, highest in (("-4", 300.0), ("4", 1.0)):
            rows = operator.get(address, {"o": order}).context["cl"].result_list
            assert rows[0].process_memory_delta_mb == highest

    @pytest.mark.parametrize(
        ("model", "held"),
        [
            (Checkpoint, "process_edi_file,task_started"),
            (Timing, "request,GET claim-list"),
            (Sample, "cpu_percent,box"),
            (Alert, "Dead letters,warning"),
        ],
        ids=lambda value: getattr(value, "__name__", None),
    )
    def test_lists_are_exported(self, model: Any, held: str, operator: Client, measured: None) -> None:
        data = {"action": "export", "_selected_action": [row.pk for row in model.objects.all()]}
        text = text_of(operator.post(reverse(place(model, "changelist")), data))
        assert held in text
        assert len(text.splitlines()) == 1 + model.objects.count()

    def test_a_processs_state_is_found(self, operator: Client, measured: None) -> None:
        Process.objects.update(seen_at=timezone.now() - timedelta(hours=3))
        address = reverse("admin:monitoring_process_changelist")
        counts = [
            operator.get(address, {"state": state}).context["cl"].result_count for state in ("alive", "lost", "stopped")
        ]
        assert counts == [0, 1, 0]

    def test_an_alerts_state_is_found(self, operator: Client, alert: Alert) -> None:
        address = reverse("admin:monitoring_alert_changelist")
        queries = ({"state": "open"}, {"state": "cleared"}, {"severity": "warning"}, {"severity": "critical"})
        counts = [operator.get(address, query).context["cl"].result_count for query in queries]
        assert counts == [1, 0, 1, 0]

    def test_an_alerts_page_says_who_was_told(self, operator: Client, alert: Alert, measured: None) -> None:
        text = text_of(operator.get(reverse("admin:monitoring_alert_change", args=[alert.pk])))
        assert "ops@example.org" in text
        assert "not sent after 2 tries: OSError" in text

    def test_a_search_that_would_break_is_refused(self, operator: Client) -> None:
        address = reverse("admin:monitoring_timing_changelist")
        assert operator.get(address, {"q": "x" * 201}).status_code == 400
        assert operator.get(address, {"process__token__startswith": "a"}).status_code == 400
