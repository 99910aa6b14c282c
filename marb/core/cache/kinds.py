"""What is cached, for how long, and how often it should be met: founding document 001's times and targets.

A time is CACHE_TTL_{NAME} of the environment, in seconds, else the default here; each entry lives up to a tenth
shorter or longer, so that what was filled together does not end together. A name that is not known here lives as long
as a claim.
"""

import random
from typing import NamedTuple

from django.conf import settings


class Kind(NamedTuple):
    """`seconds` is the default time to live, `target` the hit rate in percent that is expected, `is_trusted` whether
    process memory may answer without comparing stamps (never for a record of a patient)."""

    name: str
    seconds: int
    target: int
    is_trusted: bool = False


KINDS = {
    kind.name: kind
    for kind in (
        Kind("risk_score", 3_600, 80),
        Kind("claim", 1_800, 60),
        Kind("payer", 86_400, 90),
        Kind("remittance", 1_800, 70),
        Kind("payment", 1_800, 70),
        Kind("episode", 1_800, 70),
        Kind("provider", 3_600, 70),
        Kind("plan", 3_600, 70),
        Kind("practice_config", 86_400, 70),
        Kind("dashboard", 60, 70),
        Kind("kpi", 600, 70),
        Kind("underpaid", 1_800, 70),
    )
}
OVERALL_TARGET = 80
# that something is not there
MISSING_SECONDS = 60
JITTER = 0.1
# past its time an entry may be answered for this long while one reader fills it anew
GRACE_SECONDS = 30


def seconds_of(kind: str) -> int:
    """Get a kind's time to live in seconds: the environment's, else the default."""
    default = KINDS[kind].seconds if kind in KINDS else KINDS["claim"].seconds
    return settings.CACHE_TTL.get(kind.upper(), default)


def lifetime(kind: str, *, is_missing: bool = False) -> float:
    """Choose how long one entry lives, in seconds."""
    seconds = MISSING_SECONDS if is_missing else seconds_of(kind)
    return max(1.0, seconds * (1 + random.uniform(-JITTER, JITTER)))


def is_trusted(kind: str) -> bool:
    return kind in KINDS and KINDS[kind].is_trusted
