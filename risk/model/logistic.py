"""Logistic regression by Newton's method with a ridge: the booster's baseline, and Platt's line. Pure numpy."""

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]
MOST_STEPS = 25
CLOSE = 1e-8
# beyond this the exponential says nothing more
MOST_MARGIN = 35.0


def sigmoid(margins: Floats) -> Floats:
    """Turn log-odds into probabilities, without overflow."""
    return 1.0 / (1.0 + np.exp(-np.clip(margins, -MOST_MARGIN, MOST_MARGIN)))


def fit(columns: Floats, targets: Floats, ridge: float = 1.0) -> Floats:
    """Fit targets within [0, 1]; answers the intercept, which is not held back, and a weight per column."""
    design = np.column_stack((np.ones(len(columns)), columns))
    penalty = np.full(design.shape[1], ridge)
    penalty[0] = 1e-9
    weights = np.zeros(design.shape[1])
    for _ in range(MOST_STEPS):
        probabilities = sigmoid(design @ weights)
        slope = design.T @ (targets - probabilities) - penalty * weights
        spread = np.maximum(probabilities * (1 - probabilities), 1e-9)
        step = np.linalg.solve((design * spread[:, None]).T @ design + np.diag(penalty), slope)
        weights = weights + np.clip(step, -5, 5)
        if np.abs(step).max() < CLOSE:
            break
    return weights


def standardise(columns: NDArray[np.float32]) -> tuple[Floats, Floats, Floats]:
    """Fill gaps with the column's mean and scale to mean 0, deviation 1; answers those means and deviations too."""
    wide = columns.astype(np.float64)
    known = ~np.isnan(wide)
    counts = np.maximum(known.sum(axis=0), 1)
    means = np.where(known, wide, 0.0).sum(axis=0) / counts
    filled = np.where(known, wide, means)
    deviations = filled.std(axis=0)
    deviations = np.where(deviations > 0, deviations, 1.0)
    return (filled - means) / deviations, means, deviations


def predict(weights: Floats, columns: NDArray[np.float32], means: Floats, deviations: Floats) -> Floats:
    """Get the probabilities of rows, scaled as the training rows were."""
    scaled = (np.where(np.isnan(columns), means, columns) - means) / deviations
    return sigmoid(weights[0] + scaled @ weights[1:])
