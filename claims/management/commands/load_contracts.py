"""`manage.py load_contracts FILE.csv`: what payers pay a practice, one contract a row. Safe to repeat.

Columns: practice (its code; empty for the only one), payer_code, payer_name, payer_type, basis (medicare or own),
percent, from, to (YYYY-MM-DD; an empty `to` has no end). A payer that is not known yet is made. A row replaces the
contract of its payer that begins on its day. Fees that a contract has of its own come by --fees FILE.csv: practice,
payer_code, from, procedure_code, modifier, amount, facility_amount; a file replaces all fees of the contracts that it
names. With basis medicare they come before Medicare's. Nothing is loaded if a row is wrong.
"""

import csv
from argparse import ArgumentParser
from collections.abc import Iterator
from datetime import date
from decimal import Decimal, InvalidOperation
from pathlib import Path
from typing import Any, TypeVar

from django.core.exceptions import ValidationError
from django.core.management.base import BaseCommand, CommandError
from django.db import models, transaction

from claims import pricing
from claims.models import Contract, ContractFee
from claims.models.fees import Basis
from marb.access.models import Practice
from marb.parties.models import Payer, PayerType
from marb.parties.resolve import payer_code

CONTRACT_COLUMNS = frozenset(("payer_code", "basis", "percent", "from"))
FEE_COLUMNS = frozenset(("payer_code", "from", "procedure_code", "amount"))
Cells = dict[str, str]
Row = TypeVar("Row", bound=models.Model)


class Command(BaseCommand):
    help = "Load contracts with payers from a CSV file."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("path", type=Path, metavar="FILE.csv")
        parser.add_argument("--fees", type=Path, metavar="FILE.csv", help="the fees that contracts have of their own")

    def handle(self, *args: Any, **options: Any) -> None:
        with transaction.atomic():
            contracts = [keep_contract(place, cells) for place, cells in read_rows(options["path"], CONTRACT_COLUMNS)]
            fees = load_fees(options["fees"]) if options["fees"] else 0
            pricing.bump()
        if options["verbosity"]:
            self.stdout.write(f"{len(contracts)} contracts, {fees} fees")


def read_rows(path: Path, needed: frozenset[str]) -> Iterator[tuple[str, Cells]]:
    """Yield each row's place in words, and its cells by column."""
    try:
        with path.open(encoding="utf-8-sig", newline="") as lines:
            rows = csv.DictReader(lines)
            if missing := needed - set(rows.fieldnames or ()):
                raise CommandError(f"{path.name} has no column {min(missing)}. Nothing was loaded.")
            for number, row in enumerate(rows, 2):
                yield f"{path.name}, row {number}", {key: (text or "").strip() for key, text in row.items() if key}
    except (OSError, UnicodeDecodeError, csv.Error) as error:
        raise CommandError(f"{path} cannot be read: {error}.") from None


def keep_contract(place: str, cells: Cells) -> Contract:
    """Make or replace the contract of a row."""
    practice = find_practice(place, cells)
    payer = keep_payer(practice, place, cells)
    first, last = day(place, cells, "from"), cells.get("to", "")
    contract = Contract.objects.filter(practice=practice, payer=payer, effective_from_date=first).first() or Contract(
        practice=practice, payer=payer, effective_from_date=first
    )
    contract.name = contract.name or str(payer)[:80]
    contract.basis, contract.percent = cells["basis"].lower() or Basis.MEDICARE, number(place, cells, "percent", "100")
    contract.effective_to_date = day(place, cells, "to") if last else None
    contract.version += 1 if contract.pk else 0
    return save(place, contract)


def keep_payer(practice: Practice, place: str, cells: Cells) -> Payer:
    code = payer_code(cells["payer_code"], "")
    if not code:
        raise CommandError(f"{place}: no payer_code. Nothing was loaded.")
    kind = cells.get("payer_type", "").lower() or PayerType.OTHER
    known = Payer.objects.filter(practice=practice, payer_code=code).first()
    name = cells.get("payer_name") or code
    return known or save(place, Payer(practice=practice, payer_code=code, name=name, payer_type=kind))


def load_fees(path: Path) -> int:
    """Replace the fees of the contracts that a file names; answer how many it has."""
    fees: dict[Contract, dict[tuple[str, str], ContractFee]] = {}
    for place, cells in read_rows(path, FEE_COLUMNS):
        contract = find_contract(place, cells)
        facility = number(place, cells, "facility_amount", "") if cells.get("facility_amount") else None
        code, modifier = cells["procedure_code"].upper(), cells.get("modifier", "").upper()
        amounts = {"amount": number(place, cells, "amount", ""), "facility_amount": facility}
        fee = ContractFee(contract=contract, procedure_code=code, modifier=modifier, **amounts)
        fees.setdefault(contract, {})[code, modifier] = checked(place, fee)
    ContractFee.objects.filter(contract__in=fees).delete()
    return len(ContractFee.objects.bulk_create(fee for some in fees.values() for fee in some.values()))


def find_contract(place: str, cells: Cells) -> Contract:
    found = Contract.objects.filter(
        practice=find_practice(place, cells),
        payer__payer_code=payer_code(cells["payer_code"], ""),
        effective_from_date=day(place, cells, "from"),
    ).first()
    if found is None:
        raise CommandError(f"{place}: no contract of this payer begins on that day. Nothing was loaded.")
    return found


def find_practice(place: str, cells: Cells) -> Practice:
    code = cells.get("practice", "")
    found = list(Practice.objects.filter(code=code) if code else Practice.objects.all()[:2])
    if len(found) != 1:
        raise CommandError(f"{place}: {f'no practice {code}' if code else 'name the practice'}. Nothing was loaded.")
    return found[0]


def day(place: str, cells: Cells, column: str) -> date:
    try:
        return date.fromisoformat(cells[column])
    except ValueError:
        raise CommandError(f"{place}: {column} is not a date (YYYY-MM-DD). Nothing was loaded.") from None


def number(place: str, cells: Cells, column: str, default: str) -> Decimal:
    try:
        value = Decimal(cells.get(column) or default)
    except InvalidOperation:
        value = Decimal("NaN")
    if not value.is_finite() or value < 0:
        raise CommandError(f"{place}: {column} is not a number, or less than nothing. Nothing was loaded.")
    return value


def checked(place: str, row: Row) -> Row:
    """Hold a row to its columns, without a query."""
    try:
        row.clean_fields(exclude=["practice", "payer", "contract"])
    except ValidationError as error:
        column, (message, *_) = next(iter(error.message_dict.items()))
        raise CommandError(f"{place}: {column}: {message} Nothing was loaded.") from None
    return row


def save(place: str, row: Row) -> Row:
    checked(place, row).save()
    return row
