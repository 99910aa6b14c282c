"""The settings of the web server that `manage.py bench api` starts: the product's, with the bench's own addresses.

Nothing but monitoring.bench names this module. BENCH_COUNT=on counts queries and memory, on a server of its own.
"""

from marb.settings import *  # noqa: F403
from marb.settings import MIDDLEWARE, STORAGES, env

ROOT_URLCONF = "monitoring.bench.urls"
# pages are rendered without collectstatic
STORAGES["staticfiles"] = {"BACKEND": "django.contrib.staticfiles.storage.StaticFilesStorage"}
if env.bool("BENCH_COUNT", default=False):
    MIDDLEWARE.insert(0, "monitoring.bench.counting.Counting")
