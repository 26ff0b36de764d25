"""Migrated, empty databases to measure on: SQLite in a file, PostgreSQL of the wheel.

    with database("postgresql") as url: ...

PostgreSQL runs with its own settings, so it writes what it commits to the disk.
"""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from flask import Flask

from portal.config import read_settings
from portal.core import create_core
from portal.db import db
from tests.support.keys import KEYS
from tests.support.processes import (
    OWNER,
    PLAIN,
    ROLES,
    SUPERUSER,
    die_with_parent,
    postgres_command,
)

KINDS = ("sqlite", "postgresql")
START_SECONDS = 30


@contextmanager
def database(kind: str) -> Iterator[str]:
    """The address of a migrated database without a row, gone at the end of the block."""
    with tempfile.TemporaryDirectory(prefix="pb-") as name:  # short: a socket's path is limited
        folder = Path(name)
        if kind == "sqlite":
            yield _migrated(f"sqlite:///{folder / 'portal.db'}")
            return
        with _postgres(folder):
            yield _migrated(
                f"postgresql://{PLAIN}@/postgres?host={folder}",
                f"postgresql://{OWNER}@/postgres?host={folder}",
            )


def make_core(url: str, owner_url: str = "") -> Flask:
    """What a worker of a portal on the database runs in; it may reach servers of this machine."""
    folder = Path(tempfile.gettempdir(), f"portal-benchmarks-{os.getuid()}")
    folder.mkdir(mode=0o700, exist_ok=True)  # the portal takes none that is open to others
    known = {**KEYS, "DATABASE_URL": url, "PORTAL_DATA_DIR": str(folder)}
    known["DATABASE_OWNER_URL"] = owner_url
    return create_core(read_settings({**known, "PORTAL_EGRESS_ALLOW": "127.0.0.0/8"}))


def _migrated(url: str, owner_url: str = "") -> str:
    from portal.services.database import upgrade_database  # noqa: PLC0415  # 9 MB that a worker has not

    app = make_core(url, owner_url)
    upgrade_database(app)
    with app.app_context():
        db.engine.dispose()
    return url


@contextmanager
def _postgres(folder: Path) -> Iterator[None]:
    with (folder / "postgres.log").open("wb") as log:
        server = subprocess.Popen(
            postgres_command(folder),
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=log,
            start_new_session=True,
            preexec_fn=die_with_parent if sys.platform == "linux" else None,
        )
    try:
        _wait_for(folder)
        yield
    finally:
        server.send_signal(signal.SIGINT)
        server.wait()


def _wait_for(folder: Path) -> None:
    import psycopg  # noqa: PLC0415  # a measured process on SQLite has none of it

    give_up = time.monotonic() + START_SECONDS
    while True:
        try:
            made = f"{ROLES}; ALTER DATABASE postgres OWNER TO {OWNER}"
            with psycopg.connect(host=str(folder), user=SUPERUSER, dbname="postgres") as connection:
                connection.execute(made)
        except psycopg.OperationalError:
            if time.monotonic() > give_up:
                raise
            time.sleep(0.05)
        else:
            return
