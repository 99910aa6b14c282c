"""Holds: payments that are not posted to episodes until a person says so, and what posting one of them would do.

A payment is one 835 transaction set. It is held whole where anything in it does not balance to the cent: a line, a
claim or the set itself (DOMAIN 2.3). One faulty claim holds its neighbours too, for the money came as one sum: while a
part of it cannot be explained, no part of it is known to be right. No difference is mended or tolerated. A payment is
held too where payer, trace number (TRN02) and amount (BPR02) were paid before: of several the first that balances is
posted, by the payer's production date, else by the file's digest and place, never by the order of arrival. So a
corrected file takes the place of one that does not balance, which stays held as its duplicate. A remittance without a
claim waits in the queue (OpenRemittance); single ones that contradict themselves, or take back what was never given,
are held by episodes.status.

A person releases (posts), keeps (looked at, stays held), discards (never posted, and no longer counted among those that
were paid before) or gives a hold back to the rules, with a reason. Her word stands until the reason of the hold becomes
another. To say the same twice changes nothing. All is set-based, under the practice's lock, and safe to run twice.
"""

from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from decimal import Decimal
from typing import Any, NamedTuple

from django.db import connection, transaction
from django.db.backends.utils import CursorWrapper

from episodes.hand import MOST_REASON, Person, Refused
from episodes.models import Episode, EpisodeStage, Hold, HoldChange, HoldState
from episodes.scope import LOCK, LOCK_CLASS, Start, gather
from episodes.status import settle
from marb.core.cache import touch
from marb.pipeline.jobs import FileJob

# what a person may say, and the state that it gives; "reopen" gives the hold back to the rules
RULINGS = {
    "release": HoldState.RELEASED,
    "keep": HoldState.KEPT,
    "discard": HoldState.DISCARDED,
    "reopen": HoldState.HELD,
}
MOST_SHOWN = 100
MOST_ROUNDS = 4

OF_FILE = "p.file_id = %(file)s"
OF_PAYMENTS = "p.id = ANY(%(payments)s)"

# the payments concerned, and those that have a trace number with them in common; each with what is wrong, as a sentence
JUDGE = """
WITH own AS (
    SELECT p.id, p.practice_id, p.trace_number FROM remits_payment p WHERE {own}
), near AS (
    SELECT id FROM own
    UNION SELECT p.id FROM own JOIN remits_payment p ON p.practice_id = own.practice_id
        AND p.trace_number = own.trace_number WHERE own.trace_number <> ''
), judged AS (
    SELECT p.*, f.sha256, coalesce(h.state, '') AS state, w.is_wrong,
        h.state = 'kept' OR (w.is_wrong AND h.state IS DISTINCT FROM 'released') AS is_last
    FROM near JOIN remits_payment p ON p.id = near.id JOIN pipeline_edifile f ON f.id = p.file_id
    LEFT JOIN episodes_hold h ON h.payment_id = p.id AND h.remittance_id IS NULL
    CROSS JOIN LATERAL (SELECT p.difference_amount <> 0 OR p.unbalanced_count > 0 AS is_wrong) w
    WHERE p.difference_amount IS NOT NULL
), ranked AS (
    SELECT *,
        bool_or(NOT is_wrong) OVER (PARTITION BY payer_id, trace_number) AND trace_number <> '' AS is_corrected,
        row_number() OVER (
            PARTITION BY payer_id, trace_number, payment_amount, state = 'discarded'
            ORDER BY is_last IS TRUE, production_date NULLS LAST, sha256, byte_offset
        ) AS nth
    FROM judged
), reasoned AS (
    SELECT *, CASE WHEN nth > 1 AND trace_number <> '' AND state <> 'discarded' THEN 'duplicate'
            WHEN is_wrong THEN 'unbalanced' END AS reason,
        CASE WHEN is_wrong THEN concat_ws(' ',
            CASE WHEN difference_amount <> 0 THEN format(
                'The payment amount (BPR02) is %%s, but its claims less its provider adjustments come to %%s: a '
                'difference of %%s.', payment_amount, claim_paid_amount - provider_adjustment_amount, difference_amount)
            END,
            CASE WHEN unbalanced_count > 0 THEN format(
                'Claims of it that do not balance: %%s, by %%s at the level of the claim and %%s at that of the line.',
                unbalanced_count, claim_difference_amount, line_difference_amount) END,
            CASE WHEN is_corrected THEN 'A payment of the same trace number that balances has come.' END) END AS fault
    FROM ranked
), said AS (
    SELECT *, concat_ws(' ', CASE WHEN reason = 'duplicate' THEN
        'This payer has paid this trace number (TRN02) and amount (BPR02) in another transaction set.' END, fault)
        AS sentence
    FROM reasoned
)
"""

