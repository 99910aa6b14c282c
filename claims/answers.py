"""Received acknowledgements: the answers of a 999, TA1 or 277CA file, and the claims that each is about.

`keep_answers` writes a file's answers, once; `meet_file` is for a file of claims, whose answers may have come before
it. Both then work out, from nothing but the rows, what each answer concerned names, so that any order of arrival ends
alike. A name that fits several of ours means the last that had come in before the answer did; where that decides
nothing, the answer stays with a sentence and is given to nobody. A claim's current answer is the latest by the date
of the interchange that brought it; of the same minute, that of a claim before that of a set, a group, an interchange.
"""

from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Any, NamedTuple

from django.db import connection, transaction
from django.db.backends.utils import CursorWrapper

from claims.models import Answer, AnswerLevel, AnswerVerdict
from marb.core.cache import touch
from marb.core.copy import copy_rows
from marb.edi.acks import read as acks
from marb.edi.values import dollars
from marb.edi.x12 import Span, read_segments
from marb.pipeline.envelopes import FileGroup, FileInterchange, read_interchanges
from marb.pipeline.jobs import FileJob, plain
from marb.pipeline.models import EdiFile, SetStatus, TransactionSet
from marb.pipeline.reading import read

# of one practice at a time: an answer and its claims that come in at once would pass each other by unseen
LOCK_CLASS = 837_999
ANSWERING_SETS = ("999", "997", "277")
CLAIM_ACKNOWLEDGEMENT = "X214"
MOST_CODES = 100
ANSWER_COLUMNS = (
    *("practice_id", "file_id", "seq", "level", "verdict", "said_at", "sender_code", "receiver_code"),
    *("interchange_control", "group_control", "set_control", "patient_control_number"),
    *("payer_claim_control_number", "charge_amount", "codes", "claim_count", "reason"),
)
Codes = list[dict[str, Any]]


class Said(NamedTuple):
    """An answer and who said it: the group's sender and receiver, else the interchange's, and when."""

    answer: acks.Answer
    sender_code: str
    receiver_code: str
    at: datetime


# --- what a file says -------------------------------------------------------------------------------------------------


def keep_answers(job: FileJob) -> dict[str, int]:
    """Write the answers of a file that was kept, and give them to the claims that they name. Safe to run twice."""
    said = list(read_said(EdiFile.objects.get(pk=job.file_id)))
    if not said:
        return {"answers": 0}
    with transaction.atomic(), connection.cursor() as cursor:
        lock(cursor, job)
        if not Answer.objects.filter(file_id=job.file_id).exists():
            rows = (answer_row(job, seq, each) for seq, each in enumerate(said, 1))
            copy_rows(cursor, Answer, ANSWER_COLUMNS, rows)
        cursor.execute(OF_FILE, {"file": job.file_id})
        return {"answers": len(said), "claims": give(cursor, job)}


def read_said(file: EdiFile) -> Iterator[Said]:
    """Read the answers of a file, in order: TA1s before what stands in the groups of their interchange."""
    for interchange in read_interchanges(file):
        at = moment(interchange, file)
        for elements in interchange.answers:
            answers = acks.read_answers([(0, 0, elements)], interchange.separators)
            yield from (Said(answer, interchange.isa[6], interchange.isa[8], at) for answer in answers)
        for group in interchange.groups:
            yield from (Said(answer, group.gs[2], group.gs[3], at) for answer in read_group(file, interchange, group))


def read_group(file: EdiFile, interchange: FileInterchange, group: FileGroup) -> Iterator[acks.Answer]:
    for item in filter(is_answering, group.sets):
        span = Span(item.byte_from, 1, read(file.pk, item.byte_from, item.byte_to))
        segments = read_segments(span, interchange.separators)
        yield from acks.read_answers(segments, interchange.separators)


def is_answering(item: TransactionSet) -> bool:
    """Say whether a set answers claims. A 277 of another guide tells of adjudication, which an 835 does too."""
    if item.status != SetStatus.KEPT or item.set_code not in ANSWERING_SETS:
        return False
    return item.set_code != "277" or not item.guide or CLAIM_ACKNOWLEDGEMENT in item.guide


