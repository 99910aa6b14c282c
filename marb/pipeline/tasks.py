"""What the scheduler (`manage.py crontab`) loads: by its convention a module `tasks`. The actors are in actors.py."""

from marb.pipeline import actors

__all__ = ["actors"]
