"""What patterns add to the pages of claims and payers: what a claim meets, similar denials, a payer's patterns."""

from typing import Any

from django.db import connection
from django.http import HttpRequest

from claims.models import Claim
from marb.parties.models import Payer
from risk.facts import read_facts
from risk.match import Met, match_patterns
from risk.models import AdjudicatedLine, DenialPattern
from risk.patterns import read_patterns
from risk.patternwords import recommend

Drawn = tuple[str, dict[str, Any]]
MOST_SIMILAR = 10
MOST_PATTERNS = 25


def analyze(claim: Claim) -> list[Met]:
    """Find the patterns that a claim meets as it was sent, the likeliest denial first."""
    patterns = [each for each in read_patterns(claim.practice_id) if each.payer_id == claim.payer_id]
    if not patterns:
        return []
    with connection.cursor() as cursor:
        return match_patterns(patterns, read_facts(cursor, [claim.pk]))


def find_similar(claim: Claim) -> list[AdjudicatedLine]:
    """Find denied lines of the same payer and procedures on other claims, the newest first."""
    if claim.payer_id is None:
        return []
    codes = list(claim.lines.exclude(procedure_code="").values_list("procedure_code", flat=True))
    rows = AdjudicatedLine.objects.filter(
        practice_id=claim.practice_id, payer_id=claim.payer_id, procedure_code__in=codes, is_denied=True
    )
    newest = rows.exclude(claim_id=claim.pk).order_by("-adjudicated_date", "-id")
    return list(newest.select_related("claim")[:MOST_SIMILAR])


def draw_claim(claim: Claim, request: HttpRequest) -> Drawn:
    """Draw the patterns that a claim meets and similar denials."""
    met = [{"pattern": each.pattern, "advice": recommend(each.pattern.kind)} for each in analyze(claim)]
    return "risk/claim_patterns.html", {"met": met, "similar": find_similar(claim)}


def draw_payer(payer: Payer, request: HttpRequest) -> Drawn:
    rows = DenialPattern.objects.filter(payer=payer, is_current=True).order_by("-denied_amount", "-id")
    return "risk/payer_patterns.html", {"patterns": list(rows[:MOST_PATTERNS]), "payer": payer}
