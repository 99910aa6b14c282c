"""Tests run on real PostgreSQL and Valkey, at DATABASE_URL, BROKER_URL and CACHE_URL; `make test` starts its own.

Shared by all apps: a practice, another practice, one member of the first per role, and a headless Chromium.
"""

import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from django.conf import settings
from django.contrib.auth import get_user_model

from marb.access.models import Membership, Practice, Role

CHROMIUM_OPTIONS = [
    *("--headless=new", "--no-sandbox", "--disable-gpu", "--no-first-run", "--disable-dev-shm-usage"),
    *("--disable-background-networking", "--disable-component-update", "--disable-sync", "--window-size=1440,1000"),
]


def chromium_path() -> str | None:
    """Find a Chromium: Debian's name, then the others'."""
    names = ("chromium", "chromium-browser", "google-chrome")
    return next((found for found in map(shutil.which, names) if found), None)


def chromedriver_path() -> str | None:
    return shutil.which("chromedriver")


@pytest.fixture(autouse=True, scope="session")
def plain_static_files() -> None:
    """Pages are rendered without collectstatic: no manifest of hashed names. Passwords are hashed cheaply."""
    Path(settings.STATIC_ROOT).mkdir(parents=True, exist_ok=True)
    backend = {"BACKEND": "django.contrib.staticfiles.storage.StaticFilesStorage"}
    settings.STORAGES = {**settings.STORAGES, "staticfiles": backend}
    settings.PASSWORD_HASHERS = ["django.contrib.auth.hashers.MD5PasswordHasher"]


@pytest.fixture(autouse=True, scope="session")
def no_flusher() -> None:
    """The tests' own process hands no measures on; processes that they start do."""
    settings.MEASURE_SINK = ""


@pytest.fixture
def practice(db: None) -> Practice:
    return Practice.objects.create(code="main", name="Main Street Medical Group")


@pytest.fixture
def other_practice(db: None) -> Practice:
    return Practice.objects.create(code="other", name="Other Side Clinic")


@pytest.fixture
def password() -> str:
    """The password of every member made here."""
    return "a long enough password"


def create_member(practice: Practice, role: Role, password: str) -> Any:
    user = get_user_model().objects.create_user(role.value, password=password, is_staff=True)
    Membership.objects.create(practice=practice, user=user, role=role)
    return user


@pytest.fixture
def administrator(practice: Practice, password: str) -> Any:
    return create_member(practice, Role.ADMINISTRATOR, password)


@pytest.fixture
def manager(practice: Practice, password: str) -> Any:
    return create_member(practice, Role.MANAGER, password)


@pytest.fixture
def biller(practice: Practice, password: str) -> Any:
    return create_member(practice, Role.BILLER, password)


@pytest.fixture
def auditor(practice: Practice, password: str) -> Any:
    return create_member(practice, Role.AUDITOR, password)


@pytest.fixture
def chromium(tmp_path: Path) -> Iterator[Any]:
    """A headless Chromium with a profile of its own (selenium's WebDriver)."""
    from selenium import webdriver

    options = webdriver.ChromeOptions()
    options.binary_location = chromium_path() or ""
    for option in (*CHROMIUM_OPTIONS, f"--user-data-dir={tmp_path / 'profile'}"):
        options.add_argument(option)
    driver = webdriver.Chrome(options, webdriver.ChromeService(chromedriver_path()))
    yield driver
    driver.quit()


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    if chromium_path() and chromedriver_path():
        return
    for item in items:
        if item.get_closest_marker("browser"):
            item.add_marker(pytest.mark.skip(reason="no Chromium: browser test not run"))


def pytest_terminal_summary(terminalreporter: Any) -> None:
    skipped = [report for report in terminalreporter.stats.get("skipped", []) if "no Chromium" in str(report.longrepr)]
    if skipped:
        terminalreporter.section("BROWSER TESTS NOT RUN", sep="!", red=True, bold=True)
        terminalreporter.line(f"{len(skipped)} browser tests were skipped: no chromium and chromedriver on the PATH.")
