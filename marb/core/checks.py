"""System checks of settings that cannot work, or are not safe, where HTTPS is on (that is, in production).

`manage.py check --deploy --fail-level WARNING` is clean with HTTPS=on, a key of its own, hosts and real addresses.
"""

import os
from typing import Any
from urllib.parse import urlsplit

from django.conf import settings
from django.core.checks import CheckMessage, Error, Tags, Warning, register

from marb.core.failpoints import VARIABLE

KEY_LENGTH = 50
TOKEN_LENGTH = 20
LOCAL_HOSTS = {"localhost", "127.0.0.1", "[::1]"}


@register(Tags.security, deploy=True)
def check_secret_key(**_: Any) -> list[CheckMessage]:
    """The key must come from the environment: one in a var folder is not shared by several machines."""
    if len(os.environ.get("SECRET_KEY", "")) >= KEY_LENGTH:
        return []
    hint = f"Set SECRET_KEY to at least {KEY_LENGTH} random characters, the same on every machine."
    return [Error("SECRET_KEY is not set by environment, or is too short.", hint=hint, id="core.E001")]


@register(Tags.security, deploy=True)
def check_https(**_: Any) -> list[CheckMessage]:
    if settings.HTTPS:
        return []
    hint = "Set HTTPS=on where TLS ends before the web server."
    return [Warning("Pages and cookies would travel in the clear.", hint=hint, id="core.W002")]


@register(Tags.security)
def check_debug(**_: Any) -> list[CheckMessage]:
    """Debug pages show rows: never together with HTTPS."""
    if not (settings.DEBUG and settings.HTTPS):
        return []
    return [Error("DEBUG is on where HTTPS is on: error pages would show patients' data.", id="core.E003")]


@register(Tags.security)
def check_hosts(**_: Any) -> list[CheckMessage]:
    if not settings.HTTPS:
        return []
    if "*" in settings.ALLOWED_HOSTS:
        return [Error("ALLOWED_HOSTS allows every name.", hint="Name the hosts.", id="core.E004")]
    if set(settings.ALLOWED_HOSTS) <= LOCAL_HOSTS:
        hint = "Set ALLOWED_HOSTS to the names that people type."
        return [Warning("ALLOWED_HOSTS names only this machine.", hint=hint, id="core.W005")]
    return []


@register(Tags.database)
def check_servers(**_: Any) -> list[CheckMessage]:
    """Broker and cache must be two servers: one must never evict, the other must."""
    broker, cache = urlsplit(settings.BROKER_URL), urlsplit(str(settings.CACHES["default"]["LOCATION"]))
    if not settings.HTTPS or (broker.hostname, broker.port or 6379) != (cache.hostname, cache.port or 6379):
        return []
    hint = "Give the cache a server of its own with maxmemory-policy allkeys-lru; the broker's is noeviction."
    return [Error("BROKER_URL and CACHE_URL name the same server.", hint=hint, id="core.E006")]


@register(Tags.security, deploy=True)
def check_silk(**_: Any) -> list[CheckMessage]:
    if not settings.SILK:
        return []
    hint = "Switch SILK off once what was slow is found."
    return [Warning("Requests are profiled where people work.", hint=hint, id="core.W008")]


@register(Tags.security, deploy=True)
def check_metrics(**_: Any) -> list[CheckMessage]:
    """A token that can be guessed is no lock."""
    if not settings.METRICS_TOKEN or len(settings.METRICS_TOKEN) >= TOKEN_LENGTH:
        return []
    hint = f"Set METRICS_TOKEN to at least {TOKEN_LENGTH} random characters."
    return [Warning("METRICS_TOKEN is too short.", hint=hint, id="core.W009")]


@register(Tags.security)
def check_failpoints(**_: Any) -> list[CheckMessage]:
    """Nothing may be told to die where people work."""
    if settings.FAILPOINTS and not settings.HTTPS:
        return []
    if settings.FAILPOINTS or os.environ.get(VARIABLE):
        hint = f"Unset {VARIABLE}; only the fault tests' own settings turn FAILPOINTS on."
        return [Error(f"{VARIABLE} is set, or FAILPOINTS is on.", hint=hint, id="core.E007")]
    return []
