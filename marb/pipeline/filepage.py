"""What the page of one file shows: how far it is, what it came to, its sets, findings and quarantined claims.

The progress view answers the figures alone, for the page's script: one row read by key.
"""

from collections import defaultdict
from typing import Any

from django.contrib import messages
from django.core.exceptions import PermissionDenied
from django.db.models import Count
from django.http import Http404, HttpRequest, HttpResponse, JsonResponse
from django.shortcuts import redirect
from django.urls import reverse

from marb.access.roles import Action, may
from marb.core.download import send_edi
from marb.core.pages import draw_sections
from marb.core.templatetags.marb import counted, money, tone_of
from marb.pipeline.models import FINISHED, Acknowledgement, EdiFile, Hold, Quarantine
from marb.pipeline.pages import LEVELS, MOST_FINDINGS, FindingRow, Raw, finding_row, read_raw
from marb.pipeline.progress import Progress, measure
from marb.pipeline.steering import ORDERS, give, possible

MOST_SETS = 200
MOST_QUARANTINED = 50
Figure = tuple[str, str, Any]


def file_page(request: HttpRequest, file: EdiFile) -> dict[str, Any]:
    """Get the context of pipeline/file.html for one file."""
    is_full = may(request.user, file.practice_id, Action.SEE_IDENTIFIERS)
    progress = measure([file.pk])[file.pk]
    return {
        "title": f"File {file.pk}",
        "file": file,
        "is_finished": file.status in FINISHED,
        "step": step_of(progress),
        "percent": progress.percent,
        "pace": pace_of(file, progress),
        "orders": possible(file) if may(request.user, file.practice_id, Action.UPLOAD) else [],
        "figures": figures_of(file),
        "facts": facts_of(file),
        "law": law_of(file),
        "sets": file.sets.all()[:MOST_SETS],
        "kinds": kinds_of(file),
        "acknowledgement": Acknowledgement.objects.filter(file=file).defer("content").first(),
        "findings": [finding_row(finding) for finding in file.findings.all()[:MOST_FINDINGS]],
        "more_findings": max(0, file.finding_count - MOST_FINDINGS),
        "quarantined": quarantined_of(file, is_full),
        "sections": draw_sections("file", file, request),
    }


def step_of(progress: Progress) -> str:
    """Name what is done with a file that is not finished: once it is read, what is left is to link and settle it."""
    return "Linking" if progress.percent >= 100 else "Reading"


def pace_of(file: EdiFile, progress: Progress) -> str:
    """Say how far a running file is, how fast, and how long it will take."""
    if file.hold == Hold.PAUSED:
        return f"paused, {progress.claims:,} of {progress.scan_claims:,} claims are in"
    parts = [f"{progress.claims:,} of {progress.scan_claims:,} claims", f"{progress.findings:,} findings"]
    if progress.rate:
        parts.append(f"{progress.rate:,.0f} claims a second")
    if progress.seconds_left is not None:
        parts.append(f"about {progress.seconds_left:,.0f} s left")
    return ", ".join(parts)


def figures_of(file: EdiFile) -> list[Figure]:
    """Get (key, label, value) of the header; the keys are those of the progress answer."""
    claims = [
        ("claim_count", "Claims", counted(file.claim_count)),
        ("claims_quarantined", "Quarantined", counted(file.claims_quarantined)),
        ("claims_rejected", "Rejected", counted(file.claims_rejected)),
        ("charge_amount", "Charge", money(file.charge_amount)),
    ]
    remittances = [
        ("remittance_count", "Remittances", counted(file.remittance_count)),
        ("remittances_quarantined", "Quarantined", counted(file.remittances_quarantined)),
        ("remittances_rejected", "Rejected", counted(file.remittances_rejected)),
        ("paid_amount", "Paid", money(file.paid_amount)),
    ]
    has_claims, has_remittances = file.scan_claim_count > 0, file.scan_remittance_count > 0
    return [*(claims if has_claims or not has_remittances else []), *(remittances if has_remittances else [])]


def facts_of(file: EdiFile) -> list[tuple[str, Any]]:
    moment = "%m/%d/%Y %H:%M:%S UTC"
    return [
        ("Kind", file.kind),
        ("Size", f"{file.byte_count:,} bytes"),
        ("Received", file.received_at.strftime(moment)),
        ("By", file.uploaded_by and file.uploaded_by.get_username()),
        ("Finished", file.finished_at and file.finished_at.strftime(moment)),
        ("SHA-256", file.sha256),
    ]


