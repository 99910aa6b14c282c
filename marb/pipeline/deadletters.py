"""Dead letters: each message that the workers give up is copied to PostgreSQL, and can be driven again from there.

The broker forgets its own after a week, and has no page. Only ids are kept of the arguments, and a reason without
PHI. Driving again sends a new message; that it may have been heard after all does no harm. Who calls this is
marb.pipeline.middleware.
"""

from collections.abc import Iterable
from typing import Any

import dramatiq
from django.db import connection
from django.db.models.functions import Now
from django.http import HttpRequest
from dramatiq.broker import MessageProxy
from dramatiq.message import Message

from marb.access.roles import is_superuser
from marb.core.logs import plain_reason
from marb.pipeline.models import DeadLetter

UNDECODABLE = "It could not be read: its bytes are no message."


def keep(message: MessageProxy) -> None:
    """Copy a message that was given up."""
    error = message._exception
    DeadLetter.objects.create(
        actor=message.actor_name[:100],
        queue=message.queue_name[:100],
        ids=ids_of(message.args),
        message_id=message.message_id[:100],
        reason=plain_reason(error) if error else "It was given up.",
    )
    # the consumer's thread has no message of its own after which connections are given back
    connection.close()


def keep_undecodable(queue_name: str) -> None:
    """Say that a queue held bytes that are no message; nobody knows what is in them, so they are not copied."""
    DeadLetter.objects.create(actor="", queue=queue_name[:100], reason=UNDECODABLE)
    connection.close()


def ids_of(args: Any) -> list[int]:
    """Get the arguments where all are numbers; of anything else nothing is kept."""
    is_ids = all(isinstance(value, int) and 0 <= value < 2**63 for value in args)
    return list(args) if is_ids else []


def may_see(request: HttpRequest) -> bool:
    """Say whether the sidebar shows the dead letters: they belong to no practice."""
    return is_superuser(request.user)


def redrive(letters: Iterable[DeadLetter]) -> int:
    """Send each letter's message again; answer how many. What no actor of ours takes stays where it is."""
    sent = 0
    broker = dramatiq.get_broker()
    for letter in letters:
        if letter.ids and letter.actor in broker.get_declared_actors():
            queue = letter.queue.removesuffix(".DQ")
            broker.enqueue(Message(queue, letter.actor, tuple(letter.ids), {}, {}))
            DeadLetter.objects.filter(pk=letter.pk).update(redriven_at=Now())
            sent += 1
    return sent
