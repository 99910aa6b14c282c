"""Statements of details, made once: what Django works out anew for each query is the same for every row.

`read_rows` reads what a values() queryset would. The queryset is built from stand-ins, numbers that stand where the
row's own will; its statement is kept, and each stand-in replaced when it is sent. The invariant: the same rows as the
queryset's own, so a key names all else that the statement depends on: the view, the part, the scope. What does not fit,
because a value is no whole number or has no place in the statement, is read by the queryset. Bounded; one for all
threads. It leaves out lists, whose filters differ from one to the next.
"""

from collections.abc import Callable, Hashable, Mapping
from typing import Any, NamedTuple

from django.core.exceptions import EmptyResultSet
from django.db import connections
from django.db.models import QuerySet

MOST_STATEMENTS = 2_000
# no id of a practice and no limit is as large, the smallest integer column holds it, and a column of positive numbers
# takes it for one of its own: what it cannot hold Django answers without a statement
FIRST_STAND_IN = 2_000_000_001
Build = Callable[[Mapping[str, Any]], QuerySet[Any, Any]]


class Statement(NamedTuple):
    """A statement with its parameters; `places` names the value that each stand-in among them stands for."""

    text: str
    parameters: tuple[Any, ...]
    places: dict[int, str]
    names: tuple[str, ...]
    compiler: Any
    converters: dict[int, Any]


# None where the queryset must be asked
KEPT: dict[Hashable, Statement | None] = {}


class StandIns(dict[str, int]):
    """A number for each value that is asked for."""

    def __missing__(self, name: str) -> int:
        self[name] = FIRST_STAND_IN + len(self)
        return self[name]


def read_rows(key: Hashable, build: Build, values: Mapping[str, Any]) -> list[dict[str, Any]]:
    """Read what `build(values)`, a values() queryset, would give."""
    if key not in KEPT:
        if len(KEPT) >= MOST_STATEMENTS:
            KEPT.clear()
        KEPT[key] = make_statement(build)
    statement = KEPT.get(key)
    if statement is None or any(type(values[name]) is not int for name in statement.places.values()):
        return list(build(values))
    return run(statement, values)


def make_statement(build: Build) -> Statement | None:
    """Make the statement of a queryset; None where not each of its values has a place in it."""
    stand_ins = StandIns()
    queryset = build(stand_ins)
    compiler = queryset.query.get_compiler(queryset.db)
    try:
        text, parameters = compiler.as_sql()
    except EmptyResultSet:
        return None
    places = {number: name for name, number in stand_ins.items()}
    if not places or not places.keys() <= {each for each in parameters if type(each) is int}:
        return None
    columns = [column for column, _, _ in compiler.select[: compiler.col_count]]
    names = tuple(queryset.query.selected or queryset.query.values_select)
    return Statement(text, tuple(parameters), places, names, compiler, compiler.get_converters(columns))


def run(statement: Statement, values: Mapping[str, Any]) -> list[dict[str, Any]]:
    places = statement.places
    sent = [values[places[each]] if type(each) is int and each in places else each for each in statement.parameters]
    with connections[statement.compiler.using].cursor() as cursor:
        cursor.execute(statement.text, sent)
        rows = cursor.fetchall()
    return [
        dict(zip(statement.names, row, strict=True))
        for row in statement.compiler.apply_converters(rows, statement.converters)
    ]
