"""Reading adjudicated lines as arrays: one set-based SELECT, by binary COPY, a slab at a time, texts as codes.

PostgreSQL sends each text's hash, so that every row is of one width and numpy reads a slab without a loop; what a hash
stands for is looked up once per text by a row that has it. Memory is some eighty bytes a line.
"""

from collections.abc import Iterator, Sequence
from typing import Any

import numpy as np
from django.db.backends.utils import CursorWrapper

from risk.lines import NO_DAY, TEXTS, Lines

EPOCH = "date '1970-01-01'"
HASHED = {
    "procedure": "procedure_code", "diagnosis": "diagnosis", "place": "place_of_service_code",
    "modifiers": "array_to_string(modifiers, ',')", "carcs": "array_to_string(carcs, ',')",
}  # fmt: skip
WHOLE = {
    "id": "id", "claim": "claim_id", "payer": "coalesce(payer_id, 0)", "billing": "coalesce(billing_provider_id, 0)",
    "rendering": "coalesce(rendering_provider_id, 0)",
    "days": "coalesce(days_to_submission, 0)", "charge_cents": "(charge_amount * 100)",
    "denied_cents": "(denied_amount * 100)", "service_day": f"coalesce(service_date - {EPOCH}, {NO_DAY})",
    "submitted_day": f"coalesce(submitted_date - {EPOCH}, {NO_DAY})",
    "adjudicated_day": f"coalesce(adjudicated_date - {EPOCH}, {NO_DAY})",
}  # fmt: skip
FLAGS = {"is_authorized": "has_authorization", "is_duplicate": "is_duplicate", "is_denied": "is_denied"}
COLUMNS = [
    *(f"hashtextextended({sql}, 0)" for sql in HASHED.values()),
    *(f"({sql})::bigint" for sql in WHOLE.values()),
    *FLAGS.values(),
]
NAMES = (*HASHED, *WHOLE, *FLAGS)
# how COPY writes a row: the number of its fields, then each field's width and value
FORM = np.dtype(
    [("fields", ">i2")]
    + [(part, kind) for name in (*HASHED, *WHOLE) for part, kind in ((f"{name} width", ">i4"), (name, ">i8"))]
    + [(part, kind) for name in FLAGS for part, kind in ((f"{name} width", ">i4"), (name, "u1"))]
)
HEADER_BYTES, SLAB_ROWS = 19, 100_000
NARROW = {"days", *TEXTS, "service_day", "submitted_day", "adjudicated_day"}

# a void is answered by a reversal; what it is answered beside that says nothing of the service
SELECT = f"""
SELECT {", ".join(COLUMNS)} FROM risk_adjudicatedline
WHERE practice_id = %(practice)s AND claim_frequency <> '8'
    AND (%(since)s::date IS NULL OR adjudicated_date >= %(since)s)
    AND (%(until)s::date IS NULL OR adjudicated_date < %(until)s)
"""
TEXT_OF = {name: f"SELECT id, {sql} FROM risk_adjudicatedline WHERE id = ANY(%s)" for name, sql in HASHED.items()}


def read_lines(cursor: CursorWrapper, practice_id: int, since: Any = None, until: Any = None) -> Lines:
    """Read a practice's lines that were adjudicated since a date and before another; all of them without these."""
    reader, asked = Reader(), {"practice": practice_id, "since": since, "until": until}
    with cursor.copy(f"COPY ({SELECT}) TO STDOUT (FORMAT BINARY)", asked) as copy:
        for slab in slabs(bytes(part) for part in copy):
            reader.take(slab)
    return reader.finish(cursor)


def slabs(parts: Iterator[bytes]) -> Iterator[Any]:
    """Cut COPY's bytes into arrays of whole rows; the header and the two bytes of the end are left out."""
    held, size, begun = [], 0, False
    for part in parts:
        held.append(part)
        size += len(part)
        if size >= SLAB_ROWS * FORM.itemsize:
            data = b"".join(held)[0 if begun else HEADER_BYTES :]
            whole = len(data) - len(data) % FORM.itemsize
            yield np.frombuffer(data[:whole], FORM)
            held, size, begun = [data[whole:]], len(data) - whole, True
    data = b"".join(held)[0 if begun else HEADER_BYTES :]
    yield np.frombuffer(data[: len(data) - len(data) % FORM.itemsize], FORM)


class Reader:
    """Turns slabs into columns, hashes into codes; `known` gives each hash its code and a row that has it."""

    def __init__(self) -> None:
        self.columns: dict[str, list[Any]] = {name: [] for name in NAMES if name != "id"}
        self.known: dict[str, dict[int, tuple[int, int]]] = {name: {} for name in HASHED}

    def take(self, slab: Any) -> None:
        if len(slab) and np.any(slab["fields"] != len(NAMES)):
            raise ValueError("A row of adjudicated lines is not of its width.")
        for name in HASHED:
            hashes, first, place = np.unique(slab[name], return_index=True, return_inverse=True)
            known, ids = self.known[name], slab["id"][first].tolist()
            codes = [
                known.setdefault(value, (len(known), row))[0] for value, row in zip(hashes.tolist(), ids, strict=True)
            ]
            self.columns[name].append(np.asarray(codes, np.int32)[place])
        for name in WHOLE:
            if name != "id":
                self.columns[name].append(slab[name].astype(np.int32 if name in NARROW else np.int64))
        for name in FLAGS:
            self.columns[name].append(slab[name] != 0)

    def finish(self, cursor: CursorWrapper) -> Lines:
        columns = {name: np.concatenate(self.columns.pop(name)) for name in list(self.columns)}
        labels: dict[str, list[Any]] = {name: read_labels(cursor, name, known) for name, known in self.known.items()}
        for name in ("modifiers", "carcs"):
            labels[name] = [tuple(each.split(",")) if each else () for each in labels[name]]
        return Lines(**columns, labels=labels)


def read_labels(cursor: CursorWrapper, name: str, known: dict[int, tuple[int, int]]) -> list[str]:
    """Read the texts behind the codes, in their order."""
    rows: Sequence[int] = [row for _, row in known.values()]
    cursor.execute(TEXT_OF[name], [list(rows)])
    texts = dict(cursor.fetchall())
    return [texts[row] for row in rows]
