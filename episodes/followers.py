"""Who follows links that change beside a file's own numbers: by hand, or by likeness when other rows came.

A room above registers a function in its AppConfig.ready(); it is called in the transaction that changed the links,
under the practice's lock, when lines are linked and episodes settled. A file's own links it follows by its stage.
"""

from collections.abc import Callable, Iterable

from django.db.backends.utils import CursorWrapper

# (cursor, practice id, claims, remittances): what was linked to another, before or now
Follower = Callable[[CursorWrapper, int, Iterable[int], Iterable[int]], None]
FOLLOWERS: list[Follower] = []


def register(follower: Follower) -> None:
    if follower not in FOLLOWERS:
        FOLLOWERS.append(follower)


def tell_followers(cursor: CursorWrapper, practice_id: int, claims: Iterable[int], remittances: Iterable[int]) -> None:
    for follower in FOLLOWERS:
        follower(cursor, practice_id, claims, remittances)
