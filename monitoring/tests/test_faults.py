"""The two-minute version of `make faults`: one of each fault, on services and workers of its own."""

import os
import subprocess
import sys

import pytest
from django.conf import settings

ONE_OF_EACH = "F1,F2,F3,F5,F6,F10,F11,F12,F13,F14,F19,F22,two"


@pytest.mark.workers
@pytest.mark.timeout(3600)
def test_whatever_breaks_the_rows_are_those_of_a_calm_run() -> None:
    command = [sys.executable, "manage.py", "faults", "--short", "--lanes", "2", "--seed", "7", "--only", ONE_OF_EACH]
    done = subprocess.run(command, cwd=settings.BASE_DIR, env=dict(os.environ), capture_output=True, check=False)
    told = done.stdout.decode()
    assert done.returncode == 0, told + done.stderr.decode()
    lines = [line for line in told.splitlines() if " equal " in line and not line.startswith("|")]
    # three calm runs, and each fault
    assert len(lines) == 3 + 13 + 3 + 4, told
