"""Names and what hangs on them: NM1, N2 to N4, PRV, REF, PER, DMG; the levels 2000A, 2000B and 2000C.

005010X222, X223, X224, loops 2000A to 2010CA, and the NM1 loops below 2300. A party is a document with the keys that
the file fills: loop, role, last_name, first_name, npi (or id_qualifier and id_code), taxonomy_code, address,
references. A date of birth that does not exist is kept as a fault and quarantines each claim of that person.
"""

from claims.edi837.draft import Draft, Take, append, keep
from claims.edi837.guides import LOOP_OF_LEVEL_ROLE, loop_of
from claims.edi837.records import Document, Party
from claims.edi837.values import day
from marb.edi.blocks import Block
from marb.edi.findings import IK403, Finding

NOBODY = Party()

NAME_KEYS = (
    *("role", "entity_type_code", "last_name", "first_name", "middle_name", "prefix", "suffix", "id_qualifier"),
    *("id_code", "relation_code", "related_entity_code", "organization_name"),
)
SUBSCRIBER_KEYS = (
    *("sequence", "relationship_code", "group_number", "group_name", "insurance_type_code", "coordination_code"),
    *("condition_code", "employment_code", "filing_indicator_code"),
)
PATIENT_KEYS = (
    *("relationship_code", "location_code", "employment_code", "student_code", "death_date_format", "death_date"),
    *("weight_unit_code", "weight", "pregnancy_code"),
)
REFERENCE_KEYS = ("qualifier", "value", "description", "related")
ADDRESS_KEYS = ("city", "state", "postal_code", "country_code", "location_qualifier", "location", "subdivision_code")


def named(keys: tuple[str, ...], elements: list[str]) -> Document:
    """Name a segment's elements from the first on; those left empty are left out."""
    return {key: text for key, value in zip(keys, elements[1:], strict=False) if (text := value.strip())}


def name_of(piece: str, elements: list[str], component: str) -> Document:
    """Read a NM1, once for all places where the same name stands. Its loop is known where it is taken."""
    party = named(NAME_KEYS, elements)
    party["loop"] = ""
    if party.get("id_qualifier") == "XX":
        del party["id_qualifier"]
        party["npi"] = party.pop("id_code", "")
    return party


def take_name(draft: Draft, name: Document) -> None:
    """NM1 below a claim: opens a 2310, 2330 or 2420 loop, a provider's or another payer's."""
    party = draft.party = name.copy()
    role = name.get("role", "")
    party["loop"] = draft.loop = loop = loop_of(draft.section, draft.heading.claim_type, role)
    family = loop[:4]
    if loop == family:
        draft.note(IK403, "7", "NM101: the role is not one that the guide has here; the name is kept.", element=1)
    if family == "2310":
        draft.parties.append(party)
    elif loop == "2330A":
        draft.scope["subscriber"] = party
    elif loop == "2330B":
        draft.scope["payer"] = party
    else:
        append(draft.line.detail if draft.line and family == "2420" else draft.scope, "providers", party)


def take_level_name(draft: Draft, name: Document) -> None:
    """NM1 of a level (2010AA to 2010CA)."""
    party = draft.party = name.copy()
    party["loop"] = draft.loop = LOOP_OF_LEVEL_ROLE.get(name.get("role", ""), draft.section)
    draft.parties.append(party)


def read_reference(draft: Draft, elements: list[str]) -> None:
    if len(elements) == 3 and elements[1] and elements[2]:
        reference = {"qualifier": elements[1].strip(), "value": elements[2].strip()}
    else:
        reference = named(REFERENCE_KEYS, elements)
    append(draft.scope if draft.party is None else draft.party, "references", reference)


def read_second_name(draft: Draft, elements: list[str]) -> None:
    owner(draft)["additional_name"] = " ".join(text.strip() for text in elements[1:])


def read_street(draft: Draft, elements: list[str]) -> None:
    address = owner(draft).setdefault("address", {})
    address.setdefault("lines", []).extend(text for value in elements[1:] if (text := value.strip()))


def city_of(piece: str, elements: list[str], component: str) -> Document:
    return named(ADDRESS_KEYS, elements)


def take_city(draft: Draft, city: Document) -> None:
    owner(draft).setdefault("address", {}).update(city)


def read_provider(draft: Draft, elements: list[str]) -> None:
    if len(elements) > 3 and elements[2] in ("PXC", "ZZ") and elements[3]:
        owner(draft)["taxonomy_code"] = elements[3].strip()
    else:
        keep(draft, elements)


