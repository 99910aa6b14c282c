"""The settings of the fault tests and of the workers they start: failpoints armed, chaos among the middleware.

Nothing but monitoring.faults names this module.
"""

from marb.settings import *  # noqa: F403
from marb.settings import DRAMATIQ_BROKER

FAILPOINTS = True
DRAMATIQ_BROKER["MIDDLEWARE"] = [
    "monitoring.faults.chaos.Skew",
    "monitoring.faults.chaos.Twice",
    *DRAMATIQ_BROKER["MIDDLEWARE"],
]
