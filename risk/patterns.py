"""Denial patterns: lines read, searched (risk.search) and written as rows that people confirm, dismiss and resolve.

A pattern is the same in every search by its key: practice, payer, kind and conditions, without the steps (charge, days,
date, list of procedures) that may move. What people said of it stays: a dismissed pattern is raised again only when its
denied lines have grown materially, what is not found any more is kept with the day it was last seen, and a resolved one
tells the rate of lines sent before and after. A search of a whole practice decides what is a discovery; a payer whose
lines changed is searched alone by that decision. To search twice changes nothing.
"""

import hashlib
from collections.abc import Iterable, Sequence
from datetime import date, timedelta
from decimal import Decimal
from typing import Any, NamedTuple

import numpy as np
import orjson
from django.db import connection, transaction
from django.db.models import Max
from django.db.models.functions import Now

from marb.core.cache import touch
from marb.core.measure import checkpoint, mark
from marb.parties.models import Provider
from risk.lines import NO_DAY, Lines, meets
from risk.match import Pattern
from risk.models import AdjudicatedLine, DenialPattern, DuePayer, PatternChange, PatternSearch, PatternStatus
from risk.patternwords import describe
from risk.reading import read_lines
from risk.search import Finding, Searched, search

DEFAULT_DAYS, LEAST_DAYS, MOST_DAYS = 90, 1, 365
# of a key: what may move with the next line
STEPS = {"charge_amount_from", "days_to_submission_from", "submitted_from"}
# a dismissed pattern is raised again when its denied lines are so many times what they were
GROWTH = 1.5
MOST_LIFT = Decimal("99999")
WRITTEN = [
    *("pattern_type", "conditions", "pattern_description", "denial_reason_code", "line_count", "occurrence_count"),
    *("frequency", "base_rate", "lift", "confidence_score", "p_value", "q_value", "denied_amount", "carcs", "trend"),
    *("changed_month", "first_seen_date", "last_seen_date", "is_current", "status", "dismissed_count", "effect"),
]
LOCK_CLASS = 8_350_838
LOCK = "SELECT pg_advisory_xact_lock(%s, hashint8(%s))"


class Detected(NamedTuple):
    """What a search came to."""

    lines: int
    tests: int
    found: int
    raised: int
    gone: int


def detect(practice_id: int, days_back: int | None = DEFAULT_DAYS, payer_ids: Sequence[int] | None = None) -> Detected:
    """Search a practice's patterns, or those of some payers, and write them.

    `days_back` counts from the practice's newest adjudication; None takes all lines.
    """
    since = window(practice_id, days_back)
    noted = checkpoint("detect_patterns", last="detection_complete", practice_id=practice_id)
    with noted, transaction.atomic(), connection.cursor() as cursor:
        cursor.execute(LOCK, [LOCK_CLASS, practice_id])
        lines = read_lines(cursor, practice_id, since)
        mark("before_detection")
        last = PatternSearch.objects.filter(practice_id=practice_id).first() if payer_ids is not None else None
        searched = search(lines, last.critical_value if last else None, payer_ids)
        done = write(practice_id, lines, searched, payer_ids)
        if payer_ids is None:
            keep_search(practice_id, searched, days_back)
        DuePayer.objects.filter(practice_id=practice_id, **only(payer_ids)).delete()
        touch(practice_id, "pattern+")
        return done


def window(practice_id: int, days_back: int | None) -> date | None:
    if days_back is None:
        return None
    newest = AdjudicatedLine.objects.filter(practice_id=practice_id).aggregate(day=Max("adjudicated_date"))["day"]
    return newest - timedelta(days=days_back) if newest else None


def only(payer_ids: Sequence[int] | None) -> dict[str, Any]:
    return {} if payer_ids is None else {"payer_id__in": list(payer_ids)}


def detect_due() -> int:
    """Search the payers whose lines have changed since; answers how many there were."""
    due: dict[int, list[int]] = {}
    for practice_id, payer_id in DuePayer.objects.values_list("practice_id", "payer_id"):
        due.setdefault(practice_id, []).append(payer_id)
    for practice_id, payers in due.items():
        last = PatternSearch.objects.filter(practice_id=practice_id).first()
        detect(practice_id, last.days_back if last else DEFAULT_DAYS, payers if last else None)
    return sum(map(len, due.values()))


def keep_search(practice_id: int, searched: Searched, days_back: int | None) -> None:
    values = {
        "critical_value": searched.critical, "test_count": searched.tests, "line_count": searched.lines,
        "pattern_count": len(searched.findings), "days_back": days_back, "searched_at": Now(),
    }  # fmt: skip
    PatternSearch.objects.update_or_create(practice_id=practice_id, defaults=values)


def key_of(finding: Finding) -> str:
    """Name a cause: the same in every search."""
    said = {name: value for name, value in finding.conditions.items() if name not in STEPS}
    said = {name: "several" if isinstance(value, list) else value for name, value in said.items()}
    kind = "procedure" if finding.kind == "new_code" else finding.kind
    named = orjson.dumps([finding.payer, kind, said], option=orjson.OPT_SORT_KEYS)
    return hashlib.blake2b(named, digest_size=16).hexdigest()


