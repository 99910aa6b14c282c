"""Statistics of denials, pure: bounds, tests of a two-by-two table, false discovery, change points. Arrays in and out.

A condition with `lines` lines of which `denied` are denied is compared with its payer's `all_lines` and `all_denied`,
the condition's included. All functions take arrays of one length (or numbers) and answer arrays. No clock, no rows.
"""

from functools import lru_cache
from typing import Any

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]
Z95 = 1.959963984540054
# the fewest expected of either kind for which the normal law is taken for the exact one
LEAST_EXPECTED = 25.0
MOST_TERMS = 4_000


def wilson_lower(denied: Any, lines: Any, z: float = Z95) -> Floats:
    """Bound a share from below by Wilson's score interval (95 % two-sided unless told); 0 where there are no lines."""
    k, n = np.asarray(denied, float), np.asarray(lines, float)
    safe = np.maximum(n, 1)
    share = k / safe
    centre = share + z * z / (2 * safe)
    spread = z * np.sqrt(share * (1 - share) / safe + z * z / (4 * safe * safe))
    return np.where(n > 0, np.clip((centre - spread) / (1 + z * z / safe), 0, 1), 0.0)


def upper_tail(denied: Any, lines: Any, all_denied: Any, all_lines: Any) -> Floats:
    """Find how likely at least so many denials among the lines are, were the payer's denials dealt out by chance.

    Fisher's exact test, one-sided (the hypergeometric law); the normal law with continuity where much is expected.
    """
    k, n, d, m = (np.atleast_1d(np.asarray(each, float)) for each in (denied, lines, all_denied, all_lines))
    k, n, d, m = np.broadcast_arrays(k, n, d, m)
    expected = n * d / np.maximum(m, 1)
    least = np.minimum(np.minimum(expected, n - expected), np.minimum(d - expected, m - n - d + expected))
    normal = least >= LEAST_EXPECTED
    tail = np.ones(k.shape)
    tail[normal] = normal_tail(k[normal], n[normal], d[normal], m[normal])
    exact = ~normal & (k > 0)
    tail[exact] = exact_tail(k[exact], n[exact], d[exact], m[exact])
    return tail


def normal_tail(k: Floats, n: Floats, d: Floats, m: Floats) -> Floats:
    share = d / m
    spread = np.sqrt(n * share * (1 - share) * (m - n) / np.maximum(m - 1, 1))
    return survival((k - 0.5 - n * share) / np.maximum(spread, 1e-12))


def survival(z: Floats) -> Floats:
    """Find the upper tail of the normal law, to about seven digits (Abramowitz and Stegun 26.2.17)."""
    x = np.abs(z)
    t = 1 / (1 + 0.2316419 * x)
    poly = t * (0.319381530 + t * (-0.356563782 + t * (1.781477937 + t * (-1.821255978 + t * 1.330274429))))
    # far out, where the polynomial's error counts, Mills' ratio
    far = np.where(x > 5, 1 / (x + 1 / (x + 2 / (x + 3 / (x + 4)))), poly)
    tail = np.exp(-x * x / 2) / np.sqrt(2 * np.pi) * far
    return np.where(z >= 0, tail, 1 - tail)


def exact_tail(k: Floats, n: Floats, d: Floats, m: Floats) -> Floats:
    """Sum the hypergeometric law from k on; terms fall fast where k is above what is expected."""
    if not len(k):
        return np.zeros(0)
    logs = log_factorials(1 << int(m.max()).bit_length())

    def choose(a: Floats, b: Floats) -> Floats:
        a, b = a.astype(np.int64), b.astype(np.int64)
        bad = (b < 0) | (b > a)
        b = np.where(bad, 0, b)
        return np.where(bad, -np.inf, logs[a] - logs[b] - logs[a - b])

    last = np.minimum(n, d)
    term = np.exp(choose(d, k) + choose(m - d, n - k) - choose(m, n))
    total, at = term.copy(), k.copy()
    for _ in range(MOST_TERMS):
        going = (at < last) & (term > total * 1e-12)
        if not going.any():
            break
        ratio = (d - at) * (n - at) / ((at + 1) * np.maximum(m - d - n + at + 1, 1))
        term = np.where(going, term * ratio, 0.0)
        total, at = total + term, at + going
    # below the middle the terms rise first and are too many: nothing is claimed of those
    return np.where(k <= n * d / m, 1.0, np.minimum(total, 1.0))


@lru_cache(maxsize=4)
def log_factorials(most: int) -> Floats:
    return np.concatenate([[0.0], np.cumsum(np.log(np.arange(1, most + 2, dtype=float)))])


def gain(denied: Any, lines: Any, all_denied: Any, all_lines: Any) -> Floats:
    """Weigh by how much two rates, the condition's and the others', say more than one (log likelihood, natural).

    Negative where the condition is denied less often than the others.
    """
    k, n, d, m = (np.asarray(each, float) for each in (denied, lines, all_denied, all_lines))
    more = likelihood(k, n) + likelihood(d - k, m - n) - likelihood(d, m)
    is_above = k * np.maximum(m - n, 1) > (d - k) * np.maximum(n, 1)
    return np.where(is_above, more, -more)


def likelihood(k: Floats, n: Floats) -> Floats:
    """Get the log likelihood of k of n at its own rate."""
    with np.errstate(divide="ignore", invalid="ignore"):
        yes = np.where(k > 0, k * np.log(k / n), 0.0)
        no = np.where(n - k > 0, (n - k) * np.log((n - k) / n), 0.0)
    return yes + no


def adjusted(p_values: Any) -> Floats:
    """Adjust p-values for false discovery under any dependence (Benjamini and Yekutieli 2001), in their order."""
    p = np.asarray(p_values, float)
    if not len(p):
        return p
    order = np.argsort(p, kind="stable")
    many = len(p)
    harmonic = np.sum(1 / np.arange(1, many + 1))
    stepped = p[order] * many * harmonic / np.arange(1, many + 1)
    found = np.empty(many)
    found[order] = np.minimum(np.minimum.accumulate(stepped[::-1])[::-1], 1.0)
    return found


def critical_value(p_values: Any, rate: float) -> float:
    """Find the largest p-value that is a discovery at a false discovery rate; 0 where none is."""
    p = np.asarray(p_values, float)
    kept = p[adjusted(p) <= rate]
    return float(kept.max()) if len(kept) else 0.0


def change_point(denied: Any, lines: Any, least_gain: float = 8.0) -> int | None:
    """Find where a series of months changes its rate, by the likelihood of two rates against one.

    Answers the index of the first month of the new rate; None where two rates do not say `least_gain` more, a penalty
    that grows with the number of places.
    """
    k, n = np.asarray(denied, float), np.asarray(lines, float)
    if len(k) < 2 or n.sum() == 0:
        return None
    before_k, before_n = np.cumsum(k)[:-1], np.cumsum(n)[:-1]
    gains = likelihood(before_k, before_n) + likelihood(k.sum() - before_k, n.sum() - before_n)
    gains = np.where((before_n > 0) & (before_n < n.sum()), gains - likelihood(k.sum(), n.sum()), 0.0)
    best = int(np.argmax(gains))
    return best + 1 if gains[best] >= least_gain + np.log(len(k)) else None
