"""`manage.py evaluate_risk --truth truth.json`: hold a model against the chances of the sample that it learns from."""

from pathlib import Path
from typing import Any

import orjson
from django.core.management.base import BaseCommand, CommandError, CommandParser

from marb.access.models import Practice
from risk.model.card import Untrainable
from risk.model.evaluation import Evaluation, document, evaluate

SHOWN = ("roc_auc", "pr_auc", "recall_at_95_precision", "top_decile_recall", "brier", "calibration_error")


class Command(BaseCommand):
    help = "Train on an ingested sample with planted patterns and compare with the best possible. Stores nothing."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--truth", type=Path, required=True, help="truth.json of `manage.py sample --patterns`")
        parser.add_argument("--practice", metavar="CODE", help="whose claims the sample became; the only one without")
        parser.add_argument("--json", action="store_true", help="print one JSON object")

    def handle(self, *args: Any, **options: Any) -> None:
        practices = Practice.objects.filter(code=options["practice"]) if options["practice"] else Practice.objects.all()
        if practices.count() != 1:
            raise CommandError("Name one practice by --practice CODE.")
        try:
            found = evaluate(practices[0].pk, options["truth"])
        except Untrainable as refusal:
            raise CommandError(refusal.sentence) from None
        except OSError as error:
            raise CommandError(f"The rows beside {options['truth']} cannot be read: {error.strerror}.") from None
        self.stdout.write(orjson.dumps(document(found)).decode() if options["json"] else as_table(found))


def as_table(found: Evaluation) -> str:
    lines = [f"{'':<12}" + "".join(f"{name.replace('_', ' '):>24}" for name in SHOWN)]
    for who, figures in found.figures.items():
        lines.append(f"{who.replace('_', ' '):<12}" + "".join(f"{figures[name]:>24.4f}" for name in SHOWN))
    lines.append(
        f"{found.claims:,} later claims. From the payer's rate to the best possible: {found.way:.1%} of the way in "
        f"ROC-AUC, {found.way_pr:.1%} in PR-AUC. Calibration error against the chances: {found.chance_error:.4f}."
    )
    return "\n".join(lines)