def moment(interchange: FileInterchange, file: EdiFile) -> datetime:
    """Read ISA09 and ISA10 as UTC; the time of receipt where they are no date and time."""
    try:
        return datetime.strptime(interchange.isa[9] + interchange.isa[10], "%y%m%d%H%M").replace(tzinfo=UTC)
    except ValueError:
        return file.received_at


def answer_row(job: FileJob, seq: int, said: Said) -> tuple[object, ...]:
    """Make a row in the order of ANSWER_COLUMNS."""
    parties = (plain(said.sender_code, 80), plain(said.receiver_code, 80))
    level, verdict, names, charge_cents, codes = TELL[type(said.answer)](said.answer)
    controls = (plain(text, width) for text, width in zip(names, (20, 20, 20, 60, 80), strict=True))
    charge = None if charge_cents is None else dollars(charge_cents)
    head = (job.practice_id, job.file_id, seq, level.value, verdict.value, said.at.isoformat())
    return (*head, *parties, *controls, charge, codes[:MOST_CODES], 0, "")


Told = tuple[AnswerLevel, AnswerVerdict, tuple[str, str, str, str, str], int | None, Codes]


def tell_interchange(answer: acks.InterchangeAnswer) -> Told:
    codes = [{"code": plain(answer.note_code, 10)}] if answer.note_code.strip("0") else []
    names = (answer.interchange_control, "", "", "", "")
    return AnswerLevel.INTERCHANGE, verdict_of(answer.code), names, None, codes


def tell_group(answer: acks.GroupAnswer) -> Told:
    """Tell of a group. One that is accepted in part takes all in but the sets that are refused on their own."""
    codes = [{"code": plain(code, 10)} for code in answer.note_codes]
    names = ("", answer.group_control, "", "", "")
    return AnswerLevel.GROUP, verdict_of(answer.code), names, None, codes


def tell_set(answer: acks.SetAnswer) -> Told:
    faults = [
        {
            "segment": plain(fault.segment_id, 10),
            "position": fault.segment_position,
            "loop": plain(fault.loop, 10),
            "element": plain(fault.element, 10),
            "code": plain(fault.code, 10),
        }
        for fault in answer.faults
    ]
    notes: Codes = [{"code": plain(code, 10)} for code in answer.note_codes]
    names = ("", answer.group_control, answer.set_control, "", "")
    return AnswerLevel.SET, verdict_of(answer.code), names, None, [*notes, *faults]


def tell_claim(answer: acks.ClaimAnswer) -> Told:
    codes = [
        {
            "category": plain(status.category_code, 10),
            "status": plain(status.status_code, 10),
            "entity": plain(status.entity_code, 10),
            "action": plain(status.action_code, 10),
            "day": status.day,
        }
        for status in answer.statuses
    ]
    charge_cents = next((each.charge_cents for each in answer.statuses if each.charge_cents is not None), None)
    names = ("", "", "", answer.patient_control_number.strip(), answer.payer_claim_control_number.strip())
    return AnswerLevel.CLAIM, verdict_on_claim(answer), names, charge_cents, codes


def verdict_of(code: str) -> AnswerVerdict:
    """Read TA104, AK901 or IK501: E and P are accepted with errors, and all that is not accepted is rejected."""
    if code not in acks.ACCEPTED_CODES:
        return AnswerVerdict.REJECTED
    return AnswerVerdict.ACCEPTED if code == "A" else AnswerVerdict.ERRORS


def verdict_on_claim(answer: acks.ClaimAnswer) -> AnswerVerdict:
    if answer.is_rejected:
        return AnswerVerdict.REJECTED
    is_accepted = any(status.category_code in acks.ACCEPTED_CATEGORIES for status in answer.statuses)
    return AnswerVerdict.ACCEPTED if is_accepted else AnswerVerdict.NOTED


TELL: dict[type, Any] = {
    acks.InterchangeAnswer: tell_interchange,
    acks.GroupAnswer: tell_group,
    acks.SetAnswer: tell_set,
    acks.ClaimAnswer: tell_claim,
}


