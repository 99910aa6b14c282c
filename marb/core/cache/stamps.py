"""Stamps: what a reader compares, and what a writer changes.

A stamp is a random text per practice and name. A reader notes the stamps before it reads its rows, and its answer is
good while they stand. A writer, at the end of its transaction, marks each stamp as pending: from then on nobody
believes or keeps an entry. After the commit its mark goes, and with the last mark a new stamp comes. So what was read
before a commit is never answered after it, however the two interleave; what a rollback or a dead writer leaves behind
runs out after PENDING_SECONDS. A stamp that is not there, evicted or lost with the server, is made new by the next
reader: it never comes back as it was.

A writer that is killed:
- before its commit: the marks stand for nothing, and run out.
- between its commit and the new stamps: its marks stand, so everybody reads rows; when they run out the stamps are not
  there, and every entry that stood with the old ones falls. No old value is answered at any moment.
- while it could not reach the cache, so that it had not marked: what it owes is lost with it (marb.core.cache.server).
  Where the cache was down its entries are gone; where it was only out of this writer's reach, other processes answer
  their entries until those run out, half an hour at the most for what shows a patient.
A transaction that goes on for longer than PENDING_SECONDS after its mark has none at its commit; loaders mark last.

Who writes by SQL or in bulk says so by `touch` inside the transaction, or by `touching` around one statement. Rows
saved or deleted one by one are seen by signals (marb.core.cache.signals). A name alone says that rows changed, with
"+" that rows came or went; to change rows is to change the set as well (a filter may let them in or out).
"""

import secrets
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager

from django.db import connection, transaction

from marb.core.cache.keys import EVERYBODY, SET, stamp_key
from marb.core.cache.memory import MEMORY
from marb.core.cache.scripts import MARK, PENDING, PENDING_SECONDS, SETTLE, STAMP_SECONDS, new_stamp
from marb.core.cache.server import ask, owe


def stamp_keys(practice_ids: Iterable[int], names: Sequence[str]) -> list[str]:
    """Name the stamps that a change of these names moves, for the practices and for those who see everything."""
    moved = {*names, *(f"{name}{SET}" for name in names if not name.endswith(SET))}
    return [stamp_key(each, name) for each in {*practice_ids, EVERYBODY} for name in sorted(moved)]


def touch(practice_id: int, *names: str) -> None:
    """Say, inside a transaction and after its writing, that what these names stand for has changed in a practice.

    Once per transaction and names: to say it again costs nothing. Outside of a transaction it is a RuntimeError, for
    the mark must come before the commit.
    """
    touch_practices([practice_id], *names)


def touch_practices(practice_ids: Iterable[int], *names: str) -> None:
    if not connection.in_atomic_block:
        raise RuntimeError("touch() belongs inside the transaction that writes; use touching() around one statement.")
    keys = [key for key in stamp_keys(practice_ids, names) if key not in pending_keys()]
    if keys:
        transaction.on_commit(Settlement(keys, mark(keys)))


def touch_everywhere(*names: str) -> None:
    """Say it for every practice: for a change that does not say whose rows it meets. Reads the practices' ids."""
    from django.apps import apps

    practices = apps.get_model("access", "Practice")._default_manager
    touch_practices(practices.values_list("pk", flat=True), *names)


@contextmanager
def touching(practice_id: int, *names: str) -> Iterator[None]:
    """Open a transaction around what is written in the block, and say at its end what changed."""
    with transaction.atomic():
        yield
        touch(practice_id, *names)


class Settlement:
    """What is still to be done after the commit: take the mark away and stamp anew."""

    def __init__(self, keys: list[str], token: str):
        self.keys = keys
        self.token = token

    def __call__(self) -> None:
        MEMORY.clear()
        settle(self.keys, self.token)


def pending_keys() -> set[str]:
    """Get what this transaction will settle; a rolled-back savepoint's are not among them."""
    waiting = (each[1] for each in connection.run_on_commit)
    return {key for each in waiting if isinstance(each, Settlement) for key in each.keys}


def mark(keys: list[str]) -> str:
    """Mark stamps as pending and answer the mark."""
    token = f"{PENDING}{secrets.token_hex(6)}"
    if not ask(lambda client: client.eval(MARK, len(keys), *keys, token, PENDING_SECONDS), 0):
        owe(keys)
    return token


def settle(keys: list[str], token: str) -> None:
    values = (token, new_stamp(), STAMP_SECONDS)
    if not ask(lambda client: client.eval(SETTLE, len(keys), *keys, *values), 0):
        owe(keys)
