"""What was odd in a day of the audit: reading that a person's own last four weeks do not explain.

Rules, for each practice and person: `many` rows read, `exported` rows, `refused` answers (403 and 404: somebody tries
numbers), reading at `night` by the practice's clock, and reading from a `new_address`. A rule has a least count below
which nobody is asked, and but for `refused` a multiple of what is usual for the person: the most of one day in the
BEFORE_DAYS days before. It points to what a person should look at; it proves nothing. One pass over the entries of the
practices asked for; a person without a number (a stranger) is not in it.
"""

from datetime import UTC, date, datetime, timedelta
from typing import Any, NamedTuple
from zoneinfo import available_timezones

from django.db import connection
from django.db.models import QuerySet

from marb.access.models import Practice

BEFORE_DAYS = 28
MOST_FOUND = 500
FIRST_HOUR, LAST_HOUR = 6, 21
# by rule: the least count, and how many times the usual; the sentence that a person reads
RULES: dict[str, tuple[int, int, str]] = {
    "many": (500, 3, "{count} rows were read, {usual} on the busiest day before."),
    "exported": (1_000, 3, "{count} rows were exported, {usual} on the busiest day before."),
    "refused": (20, 0, "{count} requests were refused or led to nothing, {usual} on the busiest day before."),
    "night": (10, 3, "{count} requests came between 10 p.m. and 6 a.m., {usual} in the busiest night before."),
    "new_address": (1, 0, "{count} requests came from an address that was not seen before; {usual} were known."),
}

DAYS = """
WITH entry AS (
    SELECT e.practice_id, e.user_id, e.username, e.address, (e.at AT TIME ZONE 'UTC')::date AS day, e.status_code,
        CASE WHEN e.action IN ('export', 'exported') THEN 0 ELSE cardinality(e.object_ids) END AS rows,
        CASE WHEN e.action = 'exported' AND e.parameters->>'rows' ~ '^[0-9]{1,9}$'
            THEN (e.parameters->>'rows')::bigint ELSE 0 END AS exported,
        extract(hour FROM e.at AT TIME ZONE p.zone) NOT BETWEEN %(first)s AND %(last)s AS is_night
    FROM access_auditentry e JOIN unnest(%(practices)s::bigint[], %(zones)s::text[]) AS p (id, zone)
        ON p.id = e.practice_id
    WHERE e.user_id IS NOT NULL AND e.at >= %(from)s AND e.at < %(to)s),
known AS (
    SELECT practice_id, user_id, count(DISTINCT address) AS addresses, array_agg(DISTINCT address) AS seen
    FROM entry WHERE day < %(day)s GROUP BY practice_id, user_id)
SELECT e.practice_id, e.user_id, e.day = %(day)s AS is_asked, max(e.username) AS username,
    sum(e.rows)::bigint AS many, sum(e.exported)::bigint AS exported,
    count(*) FILTER (WHERE e.status_code IN (403, 404)) AS refused,
    count(*) FILTER (WHERE e.is_night) AS night,
    count(*) FILTER (WHERE e.day = %(day)s AND e.address <> ALL(k.seen)) AS new_address,
    coalesce(max(k.addresses), 0) AS addresses
FROM entry e LEFT JOIN known k USING (practice_id, user_id)
GROUP BY e.practice_id, e.user_id, e.day
ORDER BY e.practice_id, e.user_id, e.day DESC
"""
NAMES = ("practice", "user_id", "is_asked", "username", *RULES, "addresses")


class Odd(NamedTuple):
    """One thing to look at: `number` in the day that was asked for, `usual` the most of one day before it."""

    practice: int
    user_id: int
    username: str
    rule: str
    number: int
    usual: int

    @property
    def sentence(self) -> str:
        return RULES[self.rule][2].format(count=f"{self.number:,}", usual=f"{self.usual:,}")


def find(day: date, practices: QuerySet[Practice]) -> list[Odd]:
    """Find what was odd in a day of UTC in these practices, the most striking first; at most MOST_FOUND."""
    zones = dict(practices.values_list("pk", "time_zone"))
    known = available_timezones()
    begins = datetime(day.year, day.month, day.day, tzinfo=UTC)
    values: dict[str, Any] = {"day": day, "first": FIRST_HOUR, "last": LAST_HOUR, "practices": list(zones)}
    values["zones"] = [zone if zone in known else "UTC" for zone in zones.values()]
    values |= {"from": begins - timedelta(days=BEFORE_DAYS), "to": begins + timedelta(days=1)}
    with connection.cursor() as cursor:
        cursor.execute(DAYS, values)
        rows = [dict(zip(NAMES, row, strict=True)) for row in cursor.fetchall()]
    found = [each for own in by_person(rows) for each in judge(own)]
    return sorted(found, key=lambda each: -each.number / max(each.usual, 1))[:MOST_FOUND]


def by_person(rows: list[dict[str, Any]]) -> list[list[dict[str, Any]]]:
    """Gather the days of each person in each practice, the newest first."""
    found: dict[tuple[int, int], list[dict[str, Any]]] = {}
    for row in rows:
        found.setdefault((row["practice"], row["user_id"]), []).append(row)
    return list(found.values())


def judge(days: list[dict[str, Any]]) -> list[Odd]:
    """Hold a person's day against the days before."""
    asked, before = days[0], days[1:]
    if not asked["is_asked"]:
        return []
    found = []
    for rule, (least, times, _) in RULES.items():
        usual = asked["addresses"] if rule == "new_address" else max((day[rule] for day in before), default=0)
        if asked[rule] >= least and asked[rule] > times * usual:
            who = (asked["practice"], asked["user_id"], asked["username"])
            found.append(Odd(*who, rule, asked[rule], usual))
    return found
