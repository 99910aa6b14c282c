"""What a bench tells: one JSON object, or the rows of docs/PERFORMANCE.md, with the circumstances of both."""

import os
import platform
import subprocess
from typing import Any

import django
import orjson
import psycopg
from django.conf import settings
from django.db import connection

from monitoring.bench.figures import Figure, as_document, as_row

SETTINGS = (
    *("server_version", "fsync", "synchronous_commit", "full_page_writes", "wal_level", "wal_compression"),
    *("shared_buffers", "max_wal_size", "checkpoint_timeout", "jit"),
)
HEAD = "| work | target | reached | N | runs, s | details |\n|---|---|---|---|---|---|"

# measured on two cores before this product was begun, for what it is held against
TODAY = (
    "On such a box mARB 2.0 (FastAPI, one worker) answers 167 cached claims a second and 28 lists of 100; plain Django "
    "REST framework 280 claims with their lines, a constant Django view under granian 6,900."
)


def circumstances() -> dict[str, Any]:
    """Commit, versions, the server's durability settings, cores, and how busy the machine was before."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT name, current_setting(name) FROM unnest(%s::text[]) AS asked (name)", [list(SETTINGS)])
        server = dict(cursor.fetchall())
    return {
        "commit": commit(),
        "python": platform.python_version(),
        "django": django.get_version(),
        "psycopg": f"{psycopg.__version__} ({psycopg.pq.__impl__})",
        "cores": len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count(),
        "load_average": round(os.getloadavg()[0], 2),
        "chunk_claims": settings.EDI_CHUNK_CLAIMS,
        "postgresql": server,
    }


def commit() -> str:
    """The commit of the code that runs, with a + where files differ from it; empty outside of a clone."""
    asked = ["git", "-C", str(settings.BASE_DIR), "describe", "--always", "--dirty=+", "--exclude=*"]
    try:
        return subprocess.run(asked, capture_output=True, text=True, check=True).stdout.strip()
    except (OSError, subprocess.CalledProcessError):
        return ""


def as_json(figures: list[Figure], known: dict[str, Any]) -> str:
    return orjson.dumps({**known, "figures": [as_document(figure) for figure in figures]}).decode()


def as_markdown(figures: list[Figure], known: dict[str, Any]) -> str:
    server = known["postgresql"]
    told = (
        f"Commit {known['commit']}, {known['cores']} cores, load average before {known['load_average']}, "
        f"Python {known['python']}, PostgreSQL {server['server_version']} with fsync {server['fsync']}, "
        f"synchronous_commit {server['synchronous_commit']}, full_page_writes {server['full_page_writes']}, "
        f"shared_buffers {server['shared_buffers']}."
    )
    note = ["", TODAY] if any(figure.name == "api" for figure in figures) else []
    return "\n".join([told, "", HEAD, *(as_row(figure) for figure in figures), *note])


def as_lines(figures: list[Figure]) -> str:
    """One line per figure, for a person."""
    marks = {True: "reached", False: "missed", None: ""}
    return "\n".join(f"{as_row(figure)} {marks[figure.is_reached]}" for figure in figures)
