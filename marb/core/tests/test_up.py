"""The whole product by one command: real servers, real workers, real files, and nothing left behind."""

import os
import signal
import subprocess
import sys
import time
import urllib.request
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import psutil
import pytest
from django.conf import settings

from marb.core.embedded.folder import holder
from marb.core.embedded.servers import VARIABLES

CLAIM = (
    "ISA*00*          *00*          *ZZ*SENDER         *ZZ*RECEIVER       *260102*1200*^*00501*000000001*0*T*:~"
    "GS*HC*SENDER*RECEIVER*20260102*1200*1*X*005010X222A1~ST*837*0001*005010X222A1~BHT*0019*00*1*20260102*1200*CH~"
    "NM1*41*2*CLINIC*****46*1~PER*IC*OFFICE*TE*5555550100~NM1*40*2*PAYER*****46*2~HL*1**20*1~"
    "NM1*85*2*CLINIC*****XX*1234567893~N3*1 MAIN ST~N4*TOWN*NY*10001~REF*EI*123456789~HL*2*1*22*0~SBR*P*18*******CI~"
    "NM1*IL*1*DOE*JANE****MI*M1~N3*2 MAIN ST~N4*TOWN*NY*10001~DMG*D8*19800101*F~NM1*PR*2*PAYER*****PI*P1~"
    "CLM*A1*100***11:B:1*Y*A*Y*Y~HI*ABK:J069~LX*1~SV1*HC:99213*100*UN*1***1~DTP*472*D8*20260101~"
    "SE*23*0001~GE*1*1~IEA*1*000000001~"
)


@pytest.fixture
def samples(tmp_path: Path) -> Path:
    folder = tmp_path / "some samples"
    folder.mkdir()
    (folder / "one.x12").write_text(CLAIM)
    return folder


def environ(var: Path) -> dict[str, str]:
    kept = {key: value for key, value in os.environ.items() if key not in VARIABLES.values()}
    return {**kept, "MARB_VAR": str(var), "EMBEDDED_SHARED_BUFFERS_MB": "32"}


@contextmanager
def up(var: Path, samples: Path, *words: str) -> Iterator["subprocess.Popen[str]"]:
    """Run `manage.py up`; a test that fails does not wait for it."""
    argv = [sys.executable, str(settings.BASE_DIR / "manage.py"), "up", "--samples", str(samples), *words]
    with subprocess.Popen(
        argv, env=environ(var), stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True
    ) as process:
        try:
            yield process
        finally:
            process.kill()


def of_folder(var: Path) -> list[psutil.Process]:
    """Find the processes that were started for a var folder."""
    found = []
    for process in psutil.process_iter(["environ", "status"]):
        mine = (process.info["environ"] or {}).get("MARB_VAR") == str(var)
        if mine and process.info["status"] != psutil.STATUS_ZOMBIE:
            found.append(process)
    return found


def wait_served(process: "subprocess.Popen[str]") -> str:
    """Read what is said up to the line that names the address; answer the address."""
    assert process.stdout is not None
    for line in process.stdout:
        if "serves at" in line:
            return line.split("serves at ", 1)[1].split()[0]
    raise AssertionError("ended before it served")


def wait_for(holds: Callable[[], bool]) -> bool:
    """Wait up to three minutes until something holds; say whether it does."""
    deadline = time.monotonic() + 180
    while not holds() and time.monotonic() < deadline:
        time.sleep(0.1)
    return holds()


@pytest.mark.workers
def test_once_takes_in_the_samples_and_stops_everything(tmp_path: Path, samples: Path):
    with up(tmp_path / "a var", samples, "--once") as process:
        said, _ = process.communicate(timeout=280)
    assert process.returncode == 0, said
    table = said[said.index("status") :]
    assert "files         accepted               1\n" in table
    assert "100.00 charges" in table
    assert said.count("password:") == 1
    assert of_folder(tmp_path / "a var") == []


@pytest.mark.workers
def test_it_serves_beside_a_taken_port_and_a_kill_leaves_nothing(tmp_path: Path, samples: Path):
    var = tmp_path / "a var"
    with up(var, samples, "--no-samples") as first:
        address = wait_served(first)
        with up(tmp_path / "other var", samples, "--no-samples") as second:
            other = wait_served(second)
            assert address != other
            for each in (address, other):
                assert urllib.request.urlopen(each, timeout=120).status == 200
            second.send_signal(signal.SIGTERM)
            assert second.wait(180) == 0
        assert of_folder(tmp_path / "other var") == []
        grown = wait_for(lambda: len(of_folder(var)) > 8)
        first.kill()
    assert grown, "workers and scheduler were not all started"
    assert wait_for(lambda: of_folder(var) == [])
    assert holder(var) == 0
