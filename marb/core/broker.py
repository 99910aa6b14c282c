"""Dramatiq's Redis broker, which a message that cannot be read does not stop.

Dramatiq decodes in the consumer's thread: bytes that are no message would end the consumer once a second, and keep
what it had fetched with them. Here they are laid aside in the queue's dead letters, and `undecodable` middleware hooks
are told. Everything else is Dramatiq's.
"""

import logging
from typing import Any

from dramatiq.brokers.redis import RedisBroker
from dramatiq.errors import DecodeError
from dramatiq.message import Message

logger = logging.getLogger(__name__)


class Broker(RedisBroker):
    """`after_undecodable(broker, queue_name)` is called on each middleware that has it."""

    def count_waiting(self, queue_name: str) -> int:
        """Count the messages of a queue that no worker has fetched."""
        return int(self.client.llen(f"{self.namespace}:{queue_name}"))

    def do_fetch(self, queue_name: str, count: int) -> list[bytes | None]:
        """Fetch messages, without those that cannot be read."""
        found: list[bytes | None] = self._dispatch("fetch")(queue_name, count)
        readable: list[bytes | None] = [data for data in found if data is not None and is_message(data)]
        for data in found:
            if data is not None and not is_message(data):
                self.lay_aside(queue_name, data)
        return readable

    def lay_aside(self, queue_name: str, data: bytes) -> None:
        """Move what cannot be read to the dead letters of its queue; its id is found by its bytes."""
        logger.error("queue %s held %s bytes that are no message", queue_name, len(data))
        acks = f"{self.namespace}:__acks__.{self.broker_id}.{queue_name}"
        for number in self.client.smembers(acks):
            if self.client.hget(f"{self.namespace}:{queue_name}.msgs", number) == data:
                self._dispatch("nack")(queue_name, number)
        self.tell(queue_name)

    def tell(self, queue_name: str) -> None:
        for middleware in self.middleware:
            hook: Any = getattr(middleware, "after_undecodable", None)
            if hook:
                hook(self, queue_name)


def is_message(data: bytes) -> bool:
    """Say whether bytes are a message, with every part that Dramatiq will ask for."""
    try:
        message = Message.decode(data)
    except (DecodeError, TypeError, KeyError, ValueError):
        return False
    texts = (message.queue_name, message.actor_name, message.message_id)
    has_id = isinstance(message.options, dict) and isinstance(message.options.get("redis_message_id"), str)
    return has_id and all(isinstance(text, str) for text in texts) and isinstance(message.kwargs, dict)
