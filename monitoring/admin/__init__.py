"""The control room's rows in the admin, a superuser's: measures (measures), alerts (alerts), schedules (schedules)."""

from monitoring.admin import alerts, measures, schedules

__all__ = ["alerts", "measures", "schedules"]
