"""silk is off; where it is on, it keeps no value. Being an installed app, it needs a process of its own."""

import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from django.conf import settings
from django.test import Client
from django.urls import NoReverseMatch, reverse

from monitoring import profiles

HERE = Path(__file__).parent


def test_silk_is_off_by_default(client: Client, db: None) -> None:
    assert not settings.SILK
    assert "silk" not in settings.INSTALLED_APPS
    assert not any("silk" in name for name in settings.MIDDLEWARE)
    with pytest.raises(NoReverseMatch):
        reverse("silk:summary")


def test_silk_keeps_nothing_that_a_request_or_a_row_said() -> None:
    database = os.environ["DATABASE_URL"].rstrip("/") + "_silk"
    environment = {**os.environ, "SILK": "on", "SILK_PERCENT": "100", "DATABASE_URL": database}
    command = [
        sys.executable,
        "-m",
        "pytest",
        "-q",
        "-p",
        "no:cacheprovider",
        "--create-db",
        str(HERE / "with_silk.py"),
    ]
    ran = subprocess.run(command, env=environment, cwd=settings.BASE_DIR, capture_output=True, text=True, check=False)
    assert ran.returncode == 0, ran.stdout[-3000:]
    assert ran.stdout.startswith(".....")


def test_without_silk_nothing_leads_to_it(django_assert_num_queries: Any, db: None) -> None:
    with django_assert_num_queries(0):
        assert profiles.silk_url("GET claim-list") == ""
        assert profiles.retain() == 0
