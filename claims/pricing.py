"""Which prices hold for a claim, and the tables of them: process memory first, then the shared cache, then PostgreSQL.

A claim is priced by its payer's contract at the date of service; Medicare without a contract by the fee schedule of
that date at the locality of the place of service; anybody else is not priced, and the reason says so. Tables hang on
one number (FeeVersion), read once per chunk, that goes up in the transaction of every change: after a commit no process
prices by an old table, with the cache up or down. There is no query per line: one per chunk, and one per new table.
"""

from collections.abc import Sequence
from datetime import date
from decimal import Decimal
from typing import Any, NamedTuple

from django.db import connection

from claims import rvu
from claims.feecache import CACHE_COUNTS, cap_rows, fee_rows
from claims.models import Contract, ContractFee, FeeModifier, FeeSchedule, Locality, LocalityZip
from claims.models.fees import Basis
from claims.ranking import RANKED
from marb.parties.models import Payer, PayerType

MOST_CHOICES = 20_000
# practices whose prices one process keeps open
MOST_BOOKS = 50
NO_CONTRACT = "no contract with this payer on this date"
NO_DATE = "the line has no date of service"
NOT_PROFESSIONAL = "the physician fee schedule prices professional claims only"
MEDICARE_PART_B = "MB"
PROFESSIONAL = "P"


class ToPrice(NamedTuple):
    """What pricing asks of a claim's day: payer, ZIP code of the place, P, I or D, SBR09, ISO date or "", lines."""

    payer_id: int | None
    zip_code: str
    claim_type: str
    filing_indicator_code: str
    service_date: str
    lines: Sequence[rvu.Line]


class Statistics(NamedTuple):
    """Lookups since the process began.

    Memory: lines that met a table in process memory, and tables that had to be built for one. Cache: of the rows that a
    build asked for, those that the shared cache had, and those that PostgreSQL gave. `worked_out` counts the lines that
    needed arithmetic; all others were remembered.
    """

    memory_hits: int
    memory_misses: int
    cache_hits: int
    cache_misses: int
    worked_out: int

    @property
    def hit_rate(self) -> float:
        """Percent of lines that met their table in process memory."""
        total = self.memory_hits + self.memory_misses
        return round(100 * self.memory_hits / total, 2) if total else 0.0


class Book:
    """A practice's prices at one version: chooses the table for a claim and keeps the tables it has built."""

    def __init__(self, practice_id: int, version: int):
        self.version = version
        self.schedules = list(FeeSchedule.objects.order_by("-effective_from_date", "qualifier"))
        self.contracts: dict[int, list[Contract]] = {}
        for contract in Contract.objects.filter(practice=practice_id).order_by("-effective_from_date"):
            self.contracts.setdefault(contract.payer_id, []).append(contract)
        self.rules = {(rule.contract_id, rule.modifier): rule_of(rule) for rule in FeeModifier.objects.all()}
        medicare = Payer.objects.filter(practice=practice_id, payer_type=PayerType.MEDICARE)
        self.medicare = set(medicare.values_list("id", flat=True))
        self.choices: dict[tuple[Any, ...], rvu.Table | str] = {}
        self.places: dict[tuple[int, str], tuple[str, str] | None] = {}
        self.tables: dict[tuple[Any, ...], rvu.Table] = {}
        self.owns: dict[int, rvu.Own] = {}

    def price(self, claim: ToPrice) -> list[rvu.Price]:
        """Price a claim's lines of one day, in their order."""
        table = self.find_table(*claim[:-1])
        if isinstance(table, str):
            return [rvu.Price(None, table)] * len(claim.lines)
        return table.price_claim(claim.lines)

    def find_table(
        self, payer_id: int | None, zip_code: str, claim_type: str, filing_indicator_code: str, service_date: str
    ) -> rvu.Table | str:
        """Find the table for a payer, a place and a day, or the reason why there is none; remembered."""
        key = (payer_id, zip_code, claim_type, filing_indicator_code, service_date)
        found = self.choices.get(key)
        if found is None:
            if len(self.choices) >= MOST_CHOICES:
                self.choices.clear()
                self.places.clear()
            found = self.choices[key] = self.choose(*key)
        return found

    def choose(
        self, payer_id: int | None, zip_code: str, claim_type: str, filing_indicator_code: str, service_date: str
    ) -> rvu.Table | str:
        if not service_date:
            return NO_DATE
        day = date.fromisoformat(service_date)
        contract = self.contract(payer_id, day)
        if contract is not None and contract.basis == Basis.OWN:
            return self.tables.setdefault(("own", contract.pk), self.own(contract))
        if contract is None and filing_indicator_code != MEDICARE_PART_B and payer_id not in self.medicare:
            return NO_CONTRACT
        if claim_type != PROFESSIONAL:
            return NOT_PROFESSIONAL
        return self.medicare_table(contract, day, zip_code)

    def contract(self, payer_id: int | None, day: date) -> Contract | None:
        for contract in self.contracts.get(payer_id or 0, []):
            if contract.effective_from_date <= day and (contract.effective_to_date or day) >= day:
                return contract
        return None

    def own(self, contract: Contract) -> rvu.Own:
        """Get the fees that a contract has of its own."""
        if contract.pk not in self.owns:
            fees = {
                (fee.procedure_code, fee.modifier): rvu.Cap(
                    fee.amount if fee.facility_amount is None else fee.facility_amount, fee.amount
                )
                for fee in ContractFee.objects.filter(contract=contract)
            }
            self.owns[contract.pk] = rvu.Own(fees, rules=self.rules_for(contract))
        return self.owns[contract.pk]

    def medicare_table(self, contract: Contract | None, day: date, zip_code: str) -> rvu.Table | str:
        qualifier = contract.qualifier if contract else ""
        schedule = self.schedule(day, qualifier)
        if schedule is None:
            return "no fee schedule is loaded for this date"
        place = self.place(schedule, contract, zip_code)
        if place is None:
            return "no locality is known for the ZIP code of the place of service"
        key = (schedule.pk, *place, contract.pk if contract else None)
        if key not in self.tables:
            found = self.build(schedule, place, contract)
            if isinstance(found, str):
                return found
            self.tables[key] = found
        return self.tables[key]

    def schedule(self, day: date, qualifier: str) -> FeeSchedule | None:
        """Find the schedule of a day; of two factors the one asked for, else nonQP."""
        held = [s for s in self.schedules if s.effective_from_date <= day <= s.effective_to_date]
        wanted = [s for s in held if s.qualifier == (qualifier or "nonQP")]
        return next(iter(wanted or [s for s in held if not s.qualifier]), None)

    def place(self, schedule: FeeSchedule, contract: Contract | None, zip_code: str) -> tuple[str, str] | None:
        if contract is not None and contract.locality:
            return contract.contractor, contract.locality
        key = (schedule.pk, zip_code[:5])
        if key not in self.places:
            found = LocalityZip.objects.filter(schedule=schedule, zip_code=key[1])
            self.places[key] = found.values_list("contractor", "locality").first()
        return self.places[key]

    def build(self, schedule: FeeSchedule, place: tuple[str, str], contract: Contract | None) -> rvu.Table | str:
        contractor, locality = place
        gpci = Locality.objects.filter(schedule=schedule, contractor=contractor, locality=locality).first()
        if gpci is None:
            return "the fee schedule has no indices for this locality"
        return rvu.Schedule(
            fee_rows(schedule),
            rvu.Gpci(gpci.work, gpci.practice_expense, gpci.malpractice),
            rules=self.rules_for(contract),
            caps=cap_rows(schedule, contractor, locality),
            factor=(contract.percent if contract else Decimal(100)) / 100,
            reductions=reductions(contract),
            agreed=self.own(contract) if contract else None,
            is_medicare=contract is None or contract.payer_id in self.medicare,
        )

    def rules_for(self, contract: Contract | None) -> list[rvu.ModifierRule]:
        """Gather the house's rules, the general rows over them, and a contract's own over both."""
        rules = {rule.modifier: rule for rule in rvu.DEFAULT_RULES}
        rules |= {modifier: rule for (owner, modifier), rule in self.rules.items() if owner is None}
        if contract is not None:
            rules |= {modifier: rule for (owner, modifier), rule in self.rules.items() if owner == contract.pk}
        return list(rules.values())


