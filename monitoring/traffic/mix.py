"""Whose requests they are: users of the product as data, and requests made from them.

A user has a weight among users, a pause to think, and asks, each with a weight among hers. `{claims}` in a path is an
id of that list, skewed as work is: the chance of the k-th newest falls as 1/k (Zipf). A request's name is its path
with `:id` and without values, so no statistics carry an id or a control number.
"""

import random
import re
from collections.abc import Iterator, Mapping, Sequence
from typing import Any, NamedTuple
from urllib.parse import quote

API = "/api/v1"
PLACE = re.compile(r"\{(\w+)\}")
# the lists that ids are taken from
KINDS = ("claims", "remits", "episodes", "files")
UPLOAD = "/files/?name=load.x12"


def name_route(path: str) -> str:
    """Name a path as it is counted: `:id` for a number, the parameters without their values."""
    route, _, query = path.partition("?")
    names = "&".join(part.partition("=")[0] for part in query.split("&"))
    route = re.sub(r"/\d+(?=/|$)", "/:id", route)
    return f"{route}?{names}" if query else route


class Ask(NamedTuple):
    """One sort of request: how often among the user's, and a path below the API."""

    weight: int
    path: str
    method: str = "GET"

    @property
    def name(self) -> str:
        """The route as it is counted."""
        told = name_route(API + PLACE.sub(":id", self.path))
        return told if self.method == "GET" else f"{self.method} {told}"

    @property
    def needs(self) -> list[str]:
        return PLACE.findall(self.path)


class User(NamedTuple):
    """A sort of user: how many among all, seconds of thinking between two requests, what she asks."""

    name: str
    weight: int
    think: tuple[float, float]
    asks: tuple[Ask, ...]

    @property
    def pace(self) -> float:
        """Requests a second of all users of this sort, in some unit."""
        return self.weight / (sum(self.think) / 2)


# works a list, opens what it shows
BILLER = User(
    "biller",
    8,
    (1.0, 5.0),
    (
        Ask(10, "/claims/{claims}/"),
        Ask(3, "/claims/{claims}/?expand=episode"),
        Ask(3, "/claims/?limit=50&expand=episode"),
        Ask(2, "/claims/?limit=50&status=incomplete"),
        Ask(2, "/claims/?control_number={control_numbers}"),
        Ask(5, "/episodes/{episodes}/"),
        Ask(3, "/remits/{remits}/"),
        Ask(1, "/payers/?limit=100"),
    ),
)
# reads lists and figures
MANAGER = User(
    "manager",
    2,
    (5.0, 15.0),
    (
        Ask(3, "/episodes/?limit=50&status=denied"),
        Ask(2, "/payments/?limit=50&is_balanced=false"),
        Ask(2, "/claims/unlinked/?limit=50"),
        Ask(2, "/files/?limit=50"),
        Ask(1, "/auth/me/"),
    ),
)
# another system: sends files, follows them, fetches rows in bulk
INTEGRATOR = User(
    "integrator",
    1,
    (2.0, 2.0),
    (
        Ask(12, "/files/{files}/"),
        Ask(2, "/files/{files}/findings/?limit=100"),
        Ask(1, "/claims/?limit=1000"),
        Ask(1, "/remits/?limit=1000"),
        Ask(1, UPLOAD, "POST"),
    ),
)
USERS = (BILLER, MANAGER, INTEGRATOR)


class Known:
    """Ids by kind, the newest first, and control numbers to search for: what lists have shown."""

    def __init__(self, values: Mapping[str, Sequence[Any]] | None = None):
        self.values: dict[str, Sequence[Any]] = dict(values or {})

    def has(self, names: Sequence[str]) -> bool:
        return all(self.values.get(name) for name in names)

    def note(self, kind: str, rows: Sequence[Mapping[str, Any]]) -> None:
        """Remember what a list showed, where it showed anything."""
        if rows:
            self.values[kind] = [row["id"] for row in rows]
        if rows and kind == "claims" and "patient_control_number" in rows[0]:
            self.values["control_numbers"] = [row["patient_control_number"] for row in rows]

    def pick(self, name: str, chance: random.Random) -> Any:
        """Choose one; the first is as likely as the second and third together, and so on."""
        values = self.values[name]
        return values[min(int((len(values) + 1) ** chance.random()), len(values)) - 1]

    def fill(self, path: str, chance: random.Random) -> str:
        return PLACE.sub(lambda found: quote(str(self.pick(found[1], chance)), safe=""), path)


def weigh(users: Sequence[User], known: Known, *, uploads: bool) -> list[tuple[Ask, float]]:
    """Each ask that can be made with what is known, and how often it comes when all users work at their pace."""
    found = []
    for user in users:
        whole = sum(ask.weight for ask in user.asks)
        found += [
            (ask, user.pace * ask.weight / whole)
            for ask in user.asks
            if known.has(ask.needs) and (uploads or ask.method == "GET")
        ]
    return found


def requests_of(
    known: Known, chance: random.Random, *, users: Sequence[User] = USERS, uploads: bool = False
) -> Iterator[tuple[Ask, str]]:
    """Yield requests without end, as all users together make them: the ask, and its path with an id in place."""
    weighed = weigh(users, known, uploads=uploads)
    asks, weights = [ask for ask, _ in weighed], [weight for _, weight in weighed]
    while asks:
        ask = chance.choices(asks, weights)[0]
        yield ask, API + known.fill(ask.path, chance)
