"""What the scheduler process loads by itself (dramatiq-crontab imports each app's `tasks`), and no other process does.

Every app's actors, so that their schedules are known, and the measuring of the scheduler itself: its heartbeat.
"""

from marb.core import measure
from monitoring import schedules

schedules.load()
measure.start("scheduler")
