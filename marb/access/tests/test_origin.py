"""Where a request comes from, whatever is written in its headers."""

from typing import Any

import pytest
from django.test import RequestFactory

from marb.access.origin import address_of, network_of, request_id_of


def request(**meta: Any) -> Any:
    return RequestFactory().get("/", **meta)


@pytest.mark.parametrize(
    ("proxies", "forwarded", "expected"),
    [
        (0, "203.0.113.9", "192.0.2.1"),
        (1, "203.0.113.9", "203.0.113.9"),
        (1, "198.51.100.1, 203.0.113.9", "203.0.113.9"),
        (2, "198.51.100.1, 203.0.113.9", "198.51.100.1"),
        (2, "203.0.113.9", "203.0.113.9"),
        (1, "<script>", ""),
    ],
)
def test_only_our_own_proxies_are_believed(settings: Any, proxies: int, forwarded: str, expected: str) -> None:
    settings.REST_FRAMEWORK = {**settings.REST_FRAMEWORK, "NUM_PROXIES": proxies}
    assert address_of(request(REMOTE_ADDR="192.0.2.1", HTTP_X_FORWARDED_FOR=forwarded)) == expected


def test_a_household_is_counted_as_one() -> None:
    assert network_of("2001:db8:1:2:aaaa::1") == network_of("2001:db8:1:2:bbbb::9") == "2001:db8:1:2::"
    assert network_of(address_of(request(REMOTE_ADDR="::ffff:192.0.2.1"))) == "192.0.2.1"


def test_a_request_id_is_a_proxys_or_ours(settings: Any) -> None:
    given = request(HTTP_X_REQUEST_ID="abcdef-0123")
    assert request_id_of(given) != "abcdef-0123"
    settings.REST_FRAMEWORK = {**settings.REST_FRAMEWORK, "NUM_PROXIES": 1}
    assert request_id_of(given) == "abcdef-0123"
    assert len(request_id_of(request(HTTP_X_REQUEST_ID="a b\r\nc"))) == 32
