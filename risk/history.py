"""Historical denial rates as of a claim's own date, smoothed towards their parents. Pure numpy.

One function answers training and scoring alike: `History.rates(lines, days)`. A line that was adjudicated on a day is
known from the next day on: a claim's rates count adjudications dated before the claim's own date, and adding later ones
changes nothing. Within a kind of key the adjudications are sorted by key and day with the running sum of denials, so
that a rate is two binary searches.

A rate of few lines says little: it is drawn to its parent's, as if STRENGTH lines more had been denied at the parent's
rate. A key that was never seen has its parent's rate.

Left out: adjudications older than the window that the reader of the rows chooses.
"""

from collections.abc import Mapping
from typing import Any, Final, NamedTuple

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]
Numbers = NDArray[np.int64]

# pseudo-lines at the parent's rate
STRENGTH: Final = 12.0
# the share of lines that is denied anywhere, until something is known (DOMAIN 7: 5 to 12 %)
PRIOR: Final = 0.1


class Kind(NamedTuple):
    """One kind of rate: the columns that make its key, and the kind it is drawn to ("" for PRIOR)."""

    columns: tuple[str, ...]
    parent: str


# a parent stands before its children; what is finer, patterns say (risk.chances)
KINDS: Final[dict[str, Kind]] = {
    "overall": Kind((), ""),
    "payer": Kind(("payer",), "overall"),
    "payer_procedure": Kind(("payer", "procedure"), "payer"),
}
# whose charges are a line's usual ones
CHARGED: Final = Kind(("procedure",), "")
COLUMNS: Final = ("payer", "procedure")
LOG_UNIT: Final = 100_000


class Vocabulary:
    """Whole numbers for the values of a column; -1 for one that was never seen."""

    def __init__(self) -> None:
        self.numbers: dict[Any, int] = {}

    def learn(self, values: NDArray[Any]) -> Numbers:
        distinct, places = np.unique(values, return_inverse=True)
        numbers = self.numbers
        return np.array([numbers.setdefault(each, len(numbers)) for each in distinct.tolist()], np.int64)[places]

    def find(self, values: NDArray[Any]) -> Numbers:
        distinct, places = np.unique(values, return_inverse=True)
        return np.array([self.numbers.get(each, -1) for each in distinct.tolist()], np.int64)[places]


class Sums(NamedTuple):
    """Adjudications of one kind: its distinct keys, and each line's (key, day) in order with the denials before it."""

    keys: Numbers
    starts: Numbers
    order: Numbers
    denied: NDArray[Any]

    def places(self, asked: Numbers) -> Numbers:
        """Get the place of each asked key, -1 for one that is not there."""
        if not len(self.keys):
            return np.full(len(asked), -1, dtype=np.int64)
        places = np.minimum(np.searchsorted(self.keys, asked), len(self.keys) - 1)
        return np.where((self.keys[places] == asked) & (asked >= 0), places, -1)

    def tally(self, places: Numbers, until: Numbers, span: int) -> tuple[Floats, Floats]:
        """Tally lines and denials of each place's key before day `until`; none for -1."""
        if not len(self.order):
            return np.zeros(len(places)), np.zeros(len(places))
        low = self.starts[places]
        high = np.maximum(low, self.find(places, until, span))
        known = places >= 0
        lines = np.where(known, high - low, 0).astype(np.float64)
        return lines, np.where(known, self.denied[high] - self.denied[low], 0).astype(np.float64)

    def find(self, places: Numbers, days: Numbers, span: int) -> Numbers:
        """Find how many lines stand before each key's day; sorted first, for a search jumps less then."""
        asked = places * span + np.clip(days, 0, span - 1)
        order = np.argsort(asked)
        found = np.empty(len(asked), dtype=np.int64)
        found[order] = np.searchsorted(self.order, asked[order])
        return found


