"""The control room's own rows: what was measured (measures), and what is wrong (alerts). No row holds PHI."""

from monitoring.models.alerts import Alert, AlertRule, AlertTarget, Comparison, Notice, Severity
from monitoring.models.measures import Checkpoint, Process, Sample, ScheduledJob, Span, Statement, Timing

__all__ = [
    "Alert",
    "AlertRule",
    "AlertTarget",
    "Checkpoint",
    "Comparison",
    "Notice",
    "Process",
    "Sample",
    "ScheduledJob",
    "Severity",
    "Span",
    "Statement",
    "Timing",
]
