"""silk's profiles, where it is switched on: the link from an endpoint to its slowest one, and how many are kept.

silk itself deletes inside of requests and by chance; here it is done by schedule, by age and by number. What silk keeps
at all is marb.core.silk's.
"""

from collections.abc import Iterable
from datetime import datetime, timedelta
from typing import Any

from django.apps import apps
from django.conf import settings
from django.urls import reverse
from django.utils import timezone

MOST_DELETED = 200


def silk_url(endpoint: str) -> str:
    """Get the address of the slowest profile of an endpoint, such as "GET claim-list"; "" where there is none."""
    return silk_urls([endpoint]).get(endpoint, "")


def silk_urls(endpoints: Iterable[str]) -> dict[str, str]:
    """Get the address of the slowest profile of each endpoint that has one. One statement; none where silk is off."""
    if not settings.SILK:
        return {}
    wanted = {endpoint.partition(" ")[::2]: endpoint for endpoint in endpoints}
    kept = requests().filter(view_name__in={name for _, name in wanted}).order_by("view_name", "method", "-time_taken")
    slowest = kept.distinct("view_name", "method").values_list("method", "view_name", "id")
    found = {(method, name): reverse("silk:request_detail", args=[pk]) for method, name, pk in slowest}
    return {endpoint: found[key] for key, endpoint in wanted.items() if key in found}


def retain(now: datetime | None = None) -> int:
    """Delete the profiles that are too old, and the oldest beyond the number that is kept. Answers how many."""
    if not settings.SILK:
        return 0
    before = (now or timezone.now()) - timedelta(days=settings.RETENTION_DAYS["profile"])
    return delete(requests().filter(start_time__lt=before)) + delete(requests(), settings.SILKY_MAX_RECORDED_REQUESTS)


def delete(profiles: Any, but_newest: int = 0) -> int:
    """Delete all but the newest, a few at a time: each takes its statements and its answer with it."""
    deleted = 0
    while found := list(profiles.order_by("-start_time").values_list("pk", flat=True)[but_newest:][:MOST_DELETED]):
        profiles.filter(pk__in=found).delete()
        deleted += len(found)
    return deleted


def requests() -> Any:
    # named so that types are not looked for in an app that may be absent
    label = "silk.Request"
    return apps.get_model(label).objects.all()
