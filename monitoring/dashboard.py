"""The first page: what to work on. Counts, amounts and dates only, each through the person's scope, some dozen queries.

Counts of work are read up to a bound, so that a practice far behind does not slow its own first page.
"""

from collections.abc import Sequence
from datetime import timedelta
from typing import Any, NamedTuple

from django.db.models import Count, Q, QuerySet, Sum
from django.http import HttpRequest
from django.urls import reverse
from django.utils import timezone

from claims.models import Claim, ClaimStatus
from episodes.kpiread import get_figures, lately
from episodes.kpis import MOST_IMPORTANT
from episodes.models import Episode, EpisodeStatus, OpenRemittance, OpenState
from marb.access.door import scope_of
from marb.access.roles import Action, is_member, may_anywhere
from marb.core.admin import practice_ids
from marb.core.cache import cached
from marb.core.templatetags.marb import tone_of
from marb.pipeline.models import EdiFile, FileStatus
from remits.models import Payment, Remittance, RemittanceStatus

MOST = 10_000
FILES_SHOWN = 8
WHOLE = 1_000


class Tile(NamedTuple):
    """One heap of work: how many, what it means, where to do it."""

    label: str
    number: int
    is_more: bool
    tone: str
    help: str
    url: str


class StatusRow(NamedTuple):
    """One bar: `width` in thousandths of the longest."""

    label: str
    number: int
    amount: Any
    tone: str
    width: int
    url: str


def show(request: HttpRequest, context: dict[str, Any]) -> dict[str, Any]:
    """Add the dashboard to the admin's index (UNFOLD's DASHBOARD_CALLBACK)."""
    if not is_member(request.user):
        return {**context, "is_member": False}
    files = scoped(request, EdiFile)
    figures = read_figures(request)
    return {
        **context,
        "is_member": True,
        "title": "What to work on",
        "tiles": [Tile(*tile) for tile in figures["tiles"]],
        "episodes": [StatusRow(*row) for row in figures["episodes"]],
        "files": files.order_by("-received_at", "-id")[:FILES_SHOWN],
        "today": files_today(files),
        "key_figures": key_figures(request),
        "may_upload": may_anywhere(request.user, Action.UPLOAD),
    }


def key_figures(request: HttpRequest) -> list[dict[str, Any]]:
    """Get the key figures that matter most, of the last twelve months, and what becomes of each target."""
    today = timezone.now().date()
    found = {figure["key"]: figure for figure in get_figures(request.user, lately(today), today)["figures"]}
    tones = {True: "good", False: "bad", None: "plain"}
    return [found[key] | {"tone": tones[found[key]["is_met"]]} for key in MOST_IMPORTANT]


def read_figures(request: HttpRequest) -> dict[str, Any]:
    """Get the counts and sums, from the cache while no writer has touched what they count."""
    scope = scope_of(request.user)

    @cached("dashboard", "figures", depends=("claim+", "remittance+", "payment", "episode", "file"))
    def count(practice_ids: Sequence[int]) -> dict[str, Any]:
        return {"tiles": tiles_of(request), "episodes": episode_rows(request)}

    figures: dict[str, Any] = count(scope)
    return figures


def scoped(request: HttpRequest, model: Any) -> QuerySet[Any]:
    """Get a person's rows; the only practice by its number, which the indexes begin with."""
    rows = model.objects.for_user(request.user)
    ids = practice_ids(request)
    return rows.filter(practice_id=ids[0]) if len(ids) == 1 else rows


def tiles_of(request: HttpRequest) -> list[Tile]:
    claims, remittances, payments = (scoped(request, model) for model in (Claim, Remittance, Payment))
    unlinked = scoped(request, OpenRemittance).exclude(state=OpenState.LINKED)
    off = payments.filter(difference_amount__isnull=False).exclude(difference_amount=0)
    stuck = scoped(request, EdiFile).filter(status__in=[FileStatus.REJECTED, FileStatus.PARTIAL])
    return [
        tile(
            "Claims not clean",
            claims.filter(status=ClaimStatus.INCOMPLETE),
            "warn",
            "claims_claim",
            "status__exact=incomplete",
            "Stored, with findings to mend",
        ),
        tile(
            "Remittances that do not balance",
            remittances.filter(status=RemittanceStatus.ERROR),
            "bad",
            "remits_remittance",
            "status__exact=error",
            "Charge, adjustments and payment differ",
        ),
        tile(
            "Payments that do not balance",
            off,
            "bad",
            "remits_payment",
            "balance=unbalanced",
            "Claims paid and the check differ",
        ),
        tile(
            "Remittances without a claim",
            unlinked,
            "warn",
            "episodes_queuedremittance",
            "",
            "Their claim is not known yet",
        ),
        tile(
            "Files not wholly taken",
            stuck,
            "bad",
            "pipeline_edifile",
            "status__exact=partial",
            "Something was quarantined or rejected",
        ),
    ]


def tile(label: str, rows: QuerySet[Any], tone: str, name: str, query: str, help: str) -> Tile:
    count = rows.order_by()[: MOST + 1].count()
    url = reverse(f"admin:{name}_changelist") + (f"?{query}" if query else "")
    return Tile(label, min(count, MOST), count > MOST, tone if count else "good", help, url)


def episode_rows(request: HttpRequest) -> list[StatusRow]:
    """Count episodes by status, with what was charged in each."""
    counts = (
        scoped(request, Episode).order_by().values("status").annotate(count=Count("id"), amount=Sum("charge_amount"))
    )
    by_status = {row["status"]: row for row in counts}
    most = max((row["count"] for row in by_status.values()), default=1)
    return [status_row(status, by_status.get(status, {}), most) for status in EpisodeStatus]


def status_row(status: EpisodeStatus, row: dict[str, Any], most: int) -> StatusRow:
    count = row.get("count", 0)
    url = f"{reverse('admin:episodes_episode_changelist')}?status__exact={status}"
    return StatusRow(status.label, count, row.get("amount") or 0, tone_of(status), WHOLE * count // most, url)


def files_today(files: QuerySet[Any]) -> dict[str, Any]:
    """Sum the files of the last 24 hours."""
    since = timezone.now() - timedelta(hours=24)
    running = Q(status__in=[FileStatus.RECEIVED, FileStatus.RUNNING])
    sums = {"claims": Sum("claim_count"), "remittances": Sum("remittance_count"), "paid": Sum("paid_amount")}
    return files.filter(received_at__gte=since).aggregate(
        files=Count("id"), running=Count("id", filter=running), charge=Sum("charge_amount"), **sums
    )
