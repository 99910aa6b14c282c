"""Telling people that an alert fired or cleared: by e-mail, or as JSON to a webhook. No PHI: names and numbers of ours.

A notice is a row; its message rings the bell and is retried at most MOST_ATTEMPTS times. A webhook is https to a
public address that is resolved once and connected to as resolved, with a time limit, and a redirect is not followed:
whoever may set a target cannot make the server reach into its own network. Hosts in ALERT_WEBHOOK_HOSTS are exempt.
"""

import contextlib
import http.client
import ipaddress
import json
import smtplib
import socket
import ssl
from collections.abc import Iterable
from typing import Any
from urllib.parse import SplitResult, urlsplit

from django.conf import settings
from django.core.mail import send_mail
from django.db import transaction
from django.utils import timezone

from monitoring.metrics import METRICS
from monitoring.models import AlertTarget, Notice

MOST_ATTEMPTS = 5
TIMEOUT_SECONDS = 5.0
FAULTS = (OSError, http.client.HTTPException, smtplib.SMTPException)


class NotSent(Exception):
    """A notice could not be sent now; the message says why, without the address."""


class Refused(Exception):
    """An address that is not allowed, now or later; the message says why."""


def ring(notices: Iterable[Notice]) -> None:
    """Send a message for each notice once the open transaction has committed."""
    from monitoring.actors import send_notice

    ids = [notice.pk for notice in notices]
    transaction.on_commit(lambda: [send_notice.send(number) for number in ids] and None, robust=True)


def send(notice_id: int) -> None:
    """Send one notice that was not sent yet. Raises NotSent where it is worth trying again."""
    notice = Notice.objects.select_related("alert__rule", "target").get(pk=notice_id)
    if notice.sent_at or notice.attempts >= MOST_ATTEMPTS or not notice.target.is_enabled:
        return
    notice.attempts += 1
    try:
        deliver(notice)
    except Refused as refusal:
        notice.attempts, notice.reason = MOST_ATTEMPTS, str(refusal)
    except FAULTS as error:
        notice.reason = type(error).__name__[:200]
    else:
        notice.sent_at, notice.reason = timezone.now(), ""
    notice.save(update_fields=("attempts", "sent_at", "reason"))
    if not notice.sent_at and notice.attempts < MOST_ATTEMPTS:
        raise NotSent(notice.reason)


def deliver(notice: Notice) -> None:
    if notice.target.kind == AlertTarget.Kind.MAIL:
        title, text = words(notice)
        send_mail(title, text, settings.DEFAULT_FROM_EMAIL, [notice.target.address])
    else:
        post(notice.target.address, document(notice))


def words(notice: Notice) -> tuple[str, str]:
    """Get the subject and text of a notice."""
    told = document(notice)
    title = f"[mARB] {told['severity']}: {told['name']} {told['event']}"
    limit = f"{told['comparison']} {told['threshold']:g} {told['unit']}"
    text = f"{told['name']} {told['event']} at {told['at']}.\n{told['metric']}: {told['value']:g} (alert {limit}).\n"
    return title, text + (f"{notice.alert.rule.advice}\n" if notice.alert.rule.advice else "")


def document(notice: Notice) -> dict[str, Any]:
    """Get a notice as the JSON object that a webhook is sent."""
    alert, rule = notice.alert, notice.alert.rule
    metric = METRICS.get(rule.metric)
    at = alert.cleared_at if notice.event == "cleared" and alert.cleared_at else alert.fired_at
    numbers = {"threshold": alert.threshold, "value": round(alert.value, 3), "worst": round(alert.worst, 3)}
    named = {"alert": alert.pk, "event": notice.event, "name": rule.name, "severity": rule.severity}
    measured = {"metric": metric.title if metric else rule.metric, "unit": metric.unit if metric else ""}
    return {**named, "at": at.isoformat(timespec="seconds"), **measured, "comparison": rule.comparison, **numbers}


def post(url: str, told: dict[str, Any]) -> None:
    """Post JSON to a webhook. Raises Refused for an address that is not allowed, OSError and such where it fails."""
    parts = check_url(url)
    port = parts.port or (443 if parts.scheme == "https" else 80)
    address = resolve(parts.hostname or "", port)
    path = f"{parts.path or '/'}{'?' + parts.query if parts.query else ''}"
    with contextlib.closing(connect(parts, address, port)) as connection:
        headers = {"Content-Type": "application/json", "User-Agent": "mARB"}
        connection.request("POST", path, json.dumps(told), headers)
        status = connection.getresponse().status
    if not 200 <= status < 300:
        raise http.client.HTTPException(f"answered {status}")


def check_url(url: str) -> SplitResult:
    """Take a webhook's address apart. Raises Refused with a sentence for whoever typed it."""
    try:
        parts = urlsplit(url)
        port = parts.port
    except ValueError:
        raise Refused("The address is not a URL.") from None
    if parts.scheme != "https" and not (parts.scheme == "http" and is_exempt(parts.hostname)):
        raise Refused("A webhook's address begins with https://.")
    if not parts.hostname or parts.username or parts.password or port == 0 or any(c.isspace() for c in url):
        raise Refused("A webhook's address names a host, without a user or password in it.")
    return parts


def is_exempt(host: str | None) -> bool:
    return host in settings.ALERT_WEBHOOK_HOSTS


def resolve(host: str, port: int) -> str:
    """Get a host's address. Raises Refused where any of its addresses is not public."""
    found = [str(info[4][0]) for info in socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)]
    if not is_exempt(host) and not all(is_public(address) for address in found):
        raise Refused("The webhook's host has an address inside a private network.")
    return found[0]


def is_public(address: str) -> bool:
    parsed = ipaddress.ip_address(address.partition("%")[0])
    inner = getattr(parsed, "ipv4_mapped", None) or parsed
    return inner.is_global and not inner.is_multicast


class Pinned(http.client.HTTPSConnection):
    """HTTPS to an address that was resolved and checked before; the certificate is the host's."""

    def __init__(self, host: str, address: str, port: int):
        super().__init__(host, port, timeout=TIMEOUT_SECONDS)
        self.address = address
        self.certificates = ssl.create_default_context()

    def connect(self) -> None:
        plain = socket.create_connection((self.address, self.port), TIMEOUT_SECONDS)
        self.sock = self.certificates.wrap_socket(plain, server_hostname=self.host)


def connect(parts: SplitResult, address: str, port: int) -> http.client.HTTPConnection:
    host = parts.hostname or ""
    if parts.scheme == "https":
        return Pinned(host, address, port)
    return http.client.HTTPConnection(address, port, timeout=TIMEOUT_SECONDS)
