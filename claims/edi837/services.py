"""Services: SV1, SV2 and SV3 (loop 2400), read apart from the line they stand on.

005010X222 (SV1), X223 (SV2), X224 (SV3) and the 004010 forebears. The services of a practice repeat: each distinct
text is read once and its Service shared by all lines that have it. The whole segment is kept in `detail` where it says
more than the columns hold.
"""

from operator import lt
from typing import Final

from claims.edi837.records import LINE_LENGTHS, MODIFIER_LENGTH, Document
from claims.edi837.values import Unreadable, cents, quantity
from marb.edi.findings import IK403
from marb.edi.x12 import element

MOST_ELEMENTS: Final = {"SV1": 21, "SV2": 10, "SV3": 11}
MOST_COMPONENTS: Final = 8

# code (IK403), message and element of a finding of level C
Note = tuple[str, str, int]


class Service:
    """What an SVx says. `notes` and `fault` are said at each line that has it; nothing changes once it is read.

    `is_long` says that one of its texts is longer than its column; `is_plain`, that it is all columns.
    `before`, `after` and `names` are the columns of a line (ParsedLine) up to the control number, behind the dates and
    behind the position, where the line has nothing else; all such lines share them.
    """

    revenue_code = procedure_qualifier = procedure_code = unit_code = place_of_service_code = ""
    unit_count: str | None = None
    charge_cents = 0
    fault: Unreadable | None = None
    is_long = is_plain = False
    before: tuple[str, ...]
    after: tuple[object, ...]
    names: tuple[str, str]

    def __init__(self, service_id: str, key: str):
        self.service_id, self.key = service_id, key
        self.modifiers: list[str] = []
        self.pointers: list[int] = []
        self.detail: Document = {}
        self.notes: list[Note] = []


# what a line has until its SVx comes
NO_SERVICE: Final = Service("", "")


def read_service(piece: str, elements: list[str], component: str) -> Service:
    """Read an SVx. The key says what it was read from: the segment's text and its component separator."""
    service = Service(elements[0], piece + component)
    most = MOST_ELEMENTS[service.service_id]
    if any(elements[most + 1 :]):
        service.notes.append(("3", f"{service.service_id} has more than {most} elements.", most + 1))
    try:
        SERVICE_READERS[service.service_id](service, elements, component)
    except Unreadable as fault:
        service.fault = fault
    service.before = texts_of(service)
    service.after = (service.modifiers, service.pointers, [], {}, service.charge_cents)
    service.names = (service.service_id, service.key)
    service.is_long = any(map(lt, LINE_LENGTHS, map(len, service.before)))
    service.is_plain = not (service.is_long or service.fault or service.notes or service.detail)
    return service


def texts_of(service: Service) -> tuple[str, str, str, str, str]:
    """List a service's text columns in the order of LINE_TEXTS."""
    codes = (service.revenue_code, service.procedure_qualifier, service.procedure_code)
    return (*codes, service.unit_code, service.place_of_service_code)


def read_professional(service: Service, elements: list[str], component: str) -> None:
    """SV1: 01 procedure, 02 charge, 03 unit, 04 quantity, 05 place, 07 diagnosis pointers."""
    count = len(elements)
    if count < 3:
        raise Unreadable(IK403, "1", "SV102: the amount is empty.", 2)
    read_procedure(service, elements[1].split(component), 1)
    service.charge_cents = cents(elements, 2)
    if count > 4:
        service.unit_code = elements[3].strip()
        service.unit_count = quantity(elements, 4)
    service.place_of_service_code = element(elements, 5)
    if count > 7 and elements[7]:
        read_pointers(service, elements[7].split(component), 7)
    if count > 8 or (count > 6 and elements[6]):
        service.detail["service"] = elements


def read_institutional(service: Service, elements: list[str], component: str) -> None:
    """SV2: 01 revenue code, 02 procedure, 03 charge, 04 unit, 05 quantity; 06 rate and 07 non-covered are kept."""
    service.revenue_code = element(elements, 1)
    if len(elements) > 2 and elements[2]:
        read_procedure(service, elements[2].split(component), 2)
    service.charge_cents = cents(elements, 3)
    service.unit_code = element(elements, 4)
    service.unit_count = quantity(elements, 5)
    if len(elements) > 6:
        service.detail["service"] = elements


def read_dental(service: Service, elements: list[str], component: str) -> None:
    """SV3: 01 procedure, 02 charge, 03 place, 04 oral cavity, 06 quantity, 11 diagnosis pointers."""
    read_procedure(service, element(elements, 1).split(component), 1)
    service.charge_cents = cents(elements, 2)
    service.place_of_service_code = element(elements, 3)
    service.unit_count = quantity(elements, 6)
    if pointers := element(elements, 11):
        read_pointers(service, pointers.split(component), 11)
    if any(elements[4:6]) or any(elements[7:11]) or len(elements) > 12:
        service.detail["service"] = elements


SERVICE_READERS: Final = {"SV1": read_professional, "SV2": read_institutional, "SV3": read_dental}


def read_procedure(service: Service, parts: list[str], number: int) -> None:
    """Read a procedure (C003), the element of this number: qualifier, code, four modifiers, description."""
    service.procedure_qualifier = parts[0].strip()
    if len(parts) > 1:
        service.procedure_code = parts[1].strip()
    service.modifiers = [text for part in parts[2:6] if (text := part.strip())]
    if len(parts) > 6:
        service.detail["procedure"] = parts[6:]
    if any(parts[MOST_COMPONENTS:]):
        service.notes.append(("13", f"A composite has more than {MOST_COMPONENTS} components.", number))
    if any(len(text) > MODIFIER_LENGTH for text in service.modifiers):
        service.detail["modifiers"] = service.modifiers
        service.modifiers = [text[:MODIFIER_LENGTH] for text in service.modifiers]
        service.notes.append(("5", "A modifier has more than two characters.", 1))


def read_pointers(service: Service, parts: list[str], number: int) -> None:
    """Read diagnosis pointers (C004): up to four numbers. One that is no number is kept in the detail."""
    for part in parts:
        text = part.strip()
        if text.isascii() and text.isdigit() and len(text) < 3:
            service.pointers.append(int(text))
        elif text:
            service.detail.setdefault("pointers", []).append(text)
            service.notes.append(("6", "A diagnosis pointer is not a number from 1 to 12.", number))