# --- whom it is about -------------------------------------------------------------------------------------------------


def meet_file(job: FileJob) -> dict[str, int]:
    """Give the answers that came in before a file of claims to its claims. Safe to run twice."""
    if not Answer.objects.filter(practice_id=job.practice_id).exists():
        return {"answered": 0}
    with transaction.atomic(), connection.cursor() as cursor:
        lock(cursor, job)
        cursor.execute(NAMING_FILE, {"file": job.file_id, "practice": job.practice_id})
        return {"answered": give(cursor, job) if cursor.rowcount else 0}


def lock(cursor: CursorWrapper, job: FileJob) -> None:
    cursor.execute(CLEAR)
    cursor.execute("SELECT pg_advisory_xact_lock(%s, hashint8(%s))", [LOCK_CLASS, job.practice_id])


# what an earlier stage of the same transaction gathered is gathered anew
CLEAR = "DROP TABLE IF EXISTS pg_temp.answering, pg_temp.answering_candidate, pg_temp.answering_claim"
OF_FILE = """
CREATE TEMP TABLE answering ON COMMIT DROP AS SELECT id FROM claims_answer WHERE file_id = %(file)s
"""
# the answers whose names fit a set or a claim of this file
NAMING_FILE = """
CREATE TEMP TABLE answering ON COMMIT DROP AS
SELECT a.id FROM pipeline_transactionset s JOIN claims_answer a ON a.practice_id = s.practice_id
    AND a.level IN ('group', 'set') AND a.group_control = s.group_control
    AND (a.level = 'group' OR a.set_control = s.set_control)
WHERE s.file_id = %(file)s AND s.set_code = '837'
UNION SELECT a.id FROM pipeline_transactionset s JOIN claims_answer a ON a.practice_id = s.practice_id
    AND a.level = 'interchange' AND a.interchange_control = s.interchange_control
WHERE s.file_id = %(file)s AND s.set_code = '837'
UNION SELECT a.id FROM claims_claim c JOIN claims_answer a ON a.practice_id = c.practice_id
    AND a.level = 'claim' AND a.patient_control_number = c.patient_control_number
WHERE c.file_id = %(file)s AND c.patient_control_number <> ''
"""

