"""Numbers as a person reads them, each with its unit. Pure: a number in, a text out; None is a dash."""

from collections.abc import Callable

NONE = "–"
Writer = Callable[[float | None], str]


def whole(number: float | None) -> str:
    """Write a count: 12345 as 12,345."""
    return NONE if number is None else f"{number:,.0f}"


def rate(per_second: float | None) -> str:
    """Write so many a second, or a load: 0.04, 3.2, 6,667."""
    if per_second is None:
        return NONE
    return f"{per_second:,.0f}" if per_second >= 10 or not per_second else f"{per_second:.2g}"


def milliseconds(number: float | None) -> str:
    """Write a duration given in milliseconds: 0.41 ms, 12 ms, 3.4 s, 2 min."""
    if number is None:
        return NONE
    if number >= 1_000:
        return seconds(number / 1_000)
    return f"{number:.0f} ms" if number >= 10 else f"{number:.2g} ms"


def seconds(number: float | None) -> str:
    """Write a duration or age given in seconds: 0.4 s, 12 s, 4 min, 3 h, 2 days."""
    if number is None:
        return NONE
    if number < 120:
        return f"{number:.0f} s" if number >= 10 or not number else f"{number:.2g} s"
    if number < 7_200:
        return f"{number / 60:.0f} min"
    return f"{number / 3_600:.0f} h" if number < 172_800 else f"{number / 86_400:.0f} days"


def percent(number: float | None) -> str:
    """Write a percentage: 0.42 %, 7.1 %, 93 %."""
    if number is None:
        return NONE
    return f"{number:.0f} %" if number >= 10 or not number else f"{number:.2g} %"


def megabytes(number: float | None) -> str:
    """Write megabytes of 2**20 bytes: 3.1 MB, 412 MB, 1.6 GB."""
    if number is None:
        return NONE
    if abs(number) >= 1_024:
        return f"{number / 1_024:,.1f} GB"
    return f"{number:.0f} MB" if abs(number) >= 10 or not number else f"{number:.1f} MB"


def counted(number: int, word: str) -> str:
    """Write a number with its word: 1 message, 2 messages."""
    plural = f"{word}es" if word.endswith("s") else f"{word}s"
    return f"{number:,} {word if number == 1 else plural}"


def actor_title(name: str) -> str:
    """Write an actor's name as words: run_chunk as Run chunk."""
    return name.replace("_", " ").capitalize()