class History:
    """All adjudicated lines of a practice within a window, ready to be asked for rates.

    `columns` hold a value per line for each of COLUMNS, and its "charge_cents"; `days` are the days of adjudication
    since the epoch and `denied` 0 or 1.
    """

    def __init__(self, columns: Mapping[str, NDArray[Any]], days: Numbers, denied: NDArray[Any]):
        self.line_count = len(days)
        self.first_day = int(days.min()) if len(days) else 0
        self.span = int(days.max()) - self.first_day + 2 if len(days) else 1
        self.vocabularies = {name: Vocabulary() for name in COLUMNS}
        coded = {name: self.vocabularies[name].learn(columns[name]) for name in COLUMNS}
        within = days - self.first_day
        self.sums = {name: self.sum_up(kind, coded, within, denied) for name, kind in KINDS.items()}
        self.charges = self.sum_up(CHARGED, coded, within, whole_logs(columns["charge_cents"]))

    def sum_up(self, kind: Kind, coded: Mapping[str, Numbers], days: Numbers, denied: NDArray[Any]) -> Sums:
        """Sort by key and day, and sum the denials up."""
        distinct, places = np.unique(self.join(kind, coded), return_inverse=True)
        by_day = places.astype(np.int64) * self.span + days
        order = np.argsort(by_day, kind="stable")
        running = np.concatenate(([0], np.cumsum(denied[order], dtype=np.int64)))
        running = running if denied.dtype == np.int64 else running.astype(np.int32)
        by_day = by_day[order]
        return Sums(distinct, np.searchsorted(by_day, np.arange(len(distinct)) * self.span), by_day, running)

    def rates(self, columns: Mapping[str, NDArray[Any]], days: Numbers) -> dict[str, Floats]:
        """Get each kind's smoothed rate as of each line's day, `{kind}_lines` known then."""
        coded = {name: self.vocabularies[name].find(columns[name]) for name in COLUMNS}
        within = days - self.first_day
        found: dict[str, Floats] = {}
        for name, kind in KINDS.items():
            parent = found[kind.parent] if kind.parent else np.full(len(days), PRIOR)
            places = self.sums[name].places(self.join(kind, coded))
            lines, denied = self.sums[name].tally(places, within, self.span)
            found[name], found[f"{name}_lines"] = smooth(lines, denied, parent), lines
        found["charge_to_usual"] = self.compare_charges(columns["charge_cents"], coded, within)
        return found

    def compare_charges(self, cents: NDArray[Any], coded: Mapping[str, Numbers], days: Numbers) -> Floats:
        """Get the logarithm of each line's charge over the procedure's usual one as of its day; NaN where none is."""
        places = self.charges.places(self.join(CHARGED, coded))
        lines, logs = self.charges.tally(places, days, self.span)
        usual = np.full(len(lines), np.nan)
        np.divide(logs, lines, out=usual, where=lines > 0)
        return (whole_logs(cents) - usual) / LOG_UNIT

    def join(self, kind: Kind, coded: Mapping[str, Numbers]) -> Numbers:
        """Make one number of a kind's columns; -1 where a column's value was never seen."""
        count = len(coded["payer"])
        joined, known = np.zeros(count, dtype=np.int64), np.ones(count, dtype=bool)
        for name in kind.columns:
            joined = joined * (len(self.vocabularies[name].numbers) + 1) + coded[name]
            known &= coded[name] >= 0
        return np.where(known, joined, -1)


def whole_logs(cents: NDArray[Any]) -> Numbers:
    """Get logarithms of charges in whole units of 1 / LOG_UNIT: their sums are exact, whatever stands before them."""
    return np.rint(np.log(np.maximum(cents, 1).astype(np.float64)) * LOG_UNIT).astype(np.int64)


def smooth(lines: Floats, denied: Floats, parent: Floats) -> Floats:
    """Draw a rate to its parent's by STRENGTH lines."""
    return (denied + STRENGTH * parent) / (lines + STRENGTH)


def empty_history() -> History:
    """Make the history of a practice that nobody has answered yet."""
    none = np.zeros(0, dtype=np.int64)
    return History(dict.fromkeys((*COLUMNS, "charge_cents"), none), none, none)
