"""The control room answers what was measured, whatever is away, at a fixed cost, and to superusers only."""

from datetime import timedelta
from typing import Any

import pytest
import redis
from django.db import OperationalError, connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse
from django.utils import timezone

from marb.core.measure import memory
from marb.pipeline.models import DeadLetter, EdiFile
from monitoring.models import Alert, AlertRule, Process, Span
from monitoring.plans import explain_new
from monitoring.room import belt, words
from monitoring.room.figures import CHARTS, TABLES, TILES, Patience, figures
from monitoring.room.range import RANGES, chosen, sum_period
from monitoring.tests.measures import hand_on, note, sample, this_minute, timing

pytestmark = pytest.mark.django_db
HOUR = RANGES["1h"]


@pytest.fixture
def operator(client: Client, root: Any) -> Client:
    client.force_login(root)
    return client


def ask(client: Client, key: str = "1h") -> dict[str, Any]:
    answer = client.get(reverse("admin:monitoring_process_figures"), {"range": key})
    assert answer.status_code == 200
    told: dict[str, Any] = answer.json()
    return told


def test_smoke(operator: Client) -> None:
    import pprint

    assert operator.get(reverse("admin:monitoring_process_room")).status_code == 200
    with CaptureQueriesContext(connection) as c:
        pprint.pprint(ask(operator))
    for q in c.captured_queries:
        print(q["time"], q["sql"][:150])
