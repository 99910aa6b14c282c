"""The entry for the web server (granian, WSGI)."""

import os

from django.core.wsgi import get_wsgi_application

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "marb.settings")
django = get_wsgi_application()

from marb.core import measure, pool  # noqa: E402  (Django must be ready)
from marb.core.arrival import bounded  # noqa: E402

application = bounded(django)

pool.warm()
measure.start("web")
