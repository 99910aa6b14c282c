"""Boosted trees: train, keep as JSON text, give log-odds, and say what each feature adds to them (xgboost).

Trees are shallow: with a depth of four exact contributions are affordable for one claim, and approximate ones for a
batch (`approx_contribs`). A rate may only raise the risk (`rise` of risk.features). Trees start from what patterns say
of the claim (the column START, log-odds) and learn what that leaves out. The seed and the order of rows are fixed, so
one set of rows gives one model. Importing xgboost takes a second: only who scores or trains imports this.
"""

import json
from collections.abc import Sequence
from typing import Any, Final

import numpy as np
import xgboost
from numpy.typing import NDArray

from risk.features import NAMES
from risk.history import PRIOR

Floats = NDArray[np.float64]
Matrix = NDArray[np.float32]

SEED: Final = 837835
DEPTH: Final = 4
MOST_ROUNDS: Final = 400
# rounds without gain on the newest of the training rows, after which it stops
PATIENCE: Final = 20
START: Final = NAMES.index("pattern_chance")
UNKNOWN: Final = float(np.log(PRIOR / (1 - PRIOR)))
# of the training rows, the newest, that only say when to stop
WATCHED_SHARE: Final = 0.15


def settings_of(rises: Sequence[int], threads: int) -> dict[str, Any]:
    return {
        "objective": "binary:logistic",
        "eval_metric": "logloss",
        "tree_method": "hist",
        "max_depth": DEPTH,
        "learning_rate": 0.08,
        "min_child_weight": 10,
        "subsample": 0.8,
        "colsample_bytree": 0.7,
        "reg_lambda": 5.0,
        "max_bin": 128,
        "monotone_constraints": tuple(rises),
        "seed": SEED,
        "nthread": threads,
        "verbosity": 0,
    }


def train(matrix: Matrix, labels: Floats, rises: Sequence[int], threads: int) -> str:
    """Train on rows in the order of time, oldest first; answers the booster as JSON text."""
    watched = max(1, int(len(labels) * WATCHED_SHARE))
    chosen = settings_of(rises, threads)
    learnt = table(matrix[:-watched], threads, labels[:-watched])
    stop = table(matrix[-watched:], threads, labels[-watched:])
    watch = {"evals": [(stop, "newest")], "early_stopping_rounds": PATIENCE, "verbose_eval": False}
    tried = xgboost.train(chosen, learnt, MOST_ROUNDS, **watch)
    # with the number of rounds known the newest rows are learnt from too
    return xgboost.train(chosen, table(matrix, threads, labels), tried.best_iteration + 1).save_raw("json").decode()


def start_of(matrix: Matrix) -> Matrix:
    """Get the log-odds that trees start from; those of PRIOR where no pattern was known."""
    start = matrix[:, START]
    return np.where(np.isnan(start), np.float32(UNKNOWN), start)


def table(matrix: Matrix, threads: int, labels: Floats | None = None) -> xgboost.DMatrix:
    return xgboost.DMatrix(matrix, labels, base_margin=start_of(matrix), nthread=threads)


def read(text: str, threads: int) -> xgboost.Booster:
    """Read a booster of `train`. Raises ValueError where the text is none."""
    try:
        json.loads(text)
        booster = xgboost.Booster({"nthread": threads})
        booster.load_model(bytearray(text.encode()))
    except xgboost.core.XGBoostError as error:
        raise ValueError("The text is no booster.") from error
    return booster


def margins(booster: xgboost.Booster, matrix: Matrix) -> Floats:
    """Get each row's log-odds; safe to ask from several threads."""
    start = start_of(matrix)
    found = booster.inplace_predict(matrix, predict_type="margin", missing=np.nan, base_margin=start)
    return np.asarray(found, dtype=np.float64)


def contributions(booster: xgboost.Booster, matrix: Matrix, *, exact: bool, threads: int) -> Floats:
    """Get what each column adds to each row's log-odds, and the base in a last column; a row adds up to its margin.

    The base is PRIOR's log-odds: what the start differs from it is the column START's.
    """
    rows = table(matrix, threads)
    found = booster.predict(rows, pred_contribs=True, approx_contribs=not exact)
    added = np.asarray(found, dtype=np.float64)
    above = start_of(matrix).astype(np.float64) - UNKNOWN
    added[:, START] += above
    added[:, -1] -= above
    return added


def importance(booster: xgboost.Booster, names: Sequence[str], matrix: Matrix, threads: int) -> list[tuple[str, float]]:
    """Get each feature's share of what moves these rows' log-odds (mean size of contributions), the largest first."""
    moved = np.abs(contributions(booster, matrix, exact=False, threads=threads)[:, :-1]).mean(axis=0)
    total = float(moved.sum()) or 1.0
    found = [(name, float(each) / total) for name, each in zip(names, moved, strict=True)]
    return sorted(found, key=lambda each: -each[1])
