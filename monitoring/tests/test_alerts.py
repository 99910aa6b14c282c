"""Each alert fires by a real cause and clears when it is gone; hysteresis; history; who is told."""

import io
import time
from datetime import timedelta
from importlib import import_module
from typing import Any

import dramatiq
import pytest
import redis
from django.apps import apps
from django.conf import settings as project
from django.core import mail
from django.db import connection
from django.utils import timezone

from marb.core.measure import actors, flusher, gauges, process
from marb.core.measure.ledger import Ledger
from marb.core.measure.memory import MEGABYTE
from marb.core.measure.middleware import RequestMiddleware
from marb.pipeline.models import Chunk, DeadLetter, EdiFile
from marb.pipeline.receive import receive
from marb.pipeline.run import step
from marb.pipeline.tests.edi import claim_file
from monitoring import notices, snapshot
from monitoring.alerts import acknowledge, evaluate, firing, is_bad
from monitoring.metrics import METRICS
from monitoring.models import Alert, AlertRule, AlertTarget, Notice, Process, Sample
from monitoring.sink import keep
from monitoring.tests.measures import hand_on, sample, this_minute, timing

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def rules():
    """The default rules, as the migration makes them; here each judges by itself, after one evaluation."""
    AlertRule.objects.all().delete()
    import_module("monitoring.migrations.0002_default_rules").create(apps, None)
    AlertRule.objects.update(fire_after=1, clear_after=1, is_enabled=False)


@pytest.fixture(autouse=True)
def ledger(monkeypatch) -> Ledger:
    fresh = Ledger("web")
    monkeypatch.setattr(process.HELD, "ledger", fresh)
    return fresh


@pytest.fixture
def flush(ledger):
    """Hand on what this process measured, as its thread would."""
    return lambda: keep(ledger.take())


@pytest.fixture
def aged(ledger):
    """Take what was measured so far for old, as after the rule's window."""

    def aged():
        ledger.__init__("web")
        for model in ("Timing", "Sample"):
            apps.get_model("monitoring", model).objects.update(at=timezone.now() - timedelta(hours=3))

    return aged


def judge(metric: str, **changes) -> AlertRule:
    """Let only the rule of this metric be judged."""
    AlertRule.objects.update(is_enabled=False)
    AlertRule.objects.filter(metric=metric).update(is_enabled=True, **changes)
    evaluate()
    return AlertRule.objects.get(metric=metric)


def is_firing(metric: str, **changes) -> bool:
    judge(metric, **changes)
    return [alert.rule.metric for alert in firing()] == [metric]


def test_there_is_a_rule_for_every_metric_and_a_metric_for_every_rule():
    assert set(AlertRule.objects.values_list("metric", flat=True)) == set(METRICS)


def test_the_default_thresholds_are_those_of_the_founding_documents():
    found = dict(AlertRule.objects.values_list("metric", "threshold"))
    told = {"throughput": 6667, "cpu": 90, "memory": 85, "pool": 90, "hit_rate": 80, "errors": 5, "stalled": 300}
    assert {name: found[name] for name in told} == told


def test_errors_fire_and_good_answers_clear(rf, flush, aged):
    from django.http import HttpResponse

    broken = RequestMiddleware(lambda request: HttpResponse(status=500))
    fine = RequestMiddleware(lambda request: HttpResponse())
    for _ in range(20):
        broken(rf.get("/"))
        fine(rf.get("/"))
    flush()
    assert is_firing("errors")
    assert judge("errors").last_value == 50
    for _ in range(1_000):
        fine(rf.get("/"))
    flush()
    assert not is_firing("errors")


@pytest.mark.parametrize(("metric", "milliseconds"), [("latency_p95", 201), ("latency_p99", 501)])
def test_slow_answers_fire_and_quick_ones_clear(metric, milliseconds, ledger, flush, aged):
    for _ in range(25):
        ledger.record("request", "GET x", milliseconds / 1000 * 1.01)
    flush()
    assert is_firing(metric)
    aged()
    for _ in range(25):
        ledger.record("request", "GET x", 0.01)
    flush()
    assert not is_firing(metric)


