"""The pure part of training: rows by date in, a booster, its calibration and its card out.

The oldest claims train, later ones calibrate, the newest test, cut at dates so that no day is in two parts. Every
figure of the card is of the test claims, the baselines' too. What cannot be learnt raises Untrainable with a sentence.
"""

from typing import Any, Final, NamedTuple

import numpy as np
from numpy.typing import NDArray

from risk.features import FEATURES, NAMES, Matrix
from risk.model import booster, calibration, logistic
from risk.model.metrics import curves, measure

Floats = NDArray[np.float64]

LEAST_CLAIMS: Final = 500
# of each class, in each part
LEAST_OF_A_CLASS: Final = 15
TRAIN_SHARE, CALIBRATE_SHARE = 0.65, 0.15
MOST_LOGISTIC: Final = 50_000
PARTS: Final = ("train", "calibrate", "test")


class Untrainable(Exception):
    """Nothing can be learnt from these claims; `sentence` says why."""

    def __init__(self, sentence: str):
        super().__init__(sentence)
        self.sentence = sentence


class Rows(NamedTuple):
    """Claims with an outcome, oldest first: features, 1 where denied, submission day, and what rules alone say."""

    matrix: Matrix
    labels: Floats
    days: NDArray[np.int64]
    rules: Floats | None = None

    def part(self, chosen: NDArray[np.bool_]) -> "Rows":
        rules = self.rules[chosen] if self.rules is not None else None
        return Rows(self.matrix[chosen], self.labels[chosen], self.days[chosen], rules)


class Trained(NamedTuple):
    """What training gives: the booster as JSON text, the calibration and the card as JSON documents."""

    booster: str
    calibration: dict[str, Any]
    card: dict[str, Any]


def check(rows: Rows) -> None:
    """Raises Untrainable where there are too few claims, or of one outcome too few."""
    count, denied = len(rows.labels), int(rows.labels.sum())
    if count < LEAST_CLAIMS:
        raise Untrainable(
            f"{count:,} claims have an outcome, and a model needs {LEAST_CLAIMS:,}. Scores go by the rules alone."
        )
    if denied in (0, count):
        outcome = "denied" if denied else "paid"
        raise Untrainable(f"All {count:,} claims were {outcome}: there is nothing to tell apart. Rules alone score.")


def split(rows: Rows) -> tuple[Rows, Rows, Rows]:
    """Cut into train, calibrate and test at dates. Raises Untrainable where a part has too few of an outcome."""
    edges = [rows.days[int(len(rows.days) * share)] for share in (TRAIN_SHARE, TRAIN_SHARE + CALIBRATE_SHARE)]
    places = np.searchsorted(np.array(edges), rows.days, side="right")
    train, calibrate, test = (rows.part(places == number) for number in range(3))
    for name, part in zip(PARTS, (train, calibrate, test), strict=True):
        denied = int(part.labels.sum())
        if min(denied, len(part.labels) - denied) < LEAST_OF_A_CLASS:
            raise Untrainable(
                f"Of the claims that would {name} the model {denied:,} were denied and {len(part.labels) - denied:,} "
                f"were not; it takes {LEAST_OF_A_CLASS} of each. Rules alone score until more are answered."
            )
    return train, calibrate, test


def train(rows: Rows, threads: int) -> Trained:
    """Train, calibrate and measure. Raises Untrainable."""
    check(rows)
    parts = split(rows)
    learn, calibrate, test = parts
    text = booster.train(learn.matrix, learn.labels, [each.rise for each in FEATURES], threads)
    trees = booster.read(text, threads)
    curve = calibration.fit(calibrate.labels, booster.margins(trees, calibrate.matrix))
    scores = curve.probabilities(booster.margins(trees, test.matrix))
    important = booster.importance(trees, NAMES, test.matrix, threads)
    card = {
        "window": {name: window(part) for name, part in zip(PARTS, parts, strict=True)},
        "metrics": measure(test.labels, scores),
        "baselines": baselines(learn, test),
        "curves": curves(test.labels, scores),
        "importance": [[name, round(share, 4)] for name, share in important],
        "feature_count": len(FEATURES),
    }
    return Trained(text, curve.document(), rounded(card))


def window(part: Rows) -> dict[str, Any]:
    """Say which claims a part holds: first and last day of submission, how many, how many denied."""
    days = (str(np.datetime64(int(day), "D")) for day in (part.days[0], part.days[-1]))
    return dict(
        zip(("first", "last", "claims", "denied"), (*days, len(part.labels), int(part.labels.sum())), strict=True)
    )


def baselines(learn: Rows, test: Rows) -> dict[str, dict[str, float]]:
    """Measure what is simpler on the same test claims: the payer's rate, logistic regression, the rules alone."""
    payer = test.matrix[:, NAMES.index("payer_rate")].astype(np.float64)
    found = {"payer_rate": measure(test.labels, np.nan_to_num(payer, nan=float(learn.labels.mean())))}
    found["logistic"] = measure(test.labels, regress(learn, test))
    if test.rules is not None:
        found["rules"] = measure(test.labels, test.rules)
    return found


def regress(learn: Rows, test: Rows) -> Floats:
    """Fit logistic regression on the newest training claims, and get the test claims' probabilities."""
    some = learn.matrix[-MOST_LOGISTIC:]
    scaled, means, deviations = logistic.standardise(some)
    weights = logistic.fit(scaled, learn.labels[-MOST_LOGISTIC:])
    return logistic.predict(weights, test.matrix, means, deviations)


def rounded(value: Any) -> Any:
    """Round every float of a document to six places: a card is read by people."""
    if isinstance(value, dict):
        return {key: rounded(each) for key, each in value.items()}
    if isinstance(value, list):
        return [rounded(each) for each in value]
    return round(value, 6) if isinstance(value, float) else value


__all__ = ["LEAST_CLAIMS", "Rows", "Trained", "Untrainable", "train"]
