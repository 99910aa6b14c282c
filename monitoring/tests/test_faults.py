"""The short version of `make faults`: what kills, stops and doubles, on services and workers of its own.

Faults that need no workers (F6, F12, F22) have tests beside what they break: marb/pipeline/tests/test_faults.py and
episodes/tests/test_truth.py.
"""

import os
import subprocess
import sys

import pytest
from django.conf import settings

ONE_OF_EACH = "F1,F2,F3,F5,F11,F14,F19"


@pytest.mark.workers
@pytest.mark.timeout(3600)
def test_whatever_breaks_the_rows_are_those_of_a_calm_run() -> None:
    command = [sys.executable, "manage.py", "faults", "--short", "--lanes", "2", "--seed", "7", "--only", ONE_OF_EACH]
    done = subprocess.run(command, cwd=settings.BASE_DIR, env=dict(os.environ), capture_output=True, check=False)
    told = done.stdout.decode()
    assert done.returncode == 0, told + done.stderr.decode()
    lines = [line for line in told.splitlines() if " equal " in line and not line.startswith("|")]
    # a calm run, F1 in three ways, F2 in two, and each other
    assert len(lines) == 1 + 3 + 2 + 5, told
