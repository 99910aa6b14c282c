"""Boosted trees: train, keep as JSON text, give log-odds, and say what each feature adds to them (xgboost).

Trees are shallow: with a depth of four exact contributions are affordable for one claim, and approximate ones for a
batch (`approx_contribs`). A rate may only raise the risk (`rise` of risk.features). The seed and the order of rows are
fixed, so one set of rows gives one model. Importing xgboost takes a second: only who scores or trains imports this.
"""

import json
from collections.abc import Sequence
from typing import Any, Final

import numpy as np
import xgboost
from numpy.typing import NDArray

Floats = NDArray[np.float64]
Matrix = NDArray[np.float32]

SEED: Final = 837835
DEPTH: Final = 4
MOST_ROUNDS: Final = 400
# rounds without gain on the newest of the training rows, after which it stops
PATIENCE: Final = 20
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
    learnt = xgboost.DMatrix(matrix[:-watched], labels[:-watched], nthread=threads)
    stop = xgboost.DMatrix(matrix[-watched:], labels[-watched:], nthread=threads)
    watch = {"evals": [(stop, "newest")], "early_stopping_rounds": PATIENCE, "verbose_eval": False}
    tried = xgboost.train(chosen, learnt, MOST_ROUNDS, **watch)
    # with the number of rounds known the newest rows are learnt from too
    whole = xgboost.DMatrix(matrix, labels, nthread=threads)
    return xgboost.train(chosen, whole, tried.best_iteration + 1).save_raw("json").decode()


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
    return np.asarray(booster.inplace_predict(matrix, predict_type="margin", missing=np.nan), dtype=np.float64)


def contributions(booster: xgboost.Booster, matrix: Matrix, *, exact: bool, threads: int) -> Floats:
    """Get what each column adds to each row's log-odds, and the base in a last column; a row adds up to its margin."""
    rows = xgboost.DMatrix(matrix, nthread=threads)
    return np.asarray(booster.predict(rows, pred_contribs=True, approx_contribs=not exact), dtype=np.float64)


def importance(booster: xgboost.Booster, names: Sequence[str]) -> list[tuple[str, float]]:
    """Get each feature's share of the loss that the trees took away, the largest first."""
    gains = booster.get_score(importance_type="total_gain")
    found = {names[int(key[1:])]: float(np.sum(gain)) for key, gain in gains.items()}
    total = sum(found.values()) or 1.0
    return sorted(((name, gain / total) for name, gain in found.items()), key=lambda each: -each[1])
