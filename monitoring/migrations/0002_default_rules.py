"""The first rules, with the thresholds of the founding documents; a person may change them afterwards."""

from django.db import migrations

# name, metric, comparison, threshold, severity, window in seconds, fires after, clears after, advice
RULES = [
    ("Throughput low", "throughput", "below", 6667, "warning", 120, 4, 2,
     "Start more ingest workers, or see which statements are slow."),
    ("CPU high", "cpu", "above", 90, "warning", 300, 4, 2, "Add workers on another machine."),
    ("Memory high", "memory", "above", 85, "critical", 120, 2, 2, "See the checkpoints with the highest deltas."),
    ("Disk nearly full", "disk", "above", 90, "critical", 120, 2, 2, "Free space, or give the volume more."),
    ("Process memory high", "process_memory", "above", 1024, "warning", 120, 2, 2,
     "See the checkpoints with the highest deltas."),
    ("Connection pool saturated", "pool", "above", 90, "critical", 60, 2, 2, "Raise DATABASE_POOL_MAX."),
    ("PostgreSQL connections nearly used up", "connections", "above", 90, "critical", 60, 2, 2,
     "Lower the pools or raise max_connections."),
    ("Cache hit rate low", "hit_rate", "below", 80, "warning", 300, 4, 2, "See the hit rates by kind."),
    ("Error rate high", "errors", "above", 5, "critical", 300, 2, 2, "See the endpoints with errors and the web's log."),
    ("Answers slow (p95)", "latency_p95", "above", 200, "warning", 300, 4, 2, "See the slowest endpoints."),
    ("Answers slow (p99)", "latency_p99", "above", 500, "critical", 300, 4, 2, "See the slowest endpoints."),
    ("Statements slow (p95)", "query_p95", "above", 100, "warning", 300, 4, 2, "See the slow statements and plans."),
    ("Actors fail", "failures", "above", 5, "critical", 300, 2, 2, "See the actors with failures and their log."),
    ("No progress", "stalled", "above", 300, "critical", 60, 1, 1, "See whether workers are alive; retry the file."),
    ("Messages wait", "queue_wait", "above", 300, "warning", 60, 2, 2, "Start more workers of that queue."),
    ("Dead letters", "dead_letters", "above", 0, "warning", 60, 1, 1, "Send them again from the page of dead letters."),
    ("Process lost", "lost_processes", "above", 0, "warning", 600, 1, 1, "See its log; the supervisor starts another."),
]
FIELDS = (
    "name", "metric", "comparison", "threshold", "severity", "window_seconds", "fire_after", "clear_after", "advice",
)


def create(apps, schema_editor):
    rule = apps.get_model("monitoring", "AlertRule")
    for values in RULES:
        row = dict(zip(FIELDS, values, strict=True))
        rule.objects.get_or_create(name=row.pop("name"), defaults=row)


class Migration(migrations.Migration):
    dependencies = [("monitoring", "0001_initial")]
    operations = [migrations.RunPython(create, migrations.RunPython.noop)]
