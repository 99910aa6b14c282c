"""What a process measures of itself, and how it is handed on.

Every heavy operation wears `checkpoint` or `measured`; requests, statements and actors are timed by their middleware.
All of it is summed in this process (ledger) and handed on every few seconds by one thread (flusher) to the sink that
MEASURE_SINK names, which is monitoring's. A kill loses at most what one flush holds; a clean stop loses nothing.
With MONITORING=off nothing is measured. Nothing here may break what it measures.

    start(role)                     in each process that lives: web, worker, ingest, scheduler
    stop()                          hands on the rest; also done by itself at a clean end
    record(kind, name, seconds)     one timed thing
    count(name, number, label)      a counter
    gauge(name, value, label)       a gauge
    checkpoint(operation, **ids)    memory round a heavy operation; mark(name) notes a point of the open one
    measured(...)                   decorator: time, memory, a log line where it was slow
"""

from marb.core.measure.checkpoints import checkpoint, mark
from marb.core.measure.flusher import start, stop
from marb.core.measure.process import count, gauge, is_on, record
from marb.core.measure.timing import measured

__all__ = ["checkpoint", "count", "gauge", "is_on", "mark", "measured", "record", "start", "stop"]
