"""The API from outside, under the product's web server: every row of its table, all of them in one run."""

from collections.abc import Callable

from monitoring.bench import answers, crowd, inside
from monitoring.bench.figures import Figure
from monitoring.bench.server import serving
from monitoring.bench.stage import Scope, Stage, furnish, write_small

# depth comes last: it makes the table large
OUTSIDE: tuple[Callable[[Stage], list[Figure]], ...] = (
    answers.measure_shares,
    answers.measure_lists,
    answers.measure_writing,
    answers.measure_dashboard,
    crowd.measure,
    answers.measure_depth,
)


def measure(scope: Scope) -> list[Figure]:
    people, bodies = furnish(scope), write_small(scope)
    with serving(scope.folder / "counting", counting=True) as server:
        counted = inside.measure(Stage(scope, server, people, bodies))
    with serving(scope.folder / "web") as server:
        stage = Stage(scope, server, people, bodies)
        return [figure for part in OUTSIDE for figure in part(stage)] + counted