def write(practice_id: int, lines: Lines, searched: Searched, payer_ids: Sequence[int] | None) -> Detected:
    """Write what was found; what was not found this time is kept, and said to be no longer current."""
    known = {each.key: each for each in DenialPattern.objects.filter(practice_id=practice_id, **only(payer_ids))}
    names = name_providers(searched.findings)
    found = {key_of(each): row_of(each, names) for each in searched.findings}
    created = [DenialPattern(practice_id=practice_id, key=key, **row) for key, row in found.items() if key not in known]
    DenialPattern.objects.bulk_create(created)
    raised = [pattern for key, row in found.items() if key in known and renew((pattern := known[key]), row)]
    gone = [pattern for key, pattern in known.items() if key not in found and pattern.is_current]
    for pattern in gone:
        pattern.is_current = False
    for pattern in known.values():
        if pattern.status == PatternStatus.RESOLVED:
            pattern.effect = effect_of(pattern, lines)
    DenialPattern.objects.bulk_update(known.values(), WRITTEN)
    tell_raised(raised)
    return Detected(searched.lines, searched.tests, len(found), len(created) + len(raised), len(gone))


def renew(pattern: DenialPattern, row: dict[str, Any]) -> bool:
    """Take what was found anew; True where it raises a pattern that had been dismissed."""
    for name, value in row.items():
        setattr(pattern, name, value)
    grown = pattern.occurrence_count >= GROWTH * (pattern.dismissed_count or 0)
    if pattern.status != PatternStatus.DISMISSED or not grown:
        return False
    pattern.status, pattern.dismissed_count = PatternStatus.NEW, None
    return True


def tell_raised(patterns: Iterable[DenialPattern]) -> None:
    PatternChange.objects.bulk_create(
        PatternChange(
            practice_id=pattern.practice_id, pattern=pattern, previous_status=PatternStatus.DISMISSED,
            status=PatternStatus.NEW, reason="Its denied lines have grown since it was dismissed.",
        )
        for pattern in patterns
    )  # fmt: skip


def name_providers(findings: Iterable[Finding]) -> dict[int, str]:
    ids = {value for each in findings for name, value in each.conditions.items() if name.endswith("_provider")}
    return {pk: name or npi for pk, name, npi in Provider.objects.filter(pk__in=ids).values_list("pk", "name", "npi")}


def row_of(finding: Finding, names: dict[int, str]) -> dict[str, Any]:
    """Make a pattern's columns of a finding."""
    lift = None if finding.base_rate <= 0 else min(Decimal(f"{finding.lift:.2f}"), MOST_LIFT)
    return {
        "payer_id": finding.payer, "pattern_type": finding.kind, "conditions": finding.conditions,
        "pattern_description": describe(finding.conditions, names),
        "denial_reason_code": finding.carcs[0][0] if finding.carcs else "",
        "line_count": finding.lines, "occurrence_count": finding.denied, "frequency": share(finding.rate),
        "base_rate": share(finding.base_rate), "lift": lift, "confidence_score": share(finding.lower_bound),
        "p_value": finding.p_value, "q_value": finding.q_value,
        "denied_amount": Decimal(finding.denied_cents) / 100,
        "carcs": [{"carc": carc, "lines": count} for carc, count in finding.carcs],
        "trend": [{"month": month, "lines": n, "denied": k} for month, n, k in finding.trend],
        "changed_month": finding.change, "first_seen_date": day_of(finding.first_day),
        "last_seen_date": day_of(finding.last_day), "is_current": True,
    }  # fmt: skip


def share(value: float) -> Decimal:
    return Decimal(f"{min(max(value, 0.0), 1.0):.5f}")


def day_of(number: int) -> date:
    return date(1970, 1, 1) + timedelta(days=max(number, 0))


def effect_of(pattern: DenialPattern, lines: Lines) -> dict[str, Any]:
    """Compare the lines sent before a pattern was resolved with those sent since."""
    if pattern.status_changed_at is None or "carc" in pattern.conditions:
        return pattern.effect
    own = (lines.payer == pattern.payer_id) & (lines.submitted_day != NO_DAY)
    chosen = lines.pick(own)
    chosen = chosen.pick(meets(chosen, pattern.conditions))
    limit = (pattern.status_changed_at.date() - date(1970, 1, 1)).days
    before = chosen.submitted_day < limit
    return {"before": count(chosen, before), "after": count(chosen, ~before)}


def count(lines: Lines, chosen: Any) -> dict[str, Any]:
    hit = chosen & lines.is_denied
    n, k = int(chosen.sum()), int(hit.sum())
    cents = int(np.sum(lines.denied_cents[hit]))
    return {"lines": n, "denied": k, "rate": round(k / n, 5) if n else None, "amount": f"{Decimal(cents) / 100:.2f}"}


def read_patterns(practice_id: int) -> list[Pattern]:
    """Read a practice's patterns that claims are held against (risk.match): current, neither dismissed nor resolved."""
    rows = DenialPattern.objects.filter(
        practice_id=practice_id, is_current=True, status__in=[PatternStatus.NEW, PatternStatus.CONFIRMED]
    ).order_by("id")
    return [
        Pattern(
            row.pk, row.payer_id, row.pattern_type, row.conditions, float(row.frequency), float(row.base_rate),
            float(row.confidence_score), row.denial_reason_code, row.pattern_description,
        )
        for row in rows
    ]  # fmt: skip
