"""This machine and this process: room on the disk, who may read the secrets, static files, the settings."""

import os
import shutil
import stat
from collections.abc import Iterator
from pathlib import Path

from django.conf import settings
from django.core.checks import ERROR, WARNING, run_checks

from marb.core.measure.gauges import existing
from marb.core.preparation import static_digest
from monitoring.doctor.finding import Finding, bad, good, warn

GIGABYTE = 2**30
LEAST_BYTES, LEAST_SHARE = GIGABYTE, 0.1
OTHERS = stat.S_IRWXG | stat.S_IRWXO


def check() -> Iterator[Finding]:
    for part in (check_disk, check_files, check_static, check_settings):
        yield from part()


def check_disk() -> Iterator[Finding]:
    place = existing(settings.VAR_DIR)
    usage = shutil.disk_usage(place)
    said = f"{usage.free / GIGABYTE:,.1f} GB are free at {place}."
    if usage.free < LEAST_BYTES:
        yield bad("Disk", said, "Free space, or give the volume more.")
    elif usage.free < LEAST_SHARE * usage.total:
        yield warn("Disk", said, "Free space before it is full.")
    else:
        yield good("Disk", said)
    if not os.access(place, os.W_OK):
        yield bad("Disk", f"{place} cannot be written.", "Give it to the user that mARB runs as, or set MARB_VAR.")


def check_files() -> Iterator[Finding]:
    """What holds a secret is for one user; what is written is nobody else's to write."""
    for path, forbidden in ((settings.VAR_DIR / "addresses.json", OTHERS), (settings.VAR_DIR, stat.S_IWOTH)):
        if path.exists() and path.stat().st_mode & forbidden:
            what = "read" if path.is_file() else "written"
            mode = "600" if path.is_file() else "750"
            yield bad("Files", f"{path} can be {what} by others.", f"chmod {mode} {path}")


def check_static() -> Iterator[Finding]:
    root = Path(settings.STATIC_ROOT)
    stamp = root / ".collected"
    if not (root / "staticfiles.json").exists():
        yield bad("Static files", "are not collected: pages have no style.", "Run manage.py prepare.")
    elif stamp.exists() and stamp.read_text() != static_digest():
        yield warn("Static files", "are older than the code.", "Run manage.py prepare.")
    else:
        yield good("Static files", "are collected.")


def check_settings() -> Iterator[Finding]:
    """Everything that `manage.py check --deploy` has to say; in production what it warns of too."""
    found = [each for each in run_checks(include_deployment_checks=settings.HTTPS) if each.level >= WARNING]
    for each in found:
        make = bad if each.level >= ERROR else warn
        yield make("Settings", f"{each.msg} ({each.id})", each.hint or "See manage.py check --deploy.")
    if len(settings.SECRET_KEY) < 50 and not settings.HTTPS:
        yield warn("Settings", "SECRET_KEY is short.", "Set SECRET_KEY to at least 50 random characters.")
    if not found:
        yield good("Settings", "pass every check.")
