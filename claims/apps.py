"""Django's entry in the list of apps."""

from django.apps import AppConfig


class ClaimsConfig(AppConfig):
    name = "claims"
    label = "claims"
    verbose_name = "Claims"

    def ready(self) -> None:
        """Let each write of a contract, rule, schedule or payer void the price tables; loads bump by themselves."""
        from django.db.models.signals import post_delete, post_save

        from claims import models, pricing
        from marb.parties.models import Payer

        rows = (models.Contract, models.FeeModifier, models.FeeSchedule, Payer)
        for signal, senders in ((post_save, (*rows, models.ContractFee)), (post_delete, rows)):
            for sender in senders:
                signal.connect(lambda **_: pricing.bump(), sender=sender, weak=False, dispatch_uid=(sender, signal))
