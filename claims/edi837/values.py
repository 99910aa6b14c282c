"""Elements as columns and sums want them; one that cannot be read raises Unreadable, which quarantines its claim."""

from marb.edi.findings import IK403
from marb.edi.values import BadValue, dollars, parse_cents, parse_date, parse_quantity


class Unreadable(Exception):
    """A claim that cannot become true rows. `code` is from the list that `code_set` names; the sentence has no PHI."""

    def __init__(self, code_set: str, code: str, sentence: str, element: int = 0, component: int = 0):
        super().__init__(sentence)
        self.code_set, self.code, self.sentence = code_set, code, sentence
        self.element, self.component = element, component


def cents(elements: list[str], number: int) -> int:
    """Read an amount element as cents; Unreadable if it is not an amount to the cent."""
    try:
        return parse_cents(elements[number].strip() if number < len(elements) else "")
    except BadValue as bad:
        raise unreadable(bad, f"{elements[0]}{number:02d}: the amount {bad.sentence}.", number) from None


def amount(elements: list[str], number: int) -> str:
    """Read an amount element as dollars in text, for a document."""
    return dollars(cents(elements, number))


def day(elements: list[str], number: int) -> str | None:
    """Read a CCYYMMDD element as ISO text, None where it is left out."""
    if number >= len(elements) or not (text := elements[number].strip()):
        return None
    try:
        return parse_date(text)
    except BadValue as bad:
        raise unreadable(bad, f"{elements[0]}{number:02d}: the date {bad.sentence}.", number) from None


def quantity(elements: list[str], number: int) -> str | None:
    """Read a quantity element as decimal text, None where it is left out."""
    if number >= len(elements) or not (text := elements[number].strip()):
        return None
    try:
        return parse_quantity(text)
    except BadValue as bad:
        raise unreadable(bad, f"{elements[0]}{number:02d}: the quantity {bad.sentence}.", number) from None


def unreadable(bad: BadValue, sentence: str, element: int) -> Unreadable:
    return Unreadable(IK403, bad.code, sentence, element)
