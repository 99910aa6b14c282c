"""The implementation guides we know: what a GS08 or ST03 says about the set it stands on.

A guide's number (X222, X098) says what the set carries; the release before it (004010, 005010) says how. Addenda
letters (A1, A2, A3, E2) change neither. Names are our own words, not the guides' text.
"""

import re
from typing import Final, NamedTuple

# guide number -> (kind, what it is in words); the kind of a claim set says whose form it is on
NUMBERS: Final = {
    "X096": ("837I", "institutional claim"),
    "X097": ("837D", "dental claim"),
    "X098": ("837P", "professional claim"),
    "X222": ("837P", "professional claim"),
    "X223": ("837I", "institutional claim"),
    "X224": ("837D", "dental claim"),
    "X291": ("837P", "professional predetermination"),
    "X292": ("837I", "institutional predetermination"),
    "X298": ("837P", "professional post-adjudicated claim data"),
    "X299": ("837I", "institutional post-adjudicated claim data"),
    "X300": ("837D", "dental post-adjudicated claim data"),
    "X091": ("835", "claim payment advice"),
    "X221": ("835", "claim payment advice"),
    "X214": ("277CA", "claim acknowledgement"),
}
# ST01 -> what the set is in words
SETS: Final = {
    "TA1": "an interchange acknowledgement",
    "269": "a benefit coordination check",
    "270": "an eligibility inquiry",
    "271": "an eligibility answer",
    "274": "provider information",
    "275": "a claim attachment",
    "276": "a claim status request",
    "277": "a claim status answer",
    "278": "an authorization request or answer",
    "820": "a premium payment",
    "824": "an application advice",
    "834": "an enrollment",
    "835": "a claim payment advice",
    "837": "a claim",
    "997": "a functional acknowledgement",
    "999": "an implementation acknowledgement",
}
GROUP_CODES: Final = {"837": "HC", "835": "HP"}
NUMBER: Final = re.compile(r"X[0-9]{3}", re.ASCII)
RELEASE: Final = re.compile(r"(00[345]0[0-9]0)", re.ASCII)


class Guide(NamedTuple):
    """A guide as GS08 or ST03 names it: `kind` as Totals and files carry it, `release` as 004010 or 005010."""

    kind: str
    release: str
    name: str
    is_known: bool


def read_guide(set_code: str, text: str) -> Guide:
    """Answer what `text` (GS08 or ST03) makes of a set with this ST01; unknown text leaves the ST01 to speak."""
    number = NUMBER.search(text)
    release = RELEASE.match(text)
    kind, name = NUMBERS.get(number[0] if number else "", ("", ""))
    is_known = bool(set_code) and kind.startswith(set_code)
    if not is_known:
        kind, name = set_code, SETS.get(set_code, "a set that we do not know")
    return Guide(kind, release[1] if release else "", name, is_known)