HOLD = f"""
{JUDGE}, written AS (
    INSERT INTO episodes_hold (practice_id, payment_id, reason, sentence)
    SELECT practice_id, id, reason, sentence FROM said WHERE reason IS NOT NULL
    ON CONFLICT (payment_id) WHERE remittance_id IS NULL DO UPDATE SET reason = excluded.reason,
        sentence = excluded.sentence, state = CASE WHEN episodes_hold.state = 'cleared'
            OR episodes_hold.state = 'released' AND episodes_hold.reason <> excluded.reason THEN 'held'
            ELSE episodes_hold.state END
        WHERE (episodes_hold.reason, episodes_hold.sentence) IS DISTINCT FROM (excluded.reason, excluded.sentence)
            OR episodes_hold.state = 'cleared'
    RETURNING payment_id, coalesce(old.state, 'cleared') AS was, new.state AS state
), cleared AS (
    UPDATE episodes_hold h SET state = 'cleared' FROM said
    WHERE h.payment_id = said.id AND h.remittance_id IS NULL AND said.reason IS NULL AND h.state = 'held'
    RETURNING h.payment_id, old.state AS was, new.state AS state
)
SELECT payment_id, (was IN ('released', 'cleared')) <> (state IN ('released', 'cleared'))
FROM (SELECT * FROM written UNION ALL SELECT * FROM cleared) changed
"""

REMITTANCES = "SELECT id, file_id FROM remits_remittance WHERE payment_id = ANY(%s)"


def hold_file(job: FileJob) -> dict[str, int]:
    """Hold and clear the payments of a file, and those of its trace numbers; to be run after remits.settle.

    Answers how many holds changed. Episodes of other files' payments that are posted or held by it are settled here,
    its own by episodes.status.settle_file.
    """
    with transaction.atomic(), connection.cursor() as cursor:
        cursor.execute(LOCK, {"lock": LOCK_CLASS, "practice": job.practice_id})
        changed = judge(cursor, OF_FILE, file=job.file_id)
        if changed:
            turned = [payment_id for payment_id, is_turned in changed.items() if is_turned]
            settle_payments(cursor, job.practice_id, turned, file_id=job.file_id)
            touch(job.practice_id, "hold+", "episode", "payment")
        return {"holds": len(changed)}


def judge(cursor: CursorWrapper, own: str, **values: Any) -> dict[int, bool]:
    """Judge payments and those of their trace numbers: {payment id: whether it is posted no more, or again}."""
    found: dict[int, bool] = {}
    # what is held anew lets another of its trace number go first
    for _ in range(MOST_ROUNDS):
        cursor.execute(HOLD.format(own=own), values)
        rows = cursor.fetchall()
        if not rows:
            break
        for payment_id, is_turned in rows:
            found[payment_id] = found.get(payment_id, False) != is_turned
    return found


def settle_payments(
    cursor: CursorWrapper,
    practice_id: int,
    payments: Iterable[int],
    *,
    file_id: int | None = None,
    cause: str = "",
    remittances: Iterable[int] = (),
) -> None:
    """Settle the episodes of payments, all but those of the file that is being settled anyway."""
    cursor.execute(REMITTANCES, [list(payments)])
    around = [pk for pk, of_file in cursor.fetchall() if of_file != file_id]
    start = Start(practice_id).also([], [*around, *remittances])
    if start.remittances:
        gather(cursor, start)
        settle(cursor, practice_id, cause=cause)


# past the ORM: a dry run changes nothing, and must not say to the cache that it did
CHANGE = "UPDATE episodes_hold SET state = %s WHERE id = %s"

# --- what people rule -------------------------------------------------------------------------------------------------


def rule(user: Person, hold: Hold, ruling: str, reason: str) -> bool:
    """Carry out what a person says of a hold (RULINGS), and settle what it reaches; False where it stands so already.

    Raises Refused. Who may do it is asked by the caller (Action.LINK).
    """
    if not reason.strip() or len(reason) > MOST_REASON:
        raise Refused(f"Say why, in at most {MOST_REASON} characters.")
    with ruling_on(hold) as (cursor, held):
        to_state = RULINGS[ruling]
        if held.state == HoldState.CLEARED:
            raise Refused("The reason of this hold is gone: it is posted already.")
        if held.state == to_state:
            return False
        cursor.execute(CHANGE, [to_state, held.pk])
        HoldChange.objects.create(
            practice_id=held.practice_id, hold=held, from_state=held.state, to_state=to_state, reason=reason.strip(),
            changed_by=user,
        )  # fmt: skip
        follow(cursor, held, cause=reason.strip())
        touch(held.practice_id, "hold+", "episode", "payment")
    return True


