"""`manage.py faults [--short|--full] [--only F1,F3] [--seed S] [--lanes N] [--results FOLDER]`: break the belt in every
known way and compare the rows with those of a calm run.

Scenarios run side by side, each lane with services of its own in a folder of its own and workers as `manage.py
rundramatiq` runs them; nothing of the product's data is touched. With --results a row is kept as soon as it is there,
and the same command goes on where it was broken off. Exit status 1 where a law was broken, or the rows differ.
"""

import json
import logging
import os
import random
import signal
import sys
import tempfile
from argparse import ArgumentParser
from pathlib import Path
from typing import Any

from django.conf import settings
from django.core.management import call_command
from django.core.management.base import BaseCommand, CommandError

from marb.core.embedded.program import NotStarted
from marb.core.embedded.supervisor import Stopped, Supervisor
from monitoring.faults.folder import Folder, Plan
from monitoring.faults.lanes import MARK, Lanes
from monitoring.faults.runner import BY_NAME, CALM, Result, Runner, chosen
from monitoring.faults.stand import Stand

SHOWN = 5
HEAD = "| fault | injections | violations | digest | longest recovery, s | seconds |\n|---|---|---|---|---|---|"


class Command(BaseCommand):
    help = "Break the belt in every known way and compare its rows with a calm run's."
    requires_system_checks = []

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("--seed", type=int, help="the same seed breaks at the same random times")
        parser.add_argument("--only", default="", metavar="F1,F3", help="only these faults")
        size = parser.add_mutually_exclusive_group()
        size.add_argument("--short", action="store_true", help="two minutes instead of the better part of an hour")
        size.add_argument("--full", action="store_true", help="everything as often as can be (this is the default)")
        parser.add_argument("--times", type=int, help="break at most this often, where a case breaks things many times")
        parser.add_argument("--claims", type=int, help="claims that the workers load (short 200, else 100,000)")
        parser.add_argument("--chunk", type=int, help="claims in a chunk (short 20, else 1,000)")
        parser.add_argument("--lanes", type=int, default=0, help="scenarios at once (short 1, else 3)")
        parser.add_argument("--results", type=Path, metavar="FOLDER", help="keep rows here, and go on from them")

    def handle(self, *args: Any, **options: Any) -> None:
        if MARK in os.environ:
            run_lane(Folder(Path(os.environ[MARK])))
            return
        signal.signal(signal.SIGTERM, signal.default_int_handler)
        with tempfile.TemporaryDirectory(prefix="marb-faults-run-") as name:
            try:
                results = self.run(Folder(options["results"] or Path(name)), options)
            except KeyboardInterrupt:
                raise CommandError("Stopped. With --results the same command goes on from here.") from None
        self.stdout.write(as_table(results))
        raise SystemExit(0 if all(result.is_good for result in results) else 1)

    def run(self, folder: Folder, options: dict[str, Any]) -> list[Result]:
        """Run what is asked for; each row is kept and printed when its scenario is done."""
        plan = plan_of(folder, options)
        self.stdout.write(f"seed {plan.seed}, {plan.claims:,} claims, chunks of {plan.chunk_claims:,}")
        try:
            folder.take(plan)
        except ValueError as error:
            raise CommandError(str(error)) from error
        self.tell("fault", "injections", "violations", "digest", "recovery s", "seconds")
        wanted = chosen(frozenset(filter(None, options["only"].split(","))), plan.amount)
        Lanes(folder, plan, options["lanes"] or (1 if plan.is_short else 3), self.keeper(folder)).run(wanted)
        found = folder.results()
        names = [*(each.name for each in CALM.values()), *(each.name for each in wanted)]
        return [found[name] for name in BY_NAME if name in names and name in found]

    def keeper(self, folder: Folder) -> Any:
        def keep(result: Result) -> None:
            folder.keep(result)
            self.show(result)

        return keep

    def show(self, result: Result) -> None:
        digest = "equal" if not result.differences else "DIFFERS"
        counts = (str(result.injections), str(len(result.violations)), digest)
        self.tell(result.name, *counts, f"{result.recovery:.1f}", f"{result.seconds:.1f}")
        for sentence in [*result.violations[:SHOWN], *result.differences[:SHOWN]]:
            self.stdout.write(f"    {sentence}")
        self.stdout.flush()

    def tell(self, name: str, *columns: str) -> None:
        self.stdout.write(f"{name:<20}" + "".join(f"{column:>12}" for column in columns))


def plan_of(folder: Folder, options: dict[str, Any]) -> Plan:
    """What is asked for. The seed of a run that is gone on with is its own."""
    is_short = options["short"]
    earlier = folder.read_plan().seed if folder.is_ours() else random.randrange(10**6)
    seed = earlier if options["seed"] is None else options["seed"]
    claims, chunk = options["claims"] or (200 if is_short else 100_000), options["chunk"] or (20 if is_short else 1_000)
    return Plan(seed, is_short, claims, chunk, options["times"])


def run_lane(folder: Folder) -> None:
    """Be a lane: a stand of our own, a scenario for each line that comes, a row for each."""
    # what is broken on purpose is told of by the table
    logging.disable(logging.CRITICAL)
    out, sys.stdout = sys.stdout, sys.stderr
    plan, stand_folder = folder.read_plan(), settings.VAR_DIR
    try:
        with Supervisor(stand_folder, lambda told: None) as supervisor:
            stand = Stand(supervisor, stand_folder, settings.EDI_CHUNK_CLAIMS)
            call_command("migrate", interactive=False, verbosity=0)
            runner = Runner(stand, plan.amount, plan.seed, folder.loads(), plan.chunk_claims)
            for line in sys.stdin:
                print(json.dumps(run_one(runner, folder, line.strip())._asdict()), file=out, flush=True)
    except NotStarted as error:
        raise CommandError(str(error)) from error
    except Stopped as stopped:
        raise CommandError(f"Stopped by {stopped}.", returncode=130) from None


def run_one(runner: Runner, folder: Folder, name: str) -> Result:
    scenario = BY_NAME[name]
    is_calm = scenario in CALM.values()
    calm = None if is_calm else folder.read_calm(scenario.load)
    if scenario.load and not is_calm and calm is None:
        return Result(name, 0, ["there is no calm run to compare with"], [], 0.0, 0.0)
    result, outcome = runner.run(scenario, calm)
    if is_calm and result.is_good:
        folder.keep_calm(scenario.load, outcome)
    return result


def as_table(results: list[Result]) -> str:
    """The rows in Markdown."""
    lines = [HEAD]
    for row in results:
        digest = "equal" if not row.differences else "differs"
        numbers = f"{row.injections} | {len(row.violations)} | {digest} | {row.recovery:.1f} | {row.seconds:.0f}"
        lines.append(f"| {row.name} | {numbers} |")
    return "\n".join(lines)
