"""Django's entry in the list of apps."""

from django.apps import AppConfig


class ClaimsConfig(AppConfig):
    name = "claims"
    label = "claims"
    verbose_name = "Claims"

    def ready(self) -> None:
        """Let each write of a contract, a rule or a schedule void the price tables; loads bump by themselves."""
        from django.db.models.signals import post_delete, post_save

        from claims import models, pricing

        for sender in (models.Contract, models.ContractFee, models.FeeModifier, models.FeeSchedule):
            for signal in (post_save, post_delete):
                signal.connect(lambda **_: pricing.bump(), sender=sender, weak=False, dispatch_uid=(sender, signal))
