"""The rows of fee schedules: process memory first, then the shared cache, then PostgreSQL.

A key bears the moment of the load, so that a schedule loaded again, or another database behind the same cache, never
meets old rows; with the cache down rows come from PostgreSQL. One schedule's rows are one mapping, shared by the tables
of all practices, localities and contracts.
"""

from collections.abc import Sequence
from decimal import Decimal
from functools import lru_cache

import orjson
import pyzstd

from claims.models import Fee, FeeCap, FeeSchedule
from claims.rates import Cap, Rvu
from marb.core.cache.keys import named
from marb.core.cache.server import ask, send

TABLE_SECONDS = 24 * 3600
MOST_SCHEDULES = 8
# loads of rows that process memory did not have
CACHE_COUNTS = {"hits": 0, "misses": 0}
FeeRows = dict[tuple[str, str], Rvu]
SCHEDULES: dict[str, FeeRows] = {}


def fee_rows(schedule: FeeSchedule) -> FeeRows:
    """Get a schedule's rows by code and modifier."""
    key = f"fees:{schedule.pk}:{schedule.version}:{schedule.loaded_at:%Y%m%d%H%M%S%f}"
    found = SCHEDULES.get(key)
    if found is None:
        columns = ("procedure_code", "modifier", *Rvu._fields)
        rows = cached_rows(key)
        if rows is None:
            rows = [[str(cell) for cell in row] for row in Fee.objects.filter(schedule=schedule).values_list(*columns)]
            keep_rows(key, rows)
        if len(SCHEDULES) >= MOST_SCHEDULES:
            SCHEDULES.pop(next(iter(SCHEDULES)))
        found = SCHEDULES[key] = {(row[0], row[1]): rvu_of(row[2:]) for row in rows}
    return found


def rvu_of(cells: Sequence[str]) -> Rvu:
    """Make a row's values from text: the first five and the last three are numbers, those between indicators."""
    numbers, indicators, portions = cells[:5], cells[5:-3], cells[-3:]
    return Rvu(*map(number, numbers), *map(text, indicators), *map(number, portions))  # type: ignore[arg-type]


@lru_cache(maxsize=65536)
def number(cell: str) -> Decimal:
    """Make a number once: 20,000 rows have few different ones."""
    return Decimal(cell)


@lru_cache(maxsize=4096)
def text(cell: str) -> str:
    return cell


def cap_rows(schedule: FeeSchedule, contractor: str, locality: str) -> dict[tuple[str, str], Cap]:
    """Read a locality's caps."""
    key = f"feecaps:{schedule.pk}:{schedule.version}:{schedule.loaded_at:%Y%m%d%H%M%S%f}:{contractor}:{locality}"
    rows = cached_rows(key)
    if rows is None:
        found = FeeCap.objects.filter(schedule=schedule, contractor=contractor, locality=locality)
        columns = ("procedure_code", "modifier", "facility_amount", "nonfacility_amount")
        rows = [[str(cell) for cell in row] for row in found.values_list(*columns)]
        keep_rows(key, rows)
    return {(row[0], row[1]): Cap(Decimal(row[2]), Decimal(row[3])) for row in rows}


def cached_rows(key: str) -> list[list[str]] | None:
    rows = read_rows(ask(lambda client: send(client, "GET", named(key)), None) or b"")
    CACHE_COUNTS["misses" if rows is None else "hits"] += 1
    return rows


def read_rows(data: bytes) -> list[list[str]] | None:
    """Read what keep_rows wrote; None for anything else."""
    try:
        rows: list[list[str]] = orjson.loads(pyzstd.decompress(data))
    except (ValueError, pyzstd.ZstdError):
        return None
    return rows


def keep_rows(key: str, rows: list[list[str]]) -> None:
    data = pyzstd.compress(orjson.dumps(rows))
    ask(lambda client: send(client, "SET", named(key), data, "EX", TABLE_SECONDS), None)