def test_slow_statements_fire_and_clear_when_there_are_none(flush, aged):
    with connection.cursor() as cursor:
        for _ in range(20):
            cursor.execute("SELECT pg_sleep(0.004)")
    flush()
    assert is_firing("query_p95", threshold=3)
    aged()
    assert not is_firing("query_p95", threshold=3)


def test_actors_that_fail_fire_and_those_that_succeed_clear(flush, aged):
    measure = actors.ActorMeasure()
    broker: object = dramatiq.get_broker()

    def run(error):
        message = dramatiq.MessageProxy(dramatiq.Message("maintenance", "reap", (), {}, {}))
        measure.before_process_message(broker, message)  # type: ignore[arg-type]
        measure.after_process_message(broker, message, exception=error)  # type: ignore[arg-type]

    run(ValueError())
    run(None)
    flush()
    assert is_firing("failures")
    assert judge("failures").last_value == 50
    aged()
    run(None)
    flush()
    assert not is_firing("failures")


def test_no_progress_fires_and_a_chunk_clears(practice, settings):
    settings.PIPELINE = {"837": ["marb.pipeline.tests.stages.load_chunk"], "file": [], "kept": []}
    settings.EDI_CHUNK_CLAIMS = 1
    data = claim_file(["100", "50", "7"])
    file_id = receive(practice_id=practice.pk, name="a.837", stream=io.BytesIO(data)).file_id
    step([file_id])
    assert not is_firing("stalled")
    past = timezone.now() - timedelta(minutes=6)
    EdiFile.objects.update(received_at=past, started_at=past)
    assert is_firing("stalled")
    assert judge("stalled").last_value == pytest.approx(360, abs=30)
    step([file_id])
    assert Chunk.objects.filter(state="done").count() == 1
    assert not is_firing("stalled")


def test_files_on_hold_and_finished_ones_do_not_stall(practice):
    past = timezone.now() - timedelta(days=1)
    held = {"practice": practice, "byte_count": 1, "received_at": past}
    EdiFile.objects.create(sha256="a", name="a", hold="paused", **held)
    EdiFile.objects.create(sha256="b", name="b", status="accepted", **held)
    assert not is_firing("stalled")


def test_a_dead_letter_fires_and_sending_it_again_clears():
    letter = DeadLetter.objects.create(actor="run_chunk", queue="ingest", ids=[1], reason="It was given up.")
    assert is_firing("dead_letters")
    DeadLetter.objects.filter(pk=letter.pk).update(redriven_at=timezone.now())
    assert not is_firing("dead_letters")


def test_a_slow_ingest_fires_while_files_wait_and_clears_when_none_does(practice, flush, aged):
    EdiFile.objects.create(practice=practice, sha256="a", name="a", byte_count=1, status="running")
    snapshot.sample_belt()
    process.count("claims", 500)
    flush()
    assert is_firing("throughput")
    assert 0 < (judge("throughput").last_value or 0) <= 500
    EdiFile.objects.update(status="accepted")
    snapshot.sample_belt()
    flush()
    assert not is_firing("throughput")


def test_a_pool_in_use_fires_and_an_idle_one_clears(flush, aged):
    class Found:
        busy = 8

        def get_stats(self):
            return {"pool_size": 8, "pool_available": 8 - self.busy, "pool_max": 8, "requests_num": 5}

    class Shared:
        alias = "default"
        pool = Found()

    meter = gauges.Pool(Shared())
    meter.read()
    flush()
    assert is_firing("pool")
    aged()
    Found.busy = 1
    meter.read()
    flush()
    assert not is_firing("pool")


def test_the_real_pool_is_measured(flush):
    shared: Any = connection
    with connection.cursor() as cursor:
        cursor.execute("SELECT 1")
    gauges.Pool(connection).read()
    flush()
    used = Sample.objects.get(name="pool_used_percent")
    assert used.last == pytest.approx(100 / shared.pool.max_size)


