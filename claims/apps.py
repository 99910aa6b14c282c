"""Django's entry in the list of apps."""

from django.apps import AppConfig


class ClaimsConfig(AppConfig):
    name = "claims"
    label = "claims"
    verbose_name = "Claims"

    def ready(self) -> None:
        """Show answers on files and lists; void the price tables with each write of what they hold."""
        from django.db.models.signals import post_delete, post_save

        from claims import models, pricing, sections
        from marb.core.sections import register
        from marb.parties.models import Payer

        register("claim", "answer", expand=sections.expand_claims)
        register("file", "answer", title="Acknowledgements received", render=sections.draw_file)

        rows = (models.Contract, models.FeeModifier, models.FeeSchedule, Payer)
        for signal, senders in ((post_save, (*rows, models.ContractFee)), (post_delete, rows)):
            for sender in senders:
                signal.connect(lambda **_: pricing.bump(), sender=sender, weak=False, dispatch_uid=(sender, signal))
