"""The search for the segments that matter to the envelope scan, as one regular expression over raw bytes."""

import re
from functools import lru_cache
from typing import Final

from marb.edi.tape import blanks

IDS: Final = ("CL[MP]", "IEA", "IS[BE]", "G[SE]", "S[TE]", "TA1")


@lru_cache(maxsize=64)
def segment_pattern(element: str, segment: str, loop: str) -> re.Pattern[bytes]:
    """A terminator, blanks, and the id of a segment that matters; `loop` is HL (837) or LX (835).

    Lower case is found as well, to be reported; so is an id that a wrapped line breaks.
    """
    mark, end = re.escape(element.encode("latin-1")), re.escape(segment.encode("latin-1"))
    breaks = b"" if segment in "\r\n" else b"[\r\n]*"
    ids = b"|".join(either_case(name, breaks) for name in (*IDS, "HL" if loop == "HL" else "LX"))
    first = b"(?=[%bCcIiGgSsTt])" % (b"Hh" if loop == "HL" else b"Ll")
    header = b"ISA(?=[^A-Za-z0-9\\s])"
    known = b"(?:%b)%b(?=[%b%b])" % (ids, breaks, mark, end)
    return re.compile(b"%b%b*%b(%b|%b)" % (end, blanks(segment.encode("latin-1")), first, header, known))


def either_case(name: str, breaks: bytes) -> bytes:
    """`CLM` as `[Cc][Ll][Mm]`, with line breaks let in between."""
    classes = re.findall(r"\[\w+\]|\w", name)
    return breaks.join(f"[{''.join(c + c.lower() for c in part.strip('[]'))}]".encode() for part in classes)