@contextmanager
def ruling_on(hold: Hold) -> Iterator[tuple[CursorWrapper, Hold]]:
    """Open the one transaction of a ruling under the practice's lock; yields its cursor and the hold as it stands."""
    with transaction.atomic(), connection.cursor() as cursor:
        cursor.execute(LOCK, {"lock": LOCK_CLASS, "practice": hold.practice_id})
        yield cursor, Hold.objects.get(pk=hold.pk)


def follow(cursor: CursorWrapper, hold: Hold, *, cause: str = "") -> None:
    """Judge what has the payment's trace number anew, and settle the episodes of all that a change reaches."""
    if hold.remittance_id is not None:
        settle_payments(cursor, hold.practice_id, [], cause=cause, remittances=[hold.remittance_id])
        return
    turned = judge(cursor, OF_PAYMENTS, payments=[hold.payment_id])
    settle_payments(cursor, hold.practice_id, [hold.payment_id, *turned], cause=cause)


# --- a dry run --------------------------------------------------------------------------------------------------------


class Standing(NamedTuple):
    """An episode's figures at one moment."""

    status: str
    stage: str
    paid_amount: Decimal
    adjustment_amount: Decimal
    patient_responsibility_amount: Decimal
    open_amount: Decimal
    takeback_amount: Decimal


class Step(NamedTuple):
    """What posting would do to one episode; `before` and `after` are Standings."""

    episode_id: int
    control_number: str
    before: Standing
    after: Standing

    @property
    def before_words(self) -> str:
        return EpisodeStage(self.before.stage).label

    @property
    def after_words(self) -> str:
        return EpisodeStage(self.after.stage).label


class DryRun(NamedTuple):
    """What posting would do: the first MOST_SHOWN episodes that change, and the sums over all that do.

    `unlinked` remittances of it have no claim, and would wait in the queue as before.
    """

    steps: list[Step]
    episode_count: int
    unlinked: int
    before: dict[str, Decimal]
    after: dict[str, Decimal]


AMOUNTS = Standing._fields[2:]
WITHOUT_CLAIM = """
SELECT count(*) FROM remits_remittance r WHERE r.payment_id = %s
AND NOT EXISTS (SELECT FROM episodes_episoderemittance l WHERE l.remittance_id = r.id)
"""


class RolledBack(Exception):
    """Ends a dry run: all that it wrote is undone."""


def try_posting(hold: Hold) -> DryRun:
    """Post a hold as `release` would, see what becomes of its episodes, and undo it all. Changes nothing.

    It is the very code of a release in a transaction that is rolled back, so it can say nothing else than a release.
    """
    episodes = find_episodes(hold)
    before: dict[int, tuple[str, Standing]] = {}
    after: dict[int, tuple[str, Standing]] = {}
    try:
        with ruling_on(hold) as (cursor, held):
            before = read_standings(episodes)
            cursor.execute(CHANGE, [HoldState.RELEASED, held.pk])
            follow(cursor, held)
            after = read_standings(episodes)
            raise RolledBack
    except RolledBack:
        pass
    return dry_run(hold, before, after)


def find_episodes(hold: Hold) -> list[int]:
    links = Episode.objects.filter(practice_id=hold.practice_id)
    of_hold = (
        {"remittance_links__remittance__payment_id": hold.payment_id}
        if hold.remittance_id is None
        else {"remittance_links__remittance_id": hold.remittance_id}
    )
    named: Iterable[int] = (
        []
        if hold.remittance_id
        else links.filter(takebacks__provider_adjustment__payment_id=hold.payment_id).values_list("pk", flat=True)
    )
    return sorted({*links.filter(**of_hold).values_list("pk", flat=True), *named})


def read_standings(episodes: list[int]) -> dict[int, tuple[str, Standing]]:
    columns = ("pk", "claim__patient_control_number", *Standing._fields)
    rows = Episode.objects.filter(pk__in=episodes).order_by("pk").values_list(*columns)
    return {pk: (number, Standing(*figures)) for pk, number, *figures in rows}


def dry_run(hold: Hold, before: dict[int, tuple[str, Standing]], after: dict[int, tuple[str, Standing]]) -> DryRun:
    steps = [
        Step(pk, number, was, after[pk][1])
        for pk, (number, was) in before.items()
        if pk in after and after[pk][1] != was
    ]
    with connection.cursor() as cursor:
        cursor.execute(WITHOUT_CLAIM, [hold.payment_id])
        unlinked = cursor.fetchone()[0]
    sums = [sum_of(getattr(step, side) for step in steps) for side in ("before", "after")]
    return DryRun(steps[:MOST_SHOWN], len(steps), unlinked, *sums)


def sum_of(standings: Iterable[Standing]) -> dict[str, Decimal]:
    found = list(standings)
    return {name: sum((getattr(each, name) for each in found), Decimal(0)) for name in AMOUNTS}
