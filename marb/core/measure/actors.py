"""Actors: how long each message took and waited, retries and failures, and the heartbeat of each worker process.

Dramatiq's hooks. `actor` is the work, `wait` the time since the message was sent, both by actor; a message with its
delay (a retry) is not counted as waiting. A scheduled actor's last run is kept too.
"""

import time
from datetime import UTC, datetime
from functools import cache
from typing import Any

from dramatiq import Worker
from dramatiq.broker import Broker, MessageProxy
from dramatiq.middleware import Middleware

from marb.core.logs import plain_reason
from marb.core.measure.flusher import start, stop
from marb.core.measure.ledger import Run
from marb.core.measure.process import HELD, count, is_on, record


class ActorMeasure(Middleware):
    """Times messages by actor. Hooks of Dramatiq; the worker's threads share it."""

    def __init__(self) -> None:
        self.started: dict[str, float] = {}

    def after_worker_boot(self, broker: Broker, worker: Worker) -> None:
        start("worker")

    def after_worker_shutdown(self, broker: Broker, worker: Worker) -> None:
        stop()

    def before_process_message(self, broker: Broker, message: MessageProxy) -> None:
        if is_on():
            self.started[message.message_id] = time.perf_counter()
            if not message.options.get("retries"):
                record("wait", message.actor_name, max(0.0, time.time() - message.message_timestamp / 1000))

    def after_process_message(
        self, broker: Broker, message: MessageProxy, *, result: Any = None, exception: BaseException | None = None
    ) -> None:
        started = self.started.pop(message.message_id, None)
        if started is None:
            return
        seconds = time.perf_counter() - started
        is_retry = bool(message.options.get("retries"))
        record("actor", message.actor_name, seconds, is_error=exception is not None, is_retry=is_retry)
        if message.actor_name in scheduled_names():
            reason = plain_reason(exception) if exception else ""
            began = datetime.fromtimestamp(time.time() - seconds, UTC)
            HELD.ledger.keep_run(Run(message.actor_name, began, seconds, reason[:200]))

    def after_skip_message(self, broker: Broker, message: MessageProxy) -> None:
        self.started.pop(message.message_id, None)

    def after_nack(self, broker: Broker, message: MessageProxy) -> None:
        count("actor_failures", 1, message.actor_name)


@cache
def scheduled_names() -> frozenset[str]:
    """The actors that run on schedule, known once the modules of actors are loaded."""
    from dramatiq_crontab import scheduler

    return frozenset(job.name for job in scheduler.get_jobs())
