"""Risk of denial: committed claims to committed scores, a what-if, training, and patterns over many lines.

The claims are those of a sample with planted causes of denial, taken in by the belt with their remittances. Before the
clock runs a model is trained on them and put to use and their patterns are found, so that a score has every part. The
lines that patterns are searched in are the practice's own, copied in SQL to as many as asked under other claims, in a
practice of their own. Memory is the most that this process ever held, up to the end of each work.
"""

import resource
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from statistics import median
from typing import Any

from django.core.management import CommandError
from django.db import connection

from claims.models import Claim
from episodes.sample.plants import PLANTS
from episodes.sample.writer import PlantedSample
from marb.access.models import Practice
from monitoring.bench.figures import Figure, Target
from monitoring.bench.files import UNTIL
from monitoring.bench.house import empty
from monitoring.bench.loading import Team
from risk import whatif
from risk.model.training import train_practice
from risk.patterns import detect
from risk.score import score_practice

SEED = 5
WHAT_IFS = 50
SEARCHED = ((300_000, Target(2, "s", at_most=True)), (3_000_000, Target(20, "s", at_most=True)))
SCORED, ASKED = Target(5, "s", at_most=True), Target(20, "ms", at_most=True)
TRAINED = Target(60, "s", at_most=True)
COLUMNS = (
    *("service_line_id", "remittance_id", "payer_id", "billing_provider_id", "rendering_provider_id"),
    *("procedure_code", "modifiers", "diagnosis", "place_of_service_code", "claim_frequency", "has_authorization"),
    *("is_duplicate", "days_to_submission", "charge_amount", "service_date", "submitted_date", "adjudicated_date"),
    *("is_denied", "carcs", "denied_amount"),
)
COPY_LINES = f"""
INSERT INTO risk_adjudicatedline (practice_id, claim_id, {", ".join(COLUMNS)})
SELECT %(to)s, claim_id + copy * (SELECT max(claim_id) FROM risk_adjudicatedline WHERE practice_id = %(practice)s),
    {", ".join(COLUMNS)}
FROM generate_series(1, %(copies)s) copy, risk_adjudicatedline WHERE practice_id = %(practice)s
ORDER BY copy, id LIMIT %(lines)s
"""


def write_files(folder: Path, claims: int) -> list[Path]:
    """Write the files of a sample with planted causes, in the order in which they are sent."""
    found = []
    for name, text in PlantedSample(claims, SEED, UNTIL, PLANTS).files():
        found.append(folder / name)
        found[-1].write_bytes(text.encode("ascii"))
    return found


def measure(team: Team, paths: list[Path], runs: int) -> Iterator[Figure]:
    """Take the files in, and measure each work `runs` times on what they became."""
    team.load([path for path in paths if "835" not in path.name])
    team.load([path for path in paths if "835" in path.name])
    analyze()
    practice_id, claims = team.practice_id, Claim.objects.count()
    yield train(practice_id, claims, runs)
    detect(practice_id, None)
    analyze()
    yield score(practice_id, claims, runs)
    yield ask(practice_id)
    for lines, target in SEARCHED:
        yield search(practice_id, lines, target, runs)


def train(practice_id: int, claims: int, runs: int) -> Figure:
    """The first model is put to use; each run trains one more that is held against it."""
    outcome = train_practice(practice_id)
    if outcome.model is None:
        raise CommandError(outcome.sentence)
    answered = sum(part["claims"] for part in outcome.model.card["window"].values())
    seconds = [timed(lambda: train_practice(practice_id)) for _ in range(runs)]
    details = {"claims": claims, "megabytes": megabytes(), "roc_auc": outcome.model.card["metrics"]["roc_auc"]}
    return Figure("risk", "training on answered claims", answered, seconds, median(seconds), TRAINED, details)


def score(practice_id: int, claims: int, runs: int) -> Figure:
    """Score every claim anew; the rows of the run before are taken away."""
    seconds = []
    for _ in range(runs + 1):
        empty(("risk_riskscore",))
        seconds.append(timed(lambda: score_practice(practice_id, again=True)))
    # the first one reads the past and finds the causes of every month
    details = {"seconds_of_the_first": round(seconds[0], 2), "megabytes": megabytes()}
    work = "committed claims to committed scores with reasons, one process"
    return Figure("risk", work, claims, seconds[1:], median(seconds[1:]), SCORED, details)


def ask(practice_id: int) -> Figure:
    """Ask what a claim would score with an authorization, of claims all over the practice."""
    step = max(1, Claim.objects.count() // WHAT_IFS)
    ids = list(Claim.objects.filter(practice_id=practice_id).order_by("id").values_list("id", flat=True))[::step]
    change = {"prior_authorization_number": "A1"}
    seconds = [timed(lambda asked=asked: whatif.ask(practice_id, asked, change)) for asked in ids]  # type: ignore[misc]
    value = 1_000 * median(seconds)
    return Figure("risk", "a what-if of one claim, before and after", len(ids), [sum(seconds)], value, ASKED)


def search(practice_id: int, lines: int, target: Target, runs: int) -> Figure:
    """Search a practice of so many lines, and write what is found."""
    other = Practice.objects.create(code=f"lines{lines}", name=f"{lines:,} lines").pk
    with connection.cursor() as cursor:
        cursor.execute("SELECT count(*) FROM risk_adjudicatedline WHERE practice_id = %s", [practice_id])
        copies = -(-lines // max(1, cursor.fetchone()[0]))
        cursor.execute(COPY_LINES, {"practice": practice_id, "to": other, "copies": copies, "lines": lines})
    analyze()
    seconds = [timed(lambda: detect(other, None)) for _ in range(runs)]
    details = {"patterns": detect(other, None).found, "megabytes": megabytes()}
    return Figure("risk", "patterns over adjudicated lines", lines, seconds, median(seconds), target, details)


def analyze() -> None:
    with connection.cursor() as cursor:
        cursor.execute("ANALYZE")


def timed(work: Callable[[], Any]) -> float:
    started = time.monotonic()
    work()
    return time.monotonic() - started


def megabytes() -> int:
    return round(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024)
