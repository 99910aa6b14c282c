"""The broker's hook for messages that are given up. It is loaded before the apps are, so it imports models late."""

from dramatiq.broker import Broker, MessageProxy
from dramatiq.errors import ActorNotFound
from dramatiq.middleware import Middleware


class DeadLetters(Middleware):
    """Copies what is given up. Where PostgreSQL is away too, the broker's copy is all there is; rows ring again.

    A bell of a clock (one with an age limit) is not kept: its next one is on its way.
    """

    def after_nack(self, broker: Broker, message: MessageProxy) -> None:
        from marb.pipeline import deadletters

        if not is_periodic(broker, message.actor_name):
            deadletters.keep(message)

    def after_undecodable(self, broker: Broker, queue_name: str) -> None:
        from marb.pipeline import deadletters

        deadletters.keep_undecodable(queue_name)


def is_periodic(broker: Broker, actor_name: str) -> bool:
    try:
        return "max_age" in broker.get_actor(actor_name).options
    except ActorNotFound:
        return False