@pytest.mark.parametrize(
    ("metric", "threshold"),
    [("cpu", -1), ("memory", 1), ("disk", 0), ("process_memory", 1), ("connections", 0)],
)
def test_what_the_machine_holds_fires_above_a_threshold_below_it(metric, threshold, flush, aged):
    gauges.sample(gauges.meters([connection]))
    snapshot.sample_database()
    flush()
    assert is_firing(metric, threshold=threshold)
    assert not is_firing(metric, threshold=10**9)


def test_the_memory_of_a_process_that_holds_more_is_seen(ledger, flush):
    meters = gauges.meters([])
    gauges.sample(meters)
    flush()
    before = judge("process_memory").last_value
    ledger.__init__("web")
    held = bytearray(64 * MEGABYTE)
    held[::4096] = b"1" * len(held[::4096])
    Sample.objects.all().delete()
    gauges.sample(meters)
    flush()
    assert before is not None
    assert is_firing("process_memory", threshold=before + 50)
    del held


def test_a_low_hit_rate_fires_and_hits_clear():
    for minute, (hits, misses) in enumerate([(0, 0), (50, 100), (5_000, 110)]):
        for name, value in (("cache_hits", hits), ("cache_misses", misses)):
            hand_on(token=str(minute), samples=[sample(name, value, "claim", at=this_minute(3 - minute))])
        if minute == 1:
            assert is_firing("hit_rate")
            assert judge("hit_rate").last_value == pytest.approx(33.3, abs=0.1)
    assert not is_firing("hit_rate")


def test_the_servers_own_hits_are_judged_where_the_product_counts_none(flush, monkeypatch):
    url = str(project.CACHES["default"]["LOCATION"])
    hand_on(samples=[sample("server_hits", 0, at=this_minute(1)), sample("server_misses", 0, at=this_minute(1))])
    with redis.Redis.from_url(url) as client:
        for _ in range(LOOKUPS):
            client.get("marb:measure:none")
        snapshot.sample_cache()
        flush()
        assert METRICS["hit_rate"].read(300) is not None


LOOKUPS = 120


def test_messages_that_wait_fire_and_an_empty_queue_clears(flush, aged, settings):
    broker: Any = dramatiq.get_broker()
    client, sent_ms = broker.client, int(time.time() - 900) * 1000
    old: dramatiq.Message[None] = dramatiq.Message("measured", "reap", (), {}, {}, "m1", sent_ms)
    queue = snapshot.Queue(client, broker.namespace, "measured")
    client.hset(f"{queue.key}.msgs", "m1", old.encode())
    client.rpush(queue.key, "m1")
    try:
        queue.sample()
        flush()
        assert is_firing("queue_wait")
        assert judge("queue_wait").last_value == pytest.approx(900, abs=30)
    finally:
        client.delete(queue.key, f"{queue.key}.msgs")
    aged()
    queue.sample()
    flush()
    assert not is_firing("queue_wait")


def test_a_lost_process_fires_and_its_successor_clears():
    hand_on(token="a", role="worker")
    silent = timezone.now() - timedelta(minutes=2)
    Process.objects.update(seen_at=silent)
    assert is_firing("lost_processes")
    hand_on(token="b", role="worker", started_at=timezone.now())
    assert not is_firing("lost_processes")


def test_hysteresis_holds_both_ways():
    AlertRule.objects.filter(metric="dead_letters").update(is_enabled=True, fire_after=3, clear_after=2)
    letter = DeadLetter.objects.create(actor="a", queue="q", reason="")
    seen = []
    for is_wrong in (True, True, False, True, True, True, False, True, False, False):
        DeadLetter.objects.filter(pk=letter.pk).update(redriven_at=None if is_wrong else timezone.now())
        evaluate()
        seen.append(len(firing()))
    assert seen == [0, 0, 0, 0, 0, 1, 1, 1, 1, 0]
    assert Alert.objects.count() == 1


def test_nothing_to_judge_is_not_bad():
    assert not is_firing("errors")
    assert judge("errors").last_value is None
    assert not is_bad(AlertRule(comparison="below", threshold=5), None)


