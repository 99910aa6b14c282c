"""Notices: sent once, tried so often and no more, and a webhook reaches nobody's inner network."""

import json
import threading
from collections.abc import Iterator
from datetime import UTC, datetime
from http.server import BaseHTTPRequestHandler, HTTPServer

import pytest
from django.core import mail
from django.db import IntegrityError

from monitoring import notices
from monitoring.models import Alert, AlertRule, AlertTarget, Notice
from monitoring.notices import MOST_ATTEMPTS, NotSent, Refused, check_url, is_public, post, send

pytestmark = pytest.mark.django_db
NOON = datetime(2026, 3, 1, 12, tzinfo=UTC)


class Hook(BaseHTTPRequestHandler):
    """A webhook's far end: keeps what it was sent, answers `status`."""

    status = 204
    bodies: list[bytes] = []
    paths: list[str] = []

    def do_POST(self) -> None:
        self.bodies.append(self.rfile.read(int(self.headers["Content-Length"])))
        self.paths.append(self.path)
        self.send_response(self.status)
        self.send_header("Location", "/elsewhere")
        self.end_headers()

    do_GET = do_POST

    def log_message(self, format: str, *args: object) -> None: ...


@pytest.fixture
def hook(settings) -> Iterator[str]:
    """A webhook on this machine, which the settings allow; answers its address."""
    Hook.status, Hook.bodies, Hook.paths = 204, [], []
    server = HTTPServer(("127.0.0.1", 0), Hook)
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    settings.ALERT_WEBHOOK_HOSTS = ["127.0.0.1"]
    yield f"http://127.0.0.1:{server.server_port}/alerts?from=marb"
    server.shutdown()
    server.server_close()
    thread.join()


@pytest.fixture
def alert() -> Alert:
    rule = AlertRule.objects.create(
        name="Too many", metric="dead_letters", comparison="above", threshold=3, advice="Look."
    )
    return Alert.objects.create(rule=rule, fired_at=NOON, threshold=3, value=5, worst=7)


def notice(alert: Alert, kind: str, address: str) -> Notice:
    target = AlertTarget.objects.create(kind=kind, address=address)
    return Notice.objects.create(alert=alert, target=target, event="fired")


def test_a_mail_says_what_how_much_and_what_to_do(alert):
    send(notice(alert, "mail", "ops@example.org").pk)
    (message,) = mail.outbox
    assert message.subject == "[mARB] warning: Too many fired"
    assert message.body == (
        "Too many fired at 2026-03-01T12:00:00+00:00.\nDead letters: 5 (alert above 3 messages).\nLook.\n"
    )


def test_a_webhook_is_sent_the_same_as_json(alert, hook):
    send(notice(alert, "webhook", hook).pk)
    told = json.loads(Hook.bodies[0])
    assert Hook.paths == ["/alerts?from=marb"]
    assert told == {
        "alert": alert.pk,
        "event": "fired",
        "name": "Too many",
        "severity": "warning",
        "at": "2026-03-01T12:00:00+00:00",
        "metric": "Dead letters",
        "unit": "messages",
        "comparison": "above",
        "threshold": 3,
        "value": 5,
        "worst": 7,
    }


def test_what_was_sent_is_not_sent_again(alert, hook):
    pending = notice(alert, "webhook", hook)
    for _ in range(3):
        send(pending.pk)
    assert len(Hook.bodies) == 1


def test_a_failure_is_tried_again_so_often_and_no_more(alert, hook):
    Hook.status = 500
    pending = notice(alert, "webhook", hook)
    for _ in range(MOST_ATTEMPTS - 1):
        with pytest.raises(NotSent):
            send(pending.pk)
    send(pending.pk)
    send(pending.pk)
    pending.refresh_from_db()
    assert (len(Hook.bodies), pending.attempts, pending.sent_at) == (MOST_ATTEMPTS, MOST_ATTEMPTS, None)
    assert pending.reason == "HTTPException"


def test_a_redirect_is_a_failure_and_is_not_followed(alert, hook):
    Hook.status = 302
    with pytest.raises(NotSent):
        send(notice(alert, "webhook", hook).pk)
    assert Hook.paths == ["/alerts?from=marb"]


def test_a_target_that_is_switched_off_is_left_alone(alert, hook):
    pending = notice(alert, "webhook", hook)
    AlertTarget.objects.update(is_enabled=False)
    send(pending.pk)
    assert Hook.bodies == []


def test_a_far_end_that_is_not_there_is_tried_again(alert, hook, settings):
    with pytest.raises(NotSent, match="ConnectionRefusedError"):
        send(notice(alert, "webhook", "http://127.0.0.1:1/").pk)


def test_an_address_that_is_not_allowed_is_refused_for_good(alert, hook):
    pending = notice(alert, "webhook", "http://localhost:1/")
    send(pending.pk)
    pending.refresh_from_db()
    assert (pending.attempts, pending.reason) == (MOST_ATTEMPTS, "A webhook's address begins with https://.")


@pytest.mark.parametrize(
    "url",
    [
        *("http://example.org/", "file:///etc/passwd", "gopher://example.org/", "//example.org/", "example.org", ""),
        *("https://", "https://a:b@example.org/", "https://user@example.org", "https://example.org:99999/"),
        *("https://exam ple.org/", "https://[::1", "https://example.org:0/", "https://example.org/\r\nX: y"),
    ],
)
def test_what_is_no_https_address_is_refused(url):
    with pytest.raises(Refused):
        check_url(url)


@pytest.mark.parametrize(
    "address",
    [
        *("127.0.0.1", "10.1.2.3", "172.16.0.1", "192.168.1.1", "169.254.169.254", "0.0.0.0", "100.64.0.1"),
        *("::1", "fe80::1%eth0", "fc00::1", "::ffff:127.0.0.1", "::ffff:10.0.0.1", "224.0.0.1", "ff02::1"),
    ],
)
def test_an_inner_address_is_not_public(address):
    assert not is_public(address)


@pytest.mark.parametrize("address", ["93.184.216.34", "2606:2800:220:1:248:1893:25c8:1946"])
def test_an_outer_address_is_public(address):
    assert is_public(address)


def test_a_name_that_leads_inside_is_refused():
    with pytest.raises(Refused, match="private network"):
        post("https://localhost/", {})


def test_one_inner_address_among_several_is_enough_to_refuse(monkeypatch):
    found = [(0, 0, 0, "", (address, 443)) for address in ("93.184.216.34", "10.0.0.1")]
    monkeypatch.setattr(notices.socket, "getaddrinfo", lambda *args, **options: found)
    with pytest.raises(Refused):
        post("https://example.org/", {})


def test_the_connection_goes_to_the_address_that_was_checked(monkeypatch):
    found = [(0, 0, 0, "", ("93.184.216.34", 443))]
    monkeypatch.setattr(notices.socket, "getaddrinfo", lambda *args, **options: found)
    reached = []

    def connect(address, timeout):
        reached.append((address, timeout))
        raise ConnectionRefusedError

    monkeypatch.setattr(notices.socket, "create_connection", connect)
    with pytest.raises(ConnectionRefusedError):
        post("https://example.org/", {})
    assert reached == [(("93.184.216.34", 443), notices.TIMEOUT_SECONDS)]


def test_an_event_is_told_to_a_target_once(alert):
    first = notice(alert, "mail", "a@example.org")
    with pytest.raises(IntegrityError):
        Notice.objects.create(alert=alert, target=first.target, event="fired")
