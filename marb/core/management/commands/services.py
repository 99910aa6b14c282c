"""`manage.py services start|stop|status`: the embedded PostgreSQL, broker and cache alone, left running until `stop`.

`manage.py services run -- COMMAND...` runs a command with services up and their addresses in its environment, ends
them after it, whatever happens, and answers the command's exit status.
"""

import argparse
import os
import sys
from pathlib import Path
from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError, CommandParser

from marb.core.embedded import folder, servers
from marb.core.embedded.program import NotStarted, Program
from marb.core.embedded.supervisor import Stopped, Supervisor


class Command(BaseCommand):
    help = __doc__
    requires_system_checks = []

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("action", choices=["start", "stop", "status", "run"])
        parser.add_argument("words", nargs=argparse.REMAINDER, metavar="-- COMMAND", help="what `run` runs")

    def handle(self, *, action: str, words: list[str], **options: Any) -> None:
        try:
            getattr(self, action)(settings.VAR_DIR, [word for word in words if word != "--"] if words else [])
        except (folder.Busy, folder.Foreign, NotStarted, OSError) as error:
            raise CommandError(str(error)) from error

    def start(self, var: Path, words: list[str]) -> None:
        if folder.holder(var):
            self.status(var, words)
            return
        lock = folder.hold(var)
        try:
            servers.start_detached(var, settings.EMBEDDED_SHARED_BUFFERS_MB)
        finally:
            os.close(lock)
        self.status(var, words)

    def stop(self, var: Path, words: list[str]) -> None:
        if not var.exists():
            self.stdout.write("Nothing runs here.")
            return
        lock = folder.hold(var)
        try:
            stopped = servers.stop_detached(var)
        finally:
            os.close(lock)
        self.stdout.write(f"Stopped: {', '.join(stopped)}." if stopped else "Nothing runs here.")

    def status(self, var: Path, words: list[str]) -> None:
        given = set(servers.VARIABLES) - set(servers.embedded())
        for state in servers.states(var):
            what = "given by environment" if state.name in given else self.describe(state)
            self.stdout.write(f"{state.name:<10}{state.place:<24}{what}")

    def describe(self, state: servers.State) -> str:
        return f"running, process {state.pid}" if state.pid else "not running"

    def run(self, var: Path, words: list[str]) -> None:
        if not words:
            raise CommandError("Say what to run: manage.py services run -- COMMAND")
        try:
            with Supervisor(var, self.stderr.write) as supervisor:
                found = servers.start(supervisor, settings.EMBEDDED_SHARED_BUFFERS_MB)
                environ = {**servers.environ(found), "MARB_VAR": str(var)}
                status = supervisor.run(Program(words[0], words, Path.cwd(), environ=environ))
        except Stopped as stopped:
            raise CommandError(f"Stopped by {stopped}.", returncode=130) from None
        sys.exit(status if status >= 0 else 128 - status)
