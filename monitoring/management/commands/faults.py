"""`manage.py faults [--seed S] [--only F1,F3] [--short]`: break the belt in every known way and compare the rows.

It starts services of its own in a folder of its own, and workers as `manage.py rundramatiq` runs them; nothing of the
product's data is touched. Exit status 1 where a law was broken, or the rows differ from those of the calm run.
"""

import logging
import os
import random
import shutil
import sys
import tempfile
from argparse import ArgumentParser
from pathlib import Path
from typing import Any, NoReturn

from django.conf import settings
from django.core.management import call_command
from django.core.management.base import BaseCommand, CommandError

from marb.core.embedded import addresses, servers
from marb.core.embedded.program import NotStarted
from marb.core.embedded.supervisor import Stopped, Supervisor
from monitoring.faults.cases import FULL, SHORT
from monitoring.faults.runner import Result, Runner, write_sample
from monitoring.faults.stand import LEASE_SECONDS, Stand

MARK = "MARB_FAULTS_FOLDER"
SHOWN = 5


class Command(BaseCommand):
    help = "Break the belt in every known way and compare its rows with a calm run's."
    requires_system_checks = []

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("--seed", type=int, help="the same seed breaks at the same random times")
        parser.add_argument("--only", default="", metavar="F1,F3", help="only these faults")
        parser.add_argument("--short", action="store_true", help="two minutes instead of an hour or two")
        parser.add_argument("--times", type=int, help="break at most this often, where a case breaks things many times")
        parser.add_argument("--claims", type=int, help="claims that the workers load (short 200, else 100,000)")
        parser.add_argument("--chunk", type=int, help="claims in a chunk (short 20, else 1,000)")

    def handle(self, *args: Any, **options: Any) -> None:
        if MARK not in os.environ:
            self.begin(options)
        folder = Path(os.environ[MARK])
        # what is broken on purpose is told of by the table
        logging.disable(logging.CRITICAL)
        seed = options["seed"] or random.randrange(10**6)
        self.stdout.write(f"seed {seed}")
        try:
            results = self.run(folder, seed, options)
        except NotStarted as error:
            raise CommandError(str(error)) from error
        except Stopped as stopped:
            raise CommandError(f"Stopped by {stopped}.", returncode=130) from None
        finally:
            shutil.rmtree(folder, ignore_errors=True)
        raise SystemExit(0 if all(result.is_good for result in results) else 1)

    def begin(self, options: dict[str, Any]) -> NoReturn:
        """Become the same command with the settings of the fault tests, whose addresses are those of a new folder."""
        name = tempfile.mkdtemp(prefix="marb-faults-")
        addresses.settle(Path(name))
        environ = {key: value for key, value in os.environ.items() if key not in servers.VARIABLES.values()}
        environ |= {
            MARK: name,
            "MARB_VAR": name,
            "DJANGO_SETTINGS_MODULE": "monitoring.faults.settings",
            "CHUNK_LEASE_SECONDS": str(LEASE_SECONDS),
            "CHUNK_MOST_ATTEMPTS": "1000",
            "EDI_CHUNK_CLAIMS": str(options["chunk"] or (20 if options["short"] else 1_000)),
            "LOG_LEVEL": "CRITICAL",
        }
        os.execve(sys.executable, [sys.executable, *sys.argv], environ)

    def run(self, folder: Path, seed: int, options: dict[str, Any]) -> list[Result]:
        """Run the cases on a stand of their own; each line is printed when its case is done."""
        amount = SHORT if options["short"] else FULL
        if times := options["times"]:
            often = {"each": times, "kills": times, "restarts": times, "stops": times, "orders": times}
            amount = amount._replace(**often)
        results = []
        with Supervisor(folder, self.stderr.write) as supervisor:
            stand = Stand(supervisor, folder, settings.EDI_CHUNK_CLAIMS)
            call_command("migrate", interactive=False, verbosity=0)
            claims = options["claims"] or (200 if options["short"] else 100_000)
            large = write_sample(folder / "large", claims, seed)
            small = write_sample(folder / "small", 60 if options["short"] else 500, seed)
            wanted = frozenset(filter(None, options["only"].split(",")))
            self.tell("fault", "injections", "violations", "digest", "recovery s", "seconds")
            for result in Runner(stand, amount, seed, wanted).run(large, small):
                results.append(result)
                self.show(result)
        return results

    def show(self, result: Result) -> None:
        digest = "equal" if not result.differences else "DIFFERS"
        counts = (str(result.injections), str(len(result.violations)), digest)
        self.tell(result.name, *counts, f"{result.recovery:.1f}", f"{result.seconds:.1f}")
        for sentence in [*result.violations[:SHOWN], *result.differences[:SHOWN]]:
            self.stdout.write(f"    {sentence}")
        sys.stdout.flush()

    def tell(self, name: str, *columns: str) -> None:
        self.stdout.write(f"{name:<20}" + "".join(f"{column:>12}" for column in columns))