def read_contact(draft: Draft, elements: list[str]) -> None:
    contact = named(("function_code", "name"), elements[:3])
    for qualifier, number in zip(elements[3::2], elements[4::2], strict=False):
        if number.strip():
            contact[qualifier.strip()] = number.strip()
    append(owner(draft), "contacts", contact)


def read_birth(draft: Draft, elements: list[str]) -> None:
    """DMG: date of birth and gender; the rest (marital status, race, citizenship) is kept as it is."""
    person = owner(draft)
    if birth_date := day(elements, 2):
        person["birth_date"] = birth_date
    if len(elements) > 3 and elements[3].strip():
        person["gender_code"] = elements[3].strip()
    if len(elements) > 4:
        keep(draft, elements)


def owner(draft: Draft) -> Document:
    return draft.scope if draft.party is None else draft.party


def subscriber_of(piece: str, elements: list[str], component: str) -> Document:
    return named(SUBSCRIBER_KEYS, elements)


def take_subscriber(draft: Draft, subscriber: Document) -> None:
    draft.detail.update(subscriber)


def read_patient(draft: Draft, elements: list[str]) -> None:
    draft.detail["patient"] = named(PATIENT_KEYS, elements)


PARTY_READERS: dict[str, Take] = {
    "N2": read_second_name,
    "N3": read_street,
    "N4": take_city,
    "PRV": read_provider,
    "PER": read_contact,
    "DMG": read_birth,
    "REF": read_reference,
}
LEVEL_READERS: dict[str, Take] = {
    **PARTY_READERS,
    "NM1": take_level_name,
    "SBR": take_subscriber,
    "PAT": read_patient,
    "CUR": keep,
    "DTP": keep,
}


class Level:
    """One HL with its names, read once for all claims below it. `fault` is why these are lost."""

    def __init__(self, block: Block, detail: Document, parties: list[Document], fault: Finding | None = None):
        self.block, self.fault = block, fault
        self.detail, self.parties = detail, parties
        self.document = {**detail, "names": parties}

    def party(self, role: str) -> Document:
        """Get the first party with this role (NM101), an empty document if the file has none."""
        for party in self.parties:
            if party.get("role") == role:
                return party
        return {}


class BillingLevel(Level):
    """2000A: the billing provider (NM1*85)."""

    def __init__(self, block: Block, detail: Document, parties: list[Document], fault: Finding | None = None):
        super().__init__(block, detail, parties, fault)
        self.provider = provider_party(self.party("85"), self.detail.get("taxonomy_code", ""))


class SubscriberLevel(Level):
    """2000B: the subscriber (NM1*IL) and the payer (NM1*PR). `columns` are payer_sequence_code to subscriber names."""

    def __init__(self, block: Block, detail: Document, parties: list[Document], fault: Finding | None = None):
        super().__init__(block, detail, parties, fault)
        said, payer = self.detail.get, self.party("PR")
        person = self.person = self.party("IL")
        self.names = names_of(person)
        self.columns = (
            *(said("sequence", ""), said("filing_indicator_code", ""), said("group_number", "")),
            *(person.get("id_code", ""), *self.names),
        )
        self.payer = Party(payer.get("id_code") or payer.get("npi", ""), payer.get("last_name", ""))


class PatientLevel(Level):
    """2000C: the patient (NM1*QC) where it is not the subscriber."""

    def __init__(self, block: Block, detail: Document, parties: list[Document], fault: Finding | None = None):
        super().__init__(block, detail, parties, fault)
        self.person = self.party("QC")
        self.names = names_of(self.person)


def names_of(person: Document) -> tuple[str, str, str]:
    """Get a person's columns: last name, first name, gender code."""
    return person.get("last_name", ""), person.get("first_name", ""), person.get("gender_code", "")


def full_name(party: Document) -> str:
    """Write a name as it is read: an organisation's, or `Last, First`."""
    first = party.get("first_name", "")
    last: str = party.get("last_name", "")
    return f"{last}, {first}" if first else last


def provider_party(party: Document, taxonomy_code: str = "") -> Party:
    """Make what the loader resolves of a provider: NPI, name, taxonomy, tax number (REF*EI or SY)."""
    if not party:
        return NOBODY
    # 004010 names providers by tax number (24) or social security number (34)
    tax_number = party["id_code"] if party.get("id_qualifier") in ("24", "34") and "id_code" in party else ""
    for given in party.get("references", ()):
        if given.get("qualifier") in ("EI", "SY", "TJ"):
            tax_number = tax_number or given.get("value", "")
    return Party(party.get("npi", ""), full_name(party), party.get("taxonomy_code", taxonomy_code), tax_number)
