"""The folder of a fault run: the files to work off, the calm runs, and a row for each scenario as soon as it is done.

A run that is broken off goes on from its folder: `plan.json` says what it was a run of, and another plan begins anew.
"""

import json
import shutil
from pathlib import Path
from typing import Any, NamedTuple

from django.core.management import call_command

from monitoring.bench.files import write_pair
from monitoring.faults.cases import FULL, SHORT, Amount, Load
from monitoring.faults.outcome import Outcome
from monitoring.faults.runner import ALONE, LARGE, PAIR, SMALL, Result


class Plan(NamedTuple):
    """What a run is a run of. `times` bounds what is done many times."""

    seed: int
    is_short: bool
    claims: int
    chunk_claims: int
    times: int | None

    @property
    def amount(self) -> Amount:
        amount = SHORT if self.is_short else FULL
        often = ("each", "kills", "restarts", "stops", "orders") if self.times else ()
        return amount._replace(**dict.fromkeys(often, self.times))


class Folder:
    """A run's folder. `take` makes it ready, `open` finds it so."""

    def __init__(self, path: Path):
        self.path = path

    def take(self, plan: Plan) -> None:
        """Keep what is there of the same plan, and nothing of another's; write the files to work off."""
        if self.path.exists() and not (self.is_ours() and self.read_plan() == plan):
            self.empty()
        for name in ("rows", "calm"):
            (self.path / name).mkdir(parents=True, exist_ok=True)
        (self.path / "plan.json").write_text(json.dumps(plan._asdict()))
        if not (self.path / "written").exists():
            self.write_files(plan)

    def is_ours(self) -> bool:
        return (self.path / "plan.json").exists()

    def empty(self) -> None:
        """Raises ValueError where the folder holds what no fault run wrote."""
        if any(self.path.iterdir()) and not self.is_ours():
            raise ValueError(f"{self.path} is not a folder of fault runs; name an empty one.")
        shutil.rmtree(self.path)

    def write_files(self, plan: Plan) -> None:
        for name in (LARGE, SMALL):
            shutil.rmtree(self.path / name, ignore_errors=True)
            (self.path / name).mkdir()
        write_pair(self.path / LARGE, plan.claims, plan.seed)
        small = 60 if plan.is_short else 500
        call_command("sample", claims=small, out=self.path / SMALL, seed=plan.seed, verbosity=0)
        (self.path / "written").touch()

    def read_plan(self) -> Plan:
        return Plan(**json.loads((self.path / "plan.json").read_text()))

    def loads(self) -> dict[str, Load]:
        """The files by the name of their load; the claims come first."""
        found = {name: Load(sorted((self.path / name).glob("*.x12"))) for name in (LARGE, SMALL)}
        small = sorted(found[SMALL].paths, key=lambda path: "835" in path.name)
        return {LARGE: found[LARGE], SMALL: Load(small), ALONE: Load(small), PAIR: one_of_each_kind(found[SMALL])}

    def keep_calm(self, name: str, outcome: Outcome) -> None:
        write(self.path / "calm" / f"{name}.json", outcome._asdict())

    def read_calm(self, name: str) -> Outcome | None:
        path = self.path / "calm" / f"{name}.json"
        return Outcome(**json.loads(path.read_text())) if path.exists() else None

    def keep(self, result: Result) -> None:
        write(self.path / "rows" / f"{result.name.replace(' ', '-')}.json", result._asdict())

    def results(self) -> dict[str, Result]:
        """The rows that are done, by name."""
        rows = (Result(**json.loads(path.read_text())) for path in (self.path / "rows").glob("*.json"))
        return {row.name: row for row in rows}


def write(path: Path, document: dict[str, Any]) -> None:
    """Write a document whole or not at all."""
    draft = path.with_suffix(".new")
    draft.write_text(json.dumps(document, indent=1))
    draft.replace(path)


def one_of_each_kind(load: Load) -> Load:
    """Choose the largest 837 and the largest 835."""
    largest = sorted(load.paths, key=lambda path: path.stat().st_size)
    paths = {b"ST*835" in path.read_bytes(): path for path in largest}
    return Load([paths[kind] for kind in sorted(paths)])
