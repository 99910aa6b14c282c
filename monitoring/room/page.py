"""The control room's page, and the address that its script asks every few seconds. A superuser's.

The page is a frame: what it shows comes from `figures`, so that opening it is as quick as any page of the admin.
"""

from typing import Any

from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponse, JsonResponse
from django.template.response import TemplateResponse
from django.urls import reverse
from django.views.decorators.http import require_safe

from marb.access.roles import is_superuser
from monitoring.room.figures import CHARTS, TABLES, TILES, figures
from monitoring.room.range import RANGES, chosen

WIDE = ("alerts", "files", "actors", "endpoints", "checkpoints", "slow", "statements")


def may_see(request: HttpRequest) -> bool:
    """Say whether a person sees the control room: what is measured belongs to no practice."""
    return is_superuser(request.user)


def is_process_page(request: HttpRequest) -> bool:
    """Say whether the sidebar marks the processes: on their pages, not on the control room."""
    room = reverse("admin:monitoring_process_room")
    return request.path.startswith(room.removesuffix("room/")) and request.path != room


@require_safe
def room_view(request: HttpRequest, model_admin: Any) -> HttpResponse:
    if not may_see(request):
        raise PermissionDenied
    shown = {
        "title": "Control room",
        "ranges": list(RANGES.values()),
        "chosen": chosen(request.GET.get("range")),
        "tiles": TILES,
        "charts": {key: title for key, (title, _) in CHARTS.items()},
        "tables": [(key, title, key in WIDE) for key, (title, _) in TABLES.items()],
        "is_fullwidth": "1",
    }
    return TemplateResponse(request, "monitoring/room.html", {**model_admin.admin_site.each_context(request), **shown})


@require_safe
def figures_view(request: HttpRequest, model_admin: Any) -> JsonResponse:
    """Answer the figures of the range that `range` names."""
    if not may_see(request):
        raise PermissionDenied
    answer = JsonResponse(figures(chosen(request.GET.get("range"))))
    answer.headers["Cache-Control"] = "no-store"
    return answer