# the sets that an answer names
NAMED_SETS = """
    FROM answering JOIN claims_answer a USING (id)
    JOIN pipeline_transactionset s ON s.practice_id = a.practice_id AND s.set_code = '837'
        AND CASE a.level WHEN 'interchange' THEN s.interchange_control = a.interchange_control
            ELSE s.group_control = a.group_control AND (a.level = 'group' OR s.set_control = a.set_control) END
        AND a.interchange_control || a.group_control <> ''
"""
# what each answer may be about, the best only: `fit` is how well the rest agrees, `before` when it had come in by then
CANDIDATES = f"""
CREATE TEMP TABLE answering_candidate ON COMMIT DROP AS
WITH named AS (
    SELECT a.id, a.level, s.file_id, NULL::bigint AS claim_id,
        max((s.sender_code = a.receiver_code AND s.receiver_code = a.sender_code)::int) AS fit
    {NAMED_SETS} WHERE a.level <> 'claim' GROUP BY a.id, a.level, s.file_id
    UNION ALL
    SELECT a.id, a.level, c.file_id, c.id, coalesce((c.charge_amount = a.charge_amount)::int, 0)
    FROM answering JOIN claims_answer a USING (id)
    JOIN claims_claim c ON c.practice_id = a.practice_id AND c.patient_control_number = a.patient_control_number
    WHERE a.level = 'claim' AND a.patient_control_number <> ''
), dated AS (
    SELECT named.*, CASE WHEN f.received_at <= own.received_at THEN f.received_at END AS before
    FROM named JOIN claims_answer a ON a.id = named.id JOIN pipeline_edifile own ON own.id = a.file_id
    JOIN pipeline_edifile f ON f.id = named.file_id
), ranked AS (
    SELECT *, rank() OVER (PARTITION BY id ORDER BY fit DESC, before DESC NULLS LAST) AS place FROM dated
)
SELECT *, count(*) OVER (PARTITION BY id) AS alike FROM ranked WHERE place = 1
"""
GIVEN_BEFORE = """
CREATE TEMP TABLE answering_claim ON COMMIT DROP AS
SELECT DISTINCT l.claim_id FROM answering JOIN claims_claimanswer l ON l.answer_id = answering.id
"""
TAKE_BACK = "DELETE FROM claims_claimanswer l USING answering WHERE l.answer_id = answering.id"
GIVE = f"""
WITH chosen AS (SELECT * FROM answering_candidate WHERE alike = 1), about AS (
    SELECT id, claim_id FROM chosen WHERE level = 'claim'
    UNION
    SELECT named.id, c.id FROM (SELECT a.id, s.file_id, s.byte_from, s.byte_to {NAMED_SETS}) named
    JOIN chosen ON chosen.id = named.id AND chosen.file_id = named.file_id
    JOIN claims_claim c ON c.file_id = named.file_id AND c.byte_offset >= named.byte_from
        AND c.byte_offset < named.byte_to
), given AS (
    INSERT INTO claims_claimanswer (practice_id, claim_id, answer_id, verdict, is_current)
    SELECT a.practice_id, about.claim_id, a.id, a.verdict, false FROM about JOIN claims_answer a ON a.id = about.id
    RETURNING claim_id
)
INSERT INTO answering_claim SELECT DISTINCT claim_id FROM given
"""
TELL_ANSWERS = """
UPDATE claims_answer a SET named_file_id = told.file_id, claim_count = told.claims, reason = told.reason
FROM (
    SELECT answering.id, CASE WHEN c.alike = 1 THEN c.file_id END AS file_id,
        (SELECT count(*) FROM claims_claimanswer l WHERE l.answer_id = answering.id) AS claims,
        CASE WHEN c.alike = 1 THEN ''
            WHEN c.alike > 1 THEN format('It names %%s %%s of this practice that cannot be told apart.', c.alike,
                CASE WHEN c.level = 'claim' THEN 'claims' ELSE 'files' END)
            WHEN own.level = 'claim' THEN 'It names no claim of this practice that has come in.'
            ELSE 'It names no file of claims of this practice that has come in.' END AS reason
    FROM answering JOIN claims_answer own ON own.id = answering.id
    LEFT JOIN (SELECT DISTINCT ON (id) * FROM answering_candidate ORDER BY id) c ON c.id = answering.id
) told
WHERE told.id = a.id AND (a.named_file_id, a.claim_count, a.reason)
    IS DISTINCT FROM (told.file_id, told.claims, told.reason)
"""
UNMARK = """
UPDATE claims_claimanswer SET is_current = false
WHERE is_current AND claim_id IN (SELECT claim_id FROM answering_claim)
"""
MARK = """
UPDATE claims_claimanswer l SET is_current = true FROM (
    SELECT DISTINCT ON (l.claim_id) l.id
    FROM (SELECT DISTINCT claim_id FROM answering_claim) touched
    JOIN claims_claimanswer l ON l.claim_id = touched.claim_id
    JOIN claims_answer a ON a.id = l.answer_id JOIN pipeline_edifile f ON f.id = a.file_id
    ORDER BY l.claim_id, a.said_at DESC, array_position(ARRAY['claim', 'set', 'group', 'interchange'], a.level::text),
        f.sha256, a.seq DESC
) latest
WHERE latest.id = l.id
"""
STATEMENTS = (CANDIDATES, GIVEN_BEFORE, TAKE_BACK, GIVE, TELL_ANSWERS, UNMARK, MARK)


def give(cursor: CursorWrapper, job: FileJob) -> int:
    """Give the answers of `answering` to the claims that they name; answers how many claims have a new word on them."""
    cursor.execute("ANALYZE answering")
    for statement in STATEMENTS:
        cursor.execute(statement, {})
    count = cursor.rowcount
    touch(job.practice_id, "claim")
    return count
