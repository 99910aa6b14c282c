"""The model in use, kept in the process by its version, and asked for probabilities and contributions."""

from collections.abc import Callable
from threading import Lock
from typing import TYPE_CHECKING, Any, Final, NamedTuple

import numpy as np
from django.conf import settings
from numpy.typing import NDArray

from risk.batch import Batch
from risk.features import DIGEST, NAMES, Matrix, Past, build
from risk.ledger import past_of
from risk.model import calibration
from risk.models import ModelState, RiskModel

if TYPE_CHECKING:
    from xgboost import Booster

Floats = NDArray[np.float64]
MOST_KEPT: Final = 8

NONE: Final = "No model is in use: scores go by the rules alone."
OTHER_SCHEMA: Final = (
    "Model {version} was trained on other features than this release has, so it is not used: scores go by the rules "
    "alone until a model is trained anew."
)
UNREADABLE: Final = "Model {version} cannot be read, so it is not used: scores go by the rules alone. Train anew."


class Model:
    """A trained model; `past` answers what its features need of earlier claims, or None where nothing is to be had."""

    def __init__(
        self,
        version: str,
        booster: "Booster",
        curve: calibration.Calibration,
        past: Callable[[], Past | None],
    ):
        self.version = version
        self.booster = booster
        self.curve = curve
        self.past = past

    def features(self, batch: Batch) -> Matrix:
        return build(batch, self.past())

    def predict(self, matrix: Matrix) -> Floats:
        """Get the calibrated probability of denial of each claim, a row of `features`."""
        from risk.model import booster

        if not len(matrix):
            return np.zeros(0)
        return self.curve.probabilities(booster.margins(self.booster, matrix))

    def contributions(self, matrix: Matrix, exact: bool = False) -> tuple[tuple[str, ...], Floats]:
        """Get what each feature adds to each row's log-odds: names, and a matrix of claims by names.

        Approximate in bulk; exact takes a millisecond a claim and is for a page of one.
        """
        from risk.model import booster

        if not len(matrix):
            return NAMES, np.zeros((0, len(NAMES)))
        added = booster.contributions(self.booster, matrix, exact=exact, threads=settings.RISK_THREADS)
        return NAMES, added[:, :-1]


class Found(NamedTuple):
    """The model in use, or None and why."""

    model: Model | None
    sentence: str


READ: dict[int, Model] = {}
READING = Lock()


def active(practice_id: int) -> Model | None:
    """Get the model that a practice has in use; None where there is none that fits."""
    return find(practice_id).model


def find(practice_id: int) -> Found:
    """Get the model in use, or a sentence that says why there is none."""
    chosen = RiskModel.objects.filter(practice_id=practice_id, state=ModelState.ACTIVE)
    row = chosen.values_list("pk", "version", "schema_digest").first()
    if row is None:
        return Found(None, NONE)
    pk, version, digest = row
    if digest != DIGEST:
        return Found(None, OTHER_SCHEMA.format(version=version))
    try:
        return Found(keep(pk), "")
    except (ValueError, KeyError):
        return Found(None, UNREADABLE.format(version=version))


def keep(pk: int) -> Model:
    """Read a model once a process; it never changes under its id. Raises ValueError or KeyError."""
    with READING:
        if pk not in READ:
            while len(READ) >= MOST_KEPT:
                del READ[next(iter(READ))]
            READ[pk] = read(RiskModel.objects.get(pk=pk))
        return READ[pk]


def read(row: Any) -> Model:
    """Make a Model of its row. Raises ValueError or KeyError where the texts are no model."""
    from risk.model import booster

    trees = booster.read(row.booster, settings.RISK_THREADS)
    practice_id: int = row.practice_id
    return Model(row.version, trees, calibration.read(row.calibration), lambda: past_of(practice_id))