def law_of(file: EdiFile) -> str:
    """Say whether every claim that the raw bytes hold is accounted for; nothing while the file is running."""
    if file.status not in FINISHED or not (file.scan_claim_count or file.scan_remittance_count):
        return ""
    claims = file.claim_count + file.claims_quarantined + file.claims_rejected
    remittances = file.remittance_count + file.remittances_quarantined + file.remittances_rejected
    counted = (file.scan_claim_count, file.scan_remittance_count)
    names = [f"{count:,} {name}" for count, name in zip(counted, ("claims", "remittances"), strict=True) if count]
    held = "are all accounted for" if (claims, remittances) == counted else "are NOT all accounted for"
    return f"The {' and '.join(names)} counted in the raw bytes {held}."


def kinds_of(file: EdiFile) -> list[dict[str, Any]]:
    """Count a file's findings by kind, most frequent first."""
    kinds = file.findings.order_by().values("level", "code_set", "code").annotate(count=Count("id"))
    return [{**kind, "level_words": LEVELS.get(kind["level"], "")} for kind in kinds.order_by("-count", "code")[:20]]


def quarantined_of(file: EdiFile, is_full: bool) -> list[tuple[Quarantine, Raw | None]]:
    """Get quarantined claims with their segments, the bytes only for those who may see identifiers."""
    held = list(file.quarantined.select_related("chunk")[:MOST_QUARANTINED])
    if not is_full:
        return [(row, None) for row in held]
    found: dict[int | None, list[FindingRow]] = defaultdict(list)
    for finding in file.findings.filter(claim_offset__in=[row.byte_from for row in held])[:MOST_FINDINGS]:
        found[finding.claim_offset].append(finding_row(finding))
    return [(row, raw_of(file, row, found[row.byte_from])) for row in held]


def raw_of(file: EdiFile, row: Quarantine, found: list[FindingRow]) -> Raw:
    terminator = row.chunk.separators[-1:] if row.chunk else "~"
    title = f"Segments of {row.control_number}" if row.control_number else "Segments"
    position = row.segment_position
    return read_raw(file, row.byte_from, row.byte_to, terminator, title=title, position=position, found=found)


def progress_view(request: HttpRequest, model_admin: Any, object_id: str) -> JsonResponse:
    """Answer how far a file is: its status, percent, and the figures of the header by key."""
    file = model_admin.get_object(request, object_id)
    if not model_admin.has_view_permission(request, file):
        raise PermissionDenied
    measured = measure([file.pk])[file.pk]
    figures = {key: value for key, _, value in figures_of(file)}
    status = {"status": file.status, "words": file.get_status_display(), "tone": tone_of(file.status)}
    pace = {**measured._asdict(), "hold": file.hold, "pace": pace_of(file, measured), "step": step_of(measured)}
    progress = {**pace, "is_finished": file.status in FINISHED, "figures": figures}
    return JsonResponse({**status, **progress, "url": reverse("admin:pipeline_edifile_change", args=[file.pk])})


def answer_view(request: HttpRequest, model_admin: Any, object_id: str) -> HttpResponse:
    """Send the TA1 and 999 that answer a file, to be saved; 404 where it has none."""
    file = model_admin.get_object(request, object_id)
    if request.method not in ("GET", "HEAD") or not model_admin.has_view_permission(request, file):
        raise PermissionDenied
    found = Acknowledgement.objects.filter(file=file).first()
    if found is None:
        raise Http404
    return send_edi(bytes(found.content), f"file-{file.pk}-acknowledgement.x12")


def order_view(request: HttpRequest, model_admin: Any, object_id: str, word: str) -> HttpResponse:
    """Give a file an order (marb.pipeline.steering) by a button of its page, and come back to the page."""
    file = model_admin.get_object(request, object_id)
    if word not in ORDERS:
        raise Http404
    if request.method != "POST" or not may(request.user, file.practice_id, Action.UPLOAD):
        raise PermissionDenied
    refusal = give(word, file.pk)
    if refusal:
        messages.warning(request, refusal)
    else:
        messages.success(request, f"{ORDERS[word].label}: done.")
    return redirect("admin:pipeline_edifile_change", file.pk)
