"""`manage.py up`: the whole product on this machine, in one command; it ends with Ctrl-C and leaves nothing behind.

Starts the embedded services (unless DATABASE_URL, BROKER_URL and CACHE_URL name others), prepares the database, starts
web, workers and scheduler; when there is no file yet, it loads the samples' fee schedule and contracts, and hands the
samples to the workers. With `--once` it serves nothing: the workers take in the samples, a summary is printed,
everything is stopped.
"""

import sys
import time
from pathlib import Path
from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError, CommandParser

from marb.core.embedded import product, servers, summary
from marb.core.embedded.folder import Busy, Foreign
from marb.core.embedded.program import NotStarted
from marb.core.embedded.supervisor import Stopped, Supervisor

# --once gives up when nothing at all has moved for this long
STANDSTILL_SECONDS = 300
SAMPLE_SCHEDULE = "Synthetic 2026"


class Command(BaseCommand):
    help = __doc__
    requires_system_checks = []

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--once", action="store_true", help="take in the samples, print a summary and stop")
        parser.add_argument("--port", type=int, help="the web's port; without it the first free one from 8000 on")
        parser.add_argument(
            "--samples", type=Path, default=settings.BASE_DIR / "samples", help="a folder of *.x12 files, and fees"
        )
        parser.add_argument("--no-samples", action="store_true", help="begin empty")

    def handle(self, **options: Any) -> None:
        self.base, self.var = settings.BASE_DIR, settings.VAR_DIR
        self.samples = [] if options["no_samples"] else sorted(map(str, options["samples"].glob("*.x12")))
        self.fees = options["samples"] / "fees"
        try:
            with Supervisor(self.var, self.say) as self.supervisor:
                self.start()
                self.once() if options["once"] else self.serve(options["port"])
        except Stopped:
            self.say("\nStopped.")
        except (Busy, Foreign, NotStarted, OSError) as error:
            raise CommandError(str(error)) from error

    def start(self) -> None:
        found = servers.start(self.supervisor, settings.EMBEDDED_SHARED_BUFFERS_MB)
        self.database_url = found.database_url
        self.environ = {**servers.environ(found), "MARB_VAR": str(self.var)}
        self.manage("prepare")

    def start_workers(self) -> None:
        for group in product.QUEUES:
            self.supervisor.start(product.worker(self.base, self.var, self.environ, group))
        self.supervisor.start(product.scheduler(self.base, self.var, self.environ))

    def manage(self, *words: str) -> int:
        """Run a management command to its end; `prepare` must succeed."""
        status = self.supervisor.run(product.command(self.base, self.environ, *words))
        if status and words[0] == "prepare":
            raise CommandError("The database could not be prepared; see above.")
        return status

    def serve(self, preferred: int | None) -> None:
        port, self.claim = product.claim_port(preferred)
        web = product.web(self.base, self.var, self.environ, port)
        self.supervisor.start(web)
        if not product.wait_web(port, self.supervisor.watch):
            raise NotStarted(web)
        self.tell_where(port)
        # only now: a person waits for the pages, and each worker costs a core's second to start
        self.start_workers()
        if self.samples and not summary.ask(self.database_url, summary.ANY_FILE):
            self.ingest()
        while True:
            self.supervisor.watch()
            time.sleep(0.2)

    def ingest(self) -> int:
        """Hand the samples to the workers, priced by the fees beside them; answer the status of `manage.py ingest`."""
        if self.fees.is_dir():
            self.manage("load_fee_schedule", SAMPLE_SCHEDULE, "--folder", str(self.fees), "-v0")
            contracts, agreed = (str(self.fees / name) for name in ("contracts.csv", "contract_fees.csv"))
            self.manage("load_contracts", contracts, "--fees", agreed, "-v0")
        return self.manage("ingest", *self.samples, "--queue")

    def tell_where(self, port: int) -> None:
        self.say(f"\n  mARB serves at http://localhost:{port}/ (its API below /api/v1/). Ctrl-C stops everything.\n")
        for state in servers.states(self.var):
            self.say(f"  {state.name:<22}{state.place}")
        self.say(f"  {'logs':<22}{self.var / 'log'}\n")

    def once(self) -> None:
        if not self.samples:
            raise CommandError("There are no samples to take in.")
        self.start_workers()
        status = self.ingest()
        unfinished = self.wait_finished()
        self.say(summary.write_table(summary.count_all(self.database_url)))
        if unfinished:
            raise CommandError(f"{unfinished} files were left unfinished; see {self.var / 'log'}.")
        if status:
            raise CommandError("Not every sample was taken in; see above.")

    def wait_finished(self) -> int:
        """Wait until every file is finished or nothing moves any more; answer how many files are not."""
        moved_at, progress = time.monotonic(), -1
        while unfinished := summary.ask(self.database_url, summary.UNFINISHED):
            now = summary.ask(self.database_url, summary.PROGRESS)
            if now != progress:
                moved_at, progress = time.monotonic(), now
            elif time.monotonic() - moved_at > STANDSTILL_SECONDS:
                break
            self.supervisor.watch()
            time.sleep(0.2)
        return unfinished

    def say(self, text: str) -> None:
        self.stdout.write(text)
        sys.stdout.flush()
