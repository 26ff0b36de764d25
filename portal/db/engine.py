"""How the engine connects to SQLite and to PostgreSQL."""

from __future__ import annotations

import sqlite3
from typing import Any

from sqlalchemy import event
from sqlalchemy.engine import Connection, Engine, make_url

CONNECTION_SECONDS = 3600
"""How long a connection to SQLite is used: it knows of its tables what was known as it began."""
WRITE_TIMEOUT_SECONDS = 30.0
"""How long a writer on SQLite waits for another one; on PostgreSQL, as long as it takes."""
PLANNING = "-c random_page_cost=1.1 -c max_parallel_workers_per_gather=0"
"""What PostgreSQL assumes of its disk by default is older than SSDs: it would read whole tables
where an index holds what is asked. And parallel workers take longer to start than a page may take,
from cores on which other pages are made."""


def engine_options(database_url: str) -> dict[str, Any]:
    """A PostgreSQL that is away is noticed within seconds, and its return costs no request. What
    the address itself says goes first.

    The values of a failed statement stay out of its error, and so out of the log.
    """
    url = make_url(database_url)
    if url.get_backend_name() == "sqlite":
        return {"hide_parameters": True, "pool_recycle": CONNECTION_SECONDS}
    wanted = {"connect_timeout": "3", "tcp_user_timeout": "10000", "options": PLANNING}
    return {
        "hide_parameters": True,
        "pool_pre_ping": True,
        "connect_args": {name: wanted[name] for name in wanted if name not in url.query},
    }


def tune_sqlite(engine: Engine) -> None:
    """WAL so that readers and the writer do not wait for each other; see `transaction`."""

    @event.listens_for(engine, "connect")
    def _connect(connection: sqlite3.Connection, _record: object) -> None:
        connection.isolation_level = None  # the driver's own BEGIN comes too late
        cursor = connection.cursor()
        for pragma in (
            f"busy_timeout = {int(WRITE_TIMEOUT_SECONDS * 1000)}",
            "journal_mode = WAL",
            "synchronous = NORMAL",
            "foreign_keys = ON",
        ):
            cursor.execute(f"PRAGMA {pragma}")
        cursor.close()

    @event.listens_for(engine, "begin")
    def _begin(connection: Connection) -> None:
        options = connection.get_execution_options()
        milliseconds = int(options.get("timeout", WRITE_TIMEOUT_SECONDS) * 1000)
        if connection.info.get("busy_timeout") != milliseconds:
            connection.exec_driver_sql(f"PRAGMA busy_timeout = {milliseconds}")
            connection.info["busy_timeout"] = milliseconds
        connection.exec_driver_sql(options.get("sqlite_begin", "BEGIN"))