def test_the_worst_since_it_fired_is_kept():
    for number in (1, 2):
        DeadLetter.objects.create(actor="a", queue="q", reason=str(number))
        judge("dead_letters")
    alert = Alert.objects.get()
    assert (alert.value, alert.worst) == (1, 2)


def test_a_rule_that_is_switched_off_clears():
    DeadLetter.objects.create(actor="a", queue="q", reason="")
    assert is_firing("dead_letters")
    AlertRule.objects.update(is_enabled=False)
    evaluate()
    assert firing() == []


def test_a_rule_of_a_metric_that_is_gone_is_left_alone():
    AlertRule.objects.create(name="old", metric="gone", comparison="above", threshold=1)
    assert evaluate() == []


def test_a_rule_that_cannot_be_read_does_not_keep_the_others_from_being_judged(monkeypatch):
    def fail(seconds):
        with connection.cursor() as cursor:
            cursor.execute("SELECT 1 / 0")

    monkeypatch.setitem(METRICS, "cpu", METRICS["cpu"]._replace(read=fail))
    AlertRule.objects.filter(metric__in=["cpu", "dead_letters"]).update(is_enabled=True)
    DeadLetter.objects.create(actor="a", queue="q", reason="")
    evaluate()
    assert [alert.rule.metric for alert in firing()] == ["dead_letters"]
    assert AlertRule.objects.get(metric="cpu").evaluated_at is None


def test_one_full_pool_is_not_hidden_by_idle_ones():
    for token, used in (("a", 100), ("b", 0), ("c", 0)):
        hand_on(token=token, samples=[sample("pool_used_percent", used, "default")])
    assert is_firing("pool")
    assert judge("pool").last_value == 100


def test_a_person_acknowledges_once_and_the_first_stands(django_user_model):
    first, second = (django_user_model.objects.create_user(name) for name in ("first", "second"))
    DeadLetter.objects.create(actor="a", queue="q", reason="")
    judge("dead_letters")
    (alert,) = firing()
    assert acknowledge(alert, first, "on it")
    assert not acknowledge(alert, second)
    alert.refresh_from_db()
    assert (alert.acknowledged_by, alert.comment) == (first, "on it")


def test_targets_are_told_of_firing_and_clearing_by_severity(django_capture_on_commit_callbacks, monkeypatch):
    sent: list[int] = []
    monkeypatch.setattr("monitoring.actors.send_notice.send", sent.append)
    for address, severity in (("a@example.org", "warning"), ("b@example.org", "critical")):
        AlertTarget.objects.create(kind="mail", address=address, severity=severity)
    letter = DeadLetter.objects.create(actor="a", queue="q", reason="")
    with django_capture_on_commit_callbacks(execute=True):
        judge("dead_letters")
        DeadLetter.objects.filter(pk=letter.pk).update(redriven_at=timezone.now())
        judge("dead_letters")
    for number in sent:
        notices.send(number)
    assert [message.to for message in mail.outbox] == [["a@example.org"], ["a@example.org"]]
    assert [message.subject for message in mail.outbox] == [
        "[mARB] warning: Dead letters fired",
        "[mARB] warning: Dead letters cleared",
    ]
    assert Notice.objects.filter(sent_at=None).count() == 0


def test_the_flusher_hands_on_to_the_sink_and_says_a_fault_once(ledger, settings, monkeypatch, caplog):
    settings.MEASURE_SINK = "monitoring.tests.test_alerts.refuse"
    mine = flusher.Flusher()
    ledger.record("call", "f", 0.1)
    assert [mine.flush(), mine.flush()] == [False, False]
    assert len([line for line in caplog.messages if "cannot be handed on" in line]) == 1
    settings.MEASURE_SINK = "monitoring.sink.keep"
    assert mine.flush()
    assert timing_count() == 1


def refuse(batch):
    raise OSError("away")


def timing_count() -> int:
    return apps.get_model("monitoring", "Timing").objects.get(kind="call").count


def test_a_timing_that_is_judged_is_a_whole_window():
    hand_on(timings=[timing("GET x", [900_000] * 30, at=this_minute(60))])
    assert METRICS["latency_p95"].read(300) is None
