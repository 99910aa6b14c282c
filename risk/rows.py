"""Judgements as rows of RiskScore in COPY's text. A row's digest is of everything but its time, so what is the same
again is known before it is written. Numbers are looked up, and a reason's text is made once for all claims it is told
of with the same points.
"""

from hashlib import blake2b
from itertools import pairwise
from typing import NamedTuple

import numpy as np
import orjson

from marb.core.copy import NULL, copy_text
from risk.basis import Basis
from risk.batch import Batch, Column
from risk.combine import LEVELS, PARTS
from risk.judge import Judgement, severity_of
from risk.reasons import Told

PART_COLUMNS = tuple(f"{part}_risk" for part in PARTS)
COLUMNS = (
    *("practice_id", "claim_id", "overall_score", "risk_level", *PART_COLUMNS, "historical_risk", "model_confidence"),
    *("risk_factors", "recommendations", "model_version", "rules_version", "is_newest", "digest"),
)
# 0 to 100 in hundredths, 0 to 1 in thousandths
HUNDREDTHS = np.array([f"{number / 100:.2f}" for number in range(10_001)], dtype=object)
THOUSANDTHS = np.array([f"{number / 1000:.3f}" for number in range(1_001)], dtype=object)
LEVEL_TEXTS = np.array(LEVELS, dtype=object)


class Written(NamedTuple):
    """Rows in the order of the batch: their digests, and their text with the line end."""

    digests: list[int]
    texts: list[str]


def write_rows(batch: Batch, judgement: Judgement, basis: Basis) -> Written:
    """Write the judgement of a batch as rows of COLUMNS."""
    versions = f"{copy_text(basis.model_version)}\t{copy_text(basis.rules.version)}"
    columns = [
        batch.practice_id.astype(str).tolist(),
        batch.claim_id.astype(str).tolist(),
        hundredths(judgement.overall.scores),
        LEVEL_TEXTS[judgement.overall.levels].tolist(),
        *(hundredths(judgement.components[part]) for part in PARTS),
        *history_texts(len(batch), judgement.probability),
        *reason_texts(len(batch), judgement.told),
    ]
    digests, texts = [], []
    for row in zip(*columns, strict=True):
        said = "\t".join(row) + f"\t{versions}"
        digest = int.from_bytes(blake2b(said.encode(), digest_size=8).digest(), "big", signed=True)
        digests.append(digest)
        texts.append(f"{said}\tt\t{digest}\n")
    return Written(digests, texts)


def hundredths(values: Column) -> list[str]:
    return HUNDREDTHS[np.rint(np.clip(values, 0, 100) * 100).astype(np.int64)].tolist()


def history_texts(count: int, probability: Column | None) -> list[list[str]]:
    """Write probability and confidence; neither is said without a model."""
    if probability is None:
        return [[NULL] * count, [NULL] * count]
    sure = np.maximum(probability, 1 - probability)
    return [hundredths(probability * 100), THOUSANDTHS[np.rint(sure * 1000).astype(np.int64)].tolist()]


def reason_texts(count: int, told: Told) -> list[list[str]]:
    """Write each claim's reasons, and its recommendations, as JSON in COPY's text."""
    pairs = told.places * 10_000 + np.rint(told.weights * 10).astype(np.int64)
    found, places = np.unique(pairs, return_inverse=True)
    factors = np.array([factor_text(told, int(pair)) for pair in found], dtype=object)[places].tolist()
    reasons = told.places.tolist()
    ends = np.searchsorted(told.claims, np.arange(count + 1)).tolist()
    advice: dict[tuple[int, ...], str] = {}
    written: list[list[str]] = [[], []]
    for first, last in pairwise(ends):
        chosen = tuple(reasons[first:last])
        if chosen not in advice:
            advice[chosen] = advice_text(told, chosen)
        written[0].append(f"[{','.join(factors[first:last])}]" if chosen else "[]")
        written[1].append(advice[chosen])
    return written


def factor_text(told: Told, pair: int) -> str:
    reason, points = told.reasons[pair // 10_000], pair % 10_000 / 10
    said = {"type": reason.part, "severity": severity_of(reason, points), "code": reason.code}
    return copy_text(orjson.dumps(said | {"message": reason.message, "points": points}).decode())


def advice_text(told: Told, chosen: tuple[int, ...]) -> str:
    sentences = list(dict.fromkeys(told.reasons[place].recommendation for place in chosen))
    return copy_text(orjson.dumps(sentences).decode())
