"""What the scheduler process loads by itself (dramatiq-crontab imports each app's `tasks`), and no other process does.

Every app's actors, so that their schedules are known and listed, and the measuring of the scheduler itself: its
heartbeat.
"""

import logging

from django.db import DatabaseError

from marb.core import measure
from marb.core.logs import plain_reason
from monitoring import schedules

schedules.load()
try:
    schedules.keep()
except DatabaseError as error:
    # the next roll-up lists them
    logging.getLogger(__name__).warning("the schedules cannot be listed now: %s", plain_reason(error))
measure.start("scheduler")
