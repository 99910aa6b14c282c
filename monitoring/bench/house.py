"""A database for one bench: made, migrated and dropped by it. Child processes find it by DATABASE_URL.

It lies on the server that the product uses, so its durability settings are the product's. What was left behind by a
bench that was killed is named bench_<process id> and can be dropped by hand.
"""

import os
from collections.abc import Iterator
from contextlib import contextmanager
from urllib.parse import urlsplit

import psycopg
from django.conf import settings
from django.core.management import call_command
from django.db import connection, transaction
from psycopg import sql

from marb.access.models import Practice

# everything that a file leaves behind, but for payers and providers: those are known after the first file
ROWS = (
    *("episodes_episoderemittance", "episodes_episodeclaim", "episodes_episode"),
    *("claims_serviceline", "claims_claim"),
    *("remits_adjustment", "remits_remittanceline", "remits_remittance"),
    *("remits_provideradjustment", "remits_payment"),
    *("pipeline_quarantine", "pipeline_finding", "pipeline_chunk", "pipeline_transactionset"),
    *("pipeline_fileblock", "pipeline_edifile"),
)
FEES = settings.BASE_DIR / "samples" / "fees"
EPISODES, LINKS = ROWS[:3], ROWS[:1]


@contextmanager
def scratch_database() -> Iterator[int]:
    """Make the database, use it for all connections of this process and its children, drop it. Yields a practice id."""
    before, name = connection.settings_dict["NAME"], f"bench_{os.getpid()}"
    said = os.environ.get("DATABASE_URL", "")
    url = said or settings.EMBEDDED.database_url
    with psycopg.connect(at(url, "postgres"), autocommit=True) as server:
        server.execute(sql.SQL("CREATE DATABASE {}").format(sql.Identifier(name)))
        try:
            use(at(url, name), name)
            call_command("migrate", verbosity=0)
            yield furnish()
        finally:
            use(said, before)
            server.execute(sql.SQL("DROP DATABASE {} WITH (FORCE)").format(sql.Identifier(name)))


def furnish() -> int:
    """Make the practice, with the fee schedule and the contracts that the samples are priced by. Answers its id."""
    practice = Practice.objects.create(code="bench", name="Bench")
    call_command("load_fee_schedule", "Synthetic 2026", folder=FEES, verbosity=0)
    call_command("load_contracts", FEES / "contracts.csv", fees=FEES / "contract_fees.csv", verbosity=0)
    return practice.pk


def at(url: str, name: str) -> str:
    """The same server, another database."""
    return urlsplit(url)._replace(scheme="postgres", path=f"/{name}").geturl()


def use(url: str, name: str) -> None:
    """Turn this process and the children it starts from now on to a database."""
    connection.close()
    connection.close_pool()  # type: ignore[attr-defined]
    os.environ["DATABASE_URL"] = url
    settings.DATABASES["default"]["NAME"] = connection.settings_dict["NAME"] = name


def empty(tables: tuple[str, ...] = ROWS) -> None:
    """Take the rows of earlier runs away and start from a checkpoint, so that every run finds the same server."""
    with connection.cursor() as cursor:
        with transaction.atomic():
            # in the order in which idle processes look for work
            cursor.execute("LOCK TABLE pipeline_edifile, pipeline_chunk")
            cursor.execute(f"TRUNCATE {', '.join(tables)} CASCADE")
        cursor.execute("SELECT pg_has_role(current_user, 'pg_checkpoint', 'USAGE')")
        if cursor.fetchone()[0]:
            cursor.execute("CHECKPOINT")
