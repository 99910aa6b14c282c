"""The open alerts above every page of the admin, for those who see the control room; nobody else pays a query.

Read once a minute at most, and anew whenever an alert fires, clears or is acknowledged (monitoring.alerts touches it).
"""

from collections.abc import Sequence
from typing import Any

from django.http import HttpRequest

from marb.core.cache import EVERYBODY, cached
from monitoring.alerts import firing
from monitoring.room.page import may_see
from monitoring.room.state import TONES, measured

MOST_SHOWN = 3
OWN_PLACE = "monitoring_process_room"


@cached("dashboard", "alerts", depends=("alert",))
def open_alerts(practice_ids: Sequence[int]) -> list[dict[str, Any]]:
    """Get the open alerts as the banner writes them."""
    return [
        {
            "id": alert.pk,
            "name": alert.rule.name,
            "tone": TONES.get(alert.rule.severity, "warn"),
            "measured": measured(alert),
            "advice": alert.rule.advice,
            "since": f"{alert.fired_at:%m/%d %H:%M} UTC",
            "by": alert.acknowledged_by.get_username() if alert.acknowledged_by else "",
        }
        for alert in firing()
    ]


def show_banner(page: None, request: HttpRequest) -> tuple[str, dict[str, Any]]:
    """Get the banner's template and context; no template where there is nothing to say, or the page says it itself."""
    place = request.resolver_match.url_name if request.resolver_match else ""
    if place == OWN_PLACE or not may_see(request):
        return "", {}
    found = open_alerts((EVERYBODY,))
    shown, more = found[:MOST_SHOWN], len(found) - MOST_SHOWN
    return ("monitoring/banner.html" if found else ""), {"alerts": shown, "more": max(0, more), "here": request.path}
