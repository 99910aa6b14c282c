"""What a check answers: good, a warning, or bad, in a sentence, with what to do where it is not good."""

from enum import Enum
from typing import NamedTuple


class State(Enum):
    """A warning is worth mending; what is bad keeps the product from working, or from working safely."""

    GOOD = "ok"
    WARN = "warn"
    BAD = "BAD"


class Finding(NamedTuple):
    state: State
    subject: str
    said: str
    mend: str = ""


def good(subject: str, said: str) -> Finding:
    return Finding(State.GOOD, subject, said)


def warn(subject: str, said: str, mend: str) -> Finding:
    return Finding(State.WARN, subject, said, mend)


def bad(subject: str, said: str, mend: str) -> Finding:
    return Finding(State.BAD, subject, said, mend)
