"""`manage.py loadtest`: make requests to a running server, so many at once, and tell what the answers came to.

It reads only. It stops after `--requests` of each endpoint or after `--seconds`, whichever is first, and refuses any
address but this machine's unless `--remote` is said. Exit status 1 where a request failed.
"""

import ipaddress
import json
import random
import sys
from argparse import ArgumentParser, ArgumentTypeError
from collections.abc import Callable, Iterator
from itertools import islice
from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError

from monitoring.traffic.connection import Address, read_address, write_request
from monitoring.traffic.drive import Run, Shot, drive_closed, drive_open
from monitoring.traffic.mix import API, Known, name_route, requests_of
from monitoring.traffic.person import HINT, Headers, NotAnswered, discover, signed_in
from monitoring.traffic.summary import as_csv, as_document, as_text, summarize

MOST_CONCURRENT = 1_000
MOST_REQUESTS = 1_000_000
MOST_SECONDS = 3_600
MOST_RATE = 10_000
HEALTH = f"{API}/health/"
# where no endpoints are named: health, three lists, and the newest claim
LISTS = [f"{API}/claims/", f"{API}/remits/", f"{API}/episodes/"]


def between(least: int, most: int) -> Callable[[str], int]:
    def read(text: str) -> int:
        if not text.isascii() or not text.isdigit() or not least <= int(text) <= most:
            raise ArgumentTypeError(f"a whole number from {least} to {most:,}")
        return int(text)

    return read


class Command(BaseCommand):
    help = __doc__
    requires_system_checks = []

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("--base-url", default="http://localhost:8000", metavar="URL", help="default: %(default)s")
        parser.add_argument("--concurrent", type=between(1, MOST_CONCURRENT), default=10, metavar="N")
        count = between(1, MOST_REQUESTS)
        parser.add_argument(
            "--requests", type=count, default=100, metavar="N", help="of each endpoint; in all with --mix"
        )
        which = parser.add_mutually_exclusive_group()
        which.add_argument("--endpoints", nargs="+", metavar="PATH", help="default: health, lists and a claim")
        which.add_argument("--mix", action="store_true", help="what billers, managers and integrations ask, mixed")
        seconds = between(1, MOST_SECONDS)
        parser.add_argument("--seconds", type=seconds, default=60, metavar="N", help="stop after; default: %(default)s")
        parser.add_argument(
            "--rate", type=between(1, MOST_RATE), metavar="N", help="so many a second, whether or not answers come"
        )
        parser.add_argument("--json", action="store_true", help="print one JSON object")
        parser.add_argument("--csv", type=Path, metavar="FILE", help="write a row per endpoint")
        parser.add_argument("--remote", action="store_true", help="the address may be another machine, and is ours")

    def handle(self, *args: Any, **options: Any) -> None:
        try:
            address = read_address(options["base_url"])
            if not options["remote"] and not is_loopback(address.host):
                raise CommandError(f"{address.host} is not this machine. Say --remote where you may load it.")
            with signed_in(address) as headers:
                run = self.drive(address, headers, options)
        except (ValueError, NotAnswered) as error:
            raise CommandError(str(error)) from error
        summary = summarize(run.outcomes, run.seconds)
        if options["csv"]:
            options["csv"].write_text(as_csv(summary))
        self.stdout.write(json.dumps(as_document(summary)) if options["json"] else as_text(summary))
        if summary.overall.errors:
            sys.exit(1)

    def drive(self, address: Address, headers: Headers, options: dict[str, Any]) -> Run:
        shots = self.shots(address, headers, options)
        if options["rate"]:
            return drive_open(
                address, shots, options["rate"], seconds=options["seconds"], connections=options["concurrent"]
            )
        return drive_closed(address, shots, options["concurrent"], seconds=options["seconds"])

    def shots(self, address: Address, headers: Headers, options: dict[str, Any]) -> Iterator[Shot]:
        if options["mix"]:
            if not headers:
                raise CommandError(f"The mix is people's: {HINT}.")
            return islice(mixed(address, headers, discover(address, headers)), options["requests"])
        paths = [with_slash(path) for path in options["endpoints"] or self.choose(address, headers)]
        once = [Shot(name_route(path), write_request(address, path, headers)) for path in paths]
        return (shot for _ in range(options["requests"]) for shot in once)

    def choose(self, address: Address, headers: Headers) -> list[str]:
        """The endpoints where none are named; only health for a stranger."""
        if not headers:
            self.stderr.write(f"Only {HEALTH}, which strangers may read: {HINT} for the others.")
            return [HEALTH]
        claims = discover(address, headers).values.get("claims", [])
        return [HEALTH, *LISTS, *(f"{API}/claims/{pk}/" for pk in claims[:1])]


def mixed(address: Address, headers: Headers, known: Known) -> Iterator[Shot]:
    for ask, path in requests_of(known, random.Random()):
        yield Shot(ask.name, write_request(address, path, headers, method=ask.method))


def with_slash(path: str) -> str:
    """The path as the product spells it: with a slash before and after."""
    route, mark, query = path.partition("?")
    return f"/{route.strip('/')}/{mark}{query}" if route.strip("/") else f"/{mark}{query}"


def is_loopback(host: str) -> bool:
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"