BOOKS: dict[int, Book] = {}
# lookups of books that are no longer open
CLOSED_COUNTS = {"built": 0, "looked_up": 0, "worked_out": 0}


def open_book(practice_id: int) -> Book:
    """Get the practice's prices at the version that is committed now."""
    version = current_version()
    book = BOOKS.get(practice_id)
    if book is None or book.version != version:
        if book is not None:
            close_book(book)
        elif len(BOOKS) >= MOST_BOOKS:
            close_book(BOOKS.pop(next(iter(BOOKS))))
        book = BOOKS[practice_id] = Book(practice_id, version)
    return book


def close_book(book: Book) -> None:
    """Keep the counts of a book that nobody will ask again."""
    for name, count in counts_of(book).items():
        CLOSED_COUNTS[name] += count


def counts_of(book: Book) -> dict[str, int]:
    tables = book.tables.values()
    looked_up, worked_out = sum(table.looked_up for table in tables), sum(table.worked_out for table in tables)
    return {"built": len(tables), "looked_up": looked_up, "worked_out": worked_out}


def current_version() -> int:
    with connection.cursor() as cursor:
        cursor.execute("SELECT coalesce(max(number), 0) FROM claims_feeversion")
        return cursor.fetchone()[0]


def bump() -> None:
    """Say that prices have changed, in the caller's transaction: every process reloads at its next chunk."""
    with connection.cursor() as cursor:
        cursor.execute(
            "INSERT INTO claims_feeversion (id, number) VALUES (1, 1)"
            " ON CONFLICT (id) DO UPDATE SET number = claims_feeversion.number + 1"
        )


def statistics() -> Statistics:
    """Count this process's lookups, by layer."""
    books = [CLOSED_COUNTS, *map(counts_of, BOOKS.values())]
    built, looked_up, worked_out = (sum(book[name] for book in books) for name in ("built", "looked_up", "worked_out"))
    return Statistics(looked_up - built, built, CACHE_COUNTS["hits"], CACHE_COUNTS["misses"], worked_out)


def rule_of(row: FeeModifier) -> rvu.ModifierRule:
    return rvu.ModifierRule(row.modifier, row.effect, row.percent, row.indicator, row.allowed)


def reductions(contract: Contract | None) -> dict[str, tuple[Decimal, ...]]:
    """Read a contract's percents: by rule (claims.ranking), or a list of them for ranked procedures."""
    said = contract.reductions if contract else {}
    given = said if isinstance(said, dict) else {RANKED: said}
    return {rule: tuple(Decimal(str(percent)) for percent in percents) for rule, percents in given.items() if percents}
