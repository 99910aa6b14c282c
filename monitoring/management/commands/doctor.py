"""`manage.py doctor`: examine the set-up, say what is wrong and what to do about it; exit status 1 where it is bad."""

import json
import sys
from argparse import ArgumentParser
from typing import Any

from django.core.management.base import BaseCommand

from monitoring.doctor.finding import Finding, State
from monitoring.doctor.runner import examine


class Command(BaseCommand):
    help = __doc__
    requires_system_checks = []

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("--json", action="store_true", help="print one JSON object per line")
        parser.add_argument("--quiet", action="store_true", help="say nothing of what is good")

    def handle(self, **options: Any) -> None:
        worst = 0
        for finding in examine():
            worst = max(worst, int(finding.state is State.BAD))
            if finding.state is not State.GOOD or not options["quiet"]:
                self.stdout.write(as_json(finding) if options["json"] else self.line(finding))
        sys.exit(worst)

    def line(self, finding: Finding) -> str:
        paint = {State.GOOD: self.style.SUCCESS, State.WARN: self.style.WARNING, State.BAD: self.style.ERROR}
        # padded before it is painted: colours have a width of their own
        text = f"{paint[finding.state](f'{finding.state.value:<5}')}{finding.subject:<13}{finding.said}"
        return f"{text} {finding.mend}".rstrip()


def as_json(finding: Finding) -> str:
    return json.dumps(finding._asdict() | {"state": finding.state.name.lower()})
