"""Changing what adjustments mean, and the codes that nobody has mapped yet.

Whatever changes a meaning asks in the same transaction for the episodes that it meets to be settled anew
(episodes.resettle) and rings for it.
"""

from datetime import date
from decimal import Decimal
from typing import Any, Final, NamedTuple

from django.db import connection, transaction

from episodes.models.denial import DenialCategory, DenialReason, Strategy
from episodes.resettle import ask
from episodes.seeds import DENIED, NO_DENIAL
from marb.core.cache import touch_everywhere

# what is usually done in a category, and whether it can be corrected: as the shipped rows first say
USUAL: Final = {category: (correctable, strategy) for category, _, correctable, strategy in reversed(DENIED)}

# the groups and reasons of a practice, by a walk from one to the next along the index, then those without a meaning
UNMAPPED = """
WITH RECURSIVE step AS (
    (SELECT carc, group_code FROM remits_adjustment WHERE practice_id = %(practice)s ORDER BY carc, group_code LIMIT 1)
    UNION ALL
    SELECT next.carc, next.group_code FROM step CROSS JOIN LATERAL (
        SELECT a.carc, a.group_code FROM remits_adjustment a
        WHERE a.practice_id = %(practice)s AND (a.carc, a.group_code) > (step.carc, step.group_code)
        ORDER BY a.carc, a.group_code LIMIT 1
    ) next
), unknown AS (
    SELECT step.* FROM step WHERE NOT EXISTS (
        SELECT FROM episodes_denialreason d WHERE d.carc = step.carc AND d.group_code IN ('', step.group_code)
            AND d.rarc = '' AND (d.practice_id IS NULL OR d.practice_id = %(practice)s)
    )
)
SELECT unknown.group_code, unknown.carc, count(*), sum(a.amount), min(coalesce(p.payment_date, p.created_at::date))
FROM unknown JOIN remits_adjustment a ON a.practice_id = %(practice)s AND a.carc = unknown.carc
    AND a.group_code = unknown.group_code
JOIN remits_remittance r ON r.id = a.remittance_id JOIN remits_payment p ON p.id = r.payment_id
GROUP BY unknown.group_code, unknown.carc ORDER BY sum(abs(a.amount)) DESC, unknown.carc, unknown.group_code
"""


class UnmappedCode(NamedTuple):
    """A group and reason that no row speaks of: how often it came, its dollars, and since when."""

    group_code: str
    carc: str
    times: int
    amount: Decimal
    first_date: date


def find_unmapped(practice_id: int) -> list[UnmappedCode]:
    """Find the codes to map in a practice, the most dollars first."""
    with connection.cursor() as cursor:
        cursor.execute(UNMAPPED, {"practice": practice_id})
        return [UnmappedCode(*row) for row in cursor.fetchall()]


def map_code(practice_id: int, group: str, carc: str, category: str) -> DenialReason:
    """Give a practice's code a meaning, with what is usual in the category; a row of the same key is replaced."""
    is_denial = category not in NO_DENIAL
    correctable, strategy = USUAL.get(category, (False, Strategy.APPEAL)) if is_denial else (False, "")
    values: dict[str, Any] = {
        "category": category,
        "is_denial": is_denial,
        "is_correctable": correctable,
        "strategy": strategy,
    }
    key: dict[str, Any] = {"practice_id": practice_id, "group_code": group, "carc": carc, "rarc": ""}
    with transaction.atomic():
        reason, _ = DenialReason.objects.update_or_create(**key, defaults=values)
        follow(reason)
    return reason


def follow(reason: DenialReason, *, also: tuple[str, ...] = ()) -> None:
    """Say that a meaning was saved or deleted: settle what it meets anew. In the transaction that did it."""
    from episodes.actors import resettle_practice
    from marb.pipeline.actors import ring

    practices = ask(reason, also=also)
    touch_everywhere("denial")
    ring(resettle_practice, practices)


def category_choices() -> list[tuple[str, list[tuple[Any, str]]]]:
    """List the categories for a choice: denials, then what is none."""
    kinds = [(value, label) for value, label in DenialCategory.choices if value not in NO_DENIAL]
    others = [(value, label) for value, label in DenialCategory.choices if value in NO_DENIAL]
    return [("A denial", kinds), ("No denial", others)]
