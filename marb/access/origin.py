"""Where a request comes from: the client's address behind NUM_PROXIES trusted proxies, and the request's id.

X-Forwarded-For is written by whoever likes; only as many of its last entries are believed as there are proxies of ours.
"""

import ipaddress
import re
import uuid

from django.conf import settings
from django.http import HttpRequest

REQUEST_ID = re.compile(r"[A-Za-z0-9-]{8,64}")
# a household or office has a /64 to itself
NETWORK_BITS = 64


def address_of(request: HttpRequest) -> str:
    """Get the client's address; "" where there is none that can be believed."""
    proxies = settings.REST_FRAMEWORK["NUM_PROXIES"]
    address = request.META.get("REMOTE_ADDR", "")
    forwarded = request.META.get("HTTP_X_FORWARDED_FOR", "")
    if proxies and forwarded:
        hops = forwarded.split(",")
        address = hops[-min(proxies, len(hops))].strip()
    return plain_address(address)


def plain_address(text: str) -> str:
    try:
        address = ipaddress.ip_address(text.partition("%")[0])
    except ValueError:
        return ""
    mapped = getattr(address, "ipv4_mapped", None)
    return str(mapped or address)


def network_of(address: str) -> str:
    """Get what is counted for an address: itself for IPv4, its /64 for IPv6."""
    if ":" not in address:
        return address
    return str(ipaddress.ip_network((address, NETWORK_BITS), strict=False).network_address)


def request_id_of(request: HttpRequest) -> str:
    """Get the id that a proxy of ours gave the request, or make one."""
    given = request.META.get("HTTP_X_REQUEST_ID", "")
    if settings.REST_FRAMEWORK["NUM_PROXIES"] and REQUEST_ID.fullmatch(given):
        return str(given)
    return uuid.uuid4().hex
