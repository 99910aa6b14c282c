"""What runs on schedule is listed whole, with its last run, and runs at once on demand."""

from datetime import timedelta

import dramatiq
import pytest
from django.utils import timezone

from marb.core.embedded import product
from marb.core.measure import actors, process
from marb.core.measure.ledger import Ledger
from monitoring import schedules
from monitoring.models import ScheduledJob
from monitoring.sink import keep

pytestmark = pytest.mark.django_db
OURS = {"take_snapshot", "evaluate_alerts", "roll_up_measures", "delete_old_measures", "reap"}


def test_every_scheduled_actor_has_a_row_with_its_queue_and_schedule():
    assert schedules.keep() >= len(OURS)
    rows = {job.name: job for job in ScheduledJob.objects.all()}
    assert set(rows) >= OURS
    assert (rows["reap"].queue, rows["reap"].schedule) == ("maintenance", "interval[0:00:10]")


def test_an_actor_that_is_scheduled_no_more_loses_its_row_and_others_keep_their_last_run():
    started = timezone.now() - timedelta(hours=1)
    ScheduledJob.objects.create(name="gone")
    ScheduledJob.objects.create(name="reap", last_started_at=started, last_seconds=2)
    schedules.keep()
    assert not ScheduledJob.objects.filter(name="gone").exists()
    assert ScheduledJob.objects.get(name="reap").last_started_at == started


@pytest.mark.parametrize("error", [None, ValueError("Abernathy")])
def test_a_run_is_kept_with_its_duration_and_result(error, monkeypatch):
    monkeypatch.setattr(process.HELD, "ledger", Ledger("worker"))
    schedules.load()
    actors.scheduled_names.cache_clear()
    measure, message = actors.ActorMeasure(), dramatiq.MessageProxy(dramatiq.Message("maintenance", "reap", (), {}, {}))
    measure.before_process_message(dramatiq.get_broker(), message)
    measure.after_process_message(dramatiq.get_broker(), message, exception=error)
    keep(process.ledger().take())
    job = ScheduledJob.objects.get(name="reap")
    assert job.last_seconds is not None
    assert job.last_seconds >= 0
    assert job.last_reason == ("ValueError" if error else "")


def test_run_now_sends_the_actors_message(monkeypatch):
    sent: list[dramatiq.Message[None]] = []
    monkeypatch.setattr(dramatiq.get_broker(), "enqueue", sent.append)
    schedules.run_now("evaluate_alerts")
    assert [(message.queue_name, message.actor_name) for message in sent] == [("maintenance", "evaluate_alerts")]


@pytest.mark.parametrize("name", ["split_file", "nothing", ""])
def test_what_is_not_scheduled_cannot_be_run(name):
    with pytest.raises(schedules.Unknown):
        schedules.run_now(name)


def test_every_schedule_goes_to_a_queue_that_a_worker_hears(tmp_path):
    schedules.load()
    heard = {queue for queues in product.QUEUES.values() for queue in queues}
    queues = {name: dramatiq.get_broker().actors[name].queue_name for name in schedules.known()}
    assert {name for name, queue in queues.items() if queue not in heard} == set()
    # the library's own heartbeat is on the schedule too, on a queue of its own, unless it is told not to
    assert "--no-heartbeat" in product.scheduler(tmp_path, tmp_path, {}).argv
