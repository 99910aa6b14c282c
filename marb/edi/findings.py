"""Findings: what is wrong with a file, a set or a claim, as a value that names its place.

A finding never carries the offending text (it may be PHI): it says where it stands (byte offset, segment
position inside its ST with ST = 1, loop, element, component) and what the X12 code for it is.
"""

from typing import Final, NamedTuple

# What a finding costs. X: interchange rejected, G: group, T: transaction set, C: one claim, W: nothing.
INTERCHANGE: Final = "X"
GROUP: Final = "G"
SET: Final = "T"
CLAIM: Final = "C"
WARNING: Final = "W"

# The X12 element whose code list a finding's code is from; EDIT is the house's own list of claim edits.
TA105: Final = "TA105"
AK905: Final = "AK905"
IK304: Final = "IK304"
IK403: Final = "IK403"
IK502: Final = "IK502"
EDIT: Final = "EDIT"


class Place(NamedTuple):
    """Where in a file something stands."""

    byte_offset: int = 0
    segment_position: int = 0
    segment_id: str = ""
    interchange_control: str = ""
    group_control: str = ""
    set_control: str = ""


class Finding(NamedTuple):
    """One thing wrong, or worth a note, at one place.

    `claim_offset` is the byte offset of the CLM or CLP it concerns, None for an envelope finding.
    `element` and `component` count from 1; 0 means the whole segment.
    """

    level: str
    code_set: str
    code: str
    message: str
    place: Place
    loop: str = ""
    element: int = 0
    component: int = 0
    claim_offset: int | None = None


class Quarantined(NamedTuple):
    """A claim (CLM) or claim payment (CLP) that cannot become true rows: its bytes stay where they are.

    `charge_cents` is None where the amount cannot be read.
    """

    byte_from: int
    byte_to: int
    segment_position: int
    set_control: str
    control_number: str
    charge_cents: int | None
