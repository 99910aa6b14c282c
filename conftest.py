"""Tests run on real PostgreSQL and Valkey, at DATABASE_URL, BROKER_URL and CACHE_URL; `make test` starts its own.

Shared by all apps: a practice, another practice, one member of the first per role, and a headless Chromium.
"""

import os
import secrets
import shutil
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import dramatiq
import hypothesis
import pytest
import redis
from django.conf import settings
from django.contrib.auth import get_user_model
from django.db import connection
from redis.backoff import NoBackoff
from redis.retry import Retry

from marb.access.models import Membership, Practice, Role
from marb.core.cache import server, statistics
from marb.core.cache.breaker import Breaker
from marb.core.cache.keys import Namespace
from marb.core.cache.memory import MEMORY

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


# no law fails because a machine is slow: a deadline is a claim about speed, and so is "too slow to generate"
hypothesis.settings.register_profile("marb", deadline=None, suppress_health_check=[hypothesis.HealthCheck.too_slow])
hypothesis.settings.load_profile("marb")


def move_to_own_numbers() -> None:
    """Give each of several test processes databases of its own in broker and cache, as it has one in PostgreSQL.

    Workers that one of them starts would take the bells of the other, and rows with the same ids share cached pages.
    """
    worker = int(os.environ.get("PYTEST_XDIST_WORKER", "gw0")[2:])
    if not worker:
        return
    for name, url in (("BROKER_URL", settings.BROKER_URL), ("CACHE_URL", CACHE["LOCATION"])):
        base, _, number = str(url).rpartition("/")
        os.environ[name] = f"{base}/{(int(number) + 4 * worker) % 14}"
    settings.BROKER_URL = os.environ["BROKER_URL"]
    CACHE["LOCATION"] = os.environ["CACHE_URL"]
    broker: Any = dramatiq.get_broker()
    broker.client.connection_pool = redis.ConnectionPool.from_url(settings.BROKER_URL)


# a cache that answers late counts as one that is away: not here, where the machine may be slow
CACHE: Any = settings.CACHES["default"]
CACHE["OPTIONS"] |= {"SOCKET_CONNECT_TIMEOUT": 60, "SOCKET_TIMEOUT": 60}
CACHE["OPTIONS"]["CONNECTION_POOL_KWARGS"]["timeout"] = 300
# more threads than connections wait for each other, however long that takes
DATABASE: Any = settings.DATABASES["default"]
DATABASE["OPTIONS"]["pool"]["timeout"] = 300
move_to_own_numbers()


def end_sessions() -> list[tuple[Any, ...]]:
    """Shut the test database to everybody and end who is still in it; says who that was.

    A process or thread that outlives its test by a moment would else keep the database from being dropped.
    """
    name = connection.settings_dict["NAME"]
    connection.close()
    connection.close_pool()  # type: ignore[attr-defined]
    with connection._nodb_cursor() as cursor:
        cursor.execute(f"ALTER DATABASE {connection.ops.quote_name(name)} ALLOW_CONNECTIONS false")
        cursor.execute(
            "SELECT pid, application_name, state, backend_start, left(query, 200), pg_terminate_backend(pid, 60000)"
            " FROM pg_stat_activity WHERE datname = %s",
            [name],
        )
        return cursor.fetchall()


@pytest.fixture(scope="session")
def django_db_setup(django_db_setup: None, django_db_blocker: Any, django_db_keepdb: bool) -> Iterator[None]:
    """pytest-django's database, which can be dropped whatever a test has left open."""
    yield
    if not django_db_keepdb:
        with django_db_blocker.unblock():
            for session in end_sessions():
                print("still in the test database:", *session, file=sys.__stderr__)


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


@pytest.fixture(autouse=True, scope="session")
def unguarded() -> None:
    """What counts and remembers across tests is off; the tests of it turn it on (marb.access)."""
    settings.READER_SECONDS = 0.0
    settings.AUDIT_SECONDS = 0.0
    settings.API_RATE_MINUTE = settings.API_RATE_HOUR = 0
    settings.API_RATE_ADDRESS_MINUTE = settings.API_RATE_ADDRESS_HOUR = 0
    settings.LOGIN_RATE = settings.LOGIN_RATE_ADDRESS = []


@pytest.fixture(autouse=True)
def own_cache() -> Iterator[None]:
    """Each test has names of its own in the cache: ids come again in another database."""
    before = Namespace.prefix
    Namespace.prefix = f"test-{secrets.token_hex(6)}"
    MEMORY.clear()
    yield
    statistics.PROCESS = statistics.Counts()
    Namespace.prefix = before


@pytest.fixture
def no_cache(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """A cache server that is not there."""
    nowhere = redis.Redis(port=9, retry=Retry(NoBackoff(), 0))
    monkeypatch.setattr(server, "BREAKER", Breaker(time.monotonic))
    monkeypatch.setattr(server, "OWED", set())
    monkeypatch.setattr(server, "get_redis_connection", lambda alias: nowhere)
    yield
    nowhere.close()


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
