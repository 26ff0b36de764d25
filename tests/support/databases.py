"""A migrated, empty database for each test, on SQLite and on PostgreSQL."""

from __future__ import annotations

import fcntl
import os
import shutil
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

import flask_migrate
import psycopg
import pytest
from psycopg import sql
from sqlalchemy import Engine, create_engine

from portal import create_app
from portal.config import read_settings
from portal.db import Base, db
from tests.support.keys import KEYS
from tests.support.processes import OWNER, PLAIN, ROLES, SUPERUSER, server_folder, start_postgres
from tests.support.skips import skip_or_fail

KINDS = ("sqlite", "postgresql")
IS_DEEP = os.environ.get("DEEP") == "1"
POSTGRES_START_SECONDS = 20
TEMPLATE = "portal_template"
"""Migrated by the first worker that asks for a database; that of each is a copy of it."""


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    if "database_kind" in metafunc.fixturenames:
        metafunc.parametrize("database_kind", choose_kinds(metafunc.definition))


def choose_kinds(test: pytest.Item) -> Sequence[str]:
    """Whatever reaches the database runs on both kinds, unless it is marked: `one_database` is on
    SQLite, `mainly("postgresql")` on that kind; `make test-deep` has those on both."""
    if test.get_closest_marker("one_database"):
        return KINDS[:1]
    mainly = test.get_closest_marker("mainly")
    return mainly.args if mainly and not IS_DEEP else KINDS


@pytest.fixture
def database_url(database_kind: str, request: pytest.FixtureRequest) -> str:
    url: str = request.getfixturevalue(f"{database_kind}_url")
    return url


@pytest.fixture
def sqlite_url(sqlite_template: Path) -> str:
    """The file of this worker, made anew: whoever has the last one open keeps that."""
    used = sqlite_template.with_name("used.db")
    for ending in ("", "-wal", "-shm"):
        used.with_name(used.name + ending).unlink(missing_ok=True)
    shutil.copyfile(sqlite_template, used)
    return f"sqlite:///{used}"


@pytest.fixture(scope="session")
def sqlite_template(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("template")
    shared = server_folder() / "template.db"
    with only_one_at("template.db"):
        if not shared.exists():
            migrate_database(f"sqlite:///{folder / 'portal.db'}", folder)
            shutil.move(folder / "portal.db", shared)
    return Path(shutil.copyfile(shared, folder / "portal.db"))


@pytest.fixture
def postgresql_url(postgres_database: str, wiper: Wiper) -> str:
    """The database of this worker, wiped: fifty times quicker than a clone of a template."""
    wiper.wipe()
    return postgres_url(postgres_database)


class Wiper:
    """Keeps its connection, because a new one reads the catalogue anew: that takes most of the time
    of a wipe."""

    def __init__(self, database: str) -> None:
        self.database = database
        self.connection = self._connect()

    def wipe(self) -> None:
        try:
            self._wipe()
        except psycopg.OperationalError:  # a test ended all connections, or the server
            self.connection = self._connect()
            self._wipe()

    def _connect(self) -> psycopg.Connection:
        connection = connect(self.database)
        connection.execute("SET session_replication_role = replica")  # any order will do
        return connection

    def _wipe(self) -> None:
        end_other_connections(self.connection)
        delete = sql.SQL("DELETE FROM {}")
        names = [sql.Identifier(table.name) for table in Base.metadata.sorted_tables]
        self.connection.execute(sql.SQL("; ").join(map(delete.format, names)))


@pytest.fixture(scope="session")
def wiper(postgres_database: str) -> Iterator[Wiper]:
    wiper = Wiper(postgres_database)
    yield wiper
    wiper.connection.close()


@pytest.fixture(scope="session")
def postgres_database(
    postgres_server: None, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[str]:
    name = "portal_" + os.environ.get("PYTEST_XDIST_WORKER", "main")
    with only_one_at(TEMPLATE):
        if not has_database(TEMPLATE):
            create_database(TEMPLATE)
            folder, owner = tmp_path_factory.mktemp("migrating"), postgres_url(TEMPLATE, OWNER)
            migrate_database(postgres_url(TEMPLATE), folder, DATABASE_OWNER_URL=owner)
        create_database(name, template=TEMPLATE)
    yield name
    drop_database(name)


@pytest.fixture(params=KINDS)
def empty_database_url(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[str]:
    """A database without a table, of either kind: for tests of the migrations."""
    if request.param == "sqlite":
        yield f"sqlite:///{tmp_path / 'empty.db'}"
        return
    request.getfixturevalue("postgres_server")
    name = "empty_" + os.environ.get("PYTEST_XDIST_WORKER", "main")
    create_database(name)
    yield postgres_url(name, OWNER)
    drop_database(name)


@pytest.fixture(scope="session")
def postgres_server() -> None:
    """Starts the server of this run, and waits. Skips, or fails in CI, where it cannot start."""
    start_postgres()
    give_up = time.monotonic() + POSTGRES_START_SECONDS
    while time.monotonic() < give_up:
        try:
            make_roles()
        except psycopg.OperationalError:
            time.sleep(0.05)
        else:
            return
    log = (server_folder() / "postgres.log").read_text(errors="replace").strip()
    last_line = log.splitlines()[-1] if log else "no output"
    skip_or_fail("PORTAL_REQUIRE_POSTGRES", f"PostgreSQL does not start here: {last_line}")


def make_roles() -> None:
    """By the first worker that reaches the server; each sees that the portal's own is a plain one,
    without which no test on PostgreSQL would show that it keeps tenants apart."""
    with connect("postgres") as connection:
        connection.execute("SELECT pg_advisory_lock(1)")
        query = "SELECT rolsuper OR rolbypassrls FROM pg_roles WHERE rolname = %s"
        if connection.execute(query, (PLAIN,)).fetchone() is None:
            connection.execute(ROLES)
        assert connection.execute(query, (PLAIN,)).fetchone() == (False,)


def connect(database: str) -> psycopg.Connection:
    """As the superuser, whom nothing holds."""
    return psycopg.connect(
        host=str(server_folder()), user=SUPERUSER, dbname=database, autocommit=True
    )


@contextmanager
def superuser_engine() -> Iterator[Engine]:
    """On the application's database."""
    if db.engine.dialect.name == "sqlite":
        yield db.engine
        return
    engine = create_engine(db.engine.url.set(username=SUPERUSER))
    try:
        yield engine
    finally:
        engine.dispose()


def postgres_url(database: str, role: str = PLAIN) -> str:
    return f"postgresql://{role}@/{database}?host={server_folder()}"


@contextmanager
def only_one_at(name: str) -> Iterator[None]:
    """Of the workers of this run: the others wait, and find what the first one made."""
    with (server_folder() / f"{name}.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield


def has_database(name: str) -> bool:
    with connect("postgres") as connection:
        query = "SELECT FROM pg_database WHERE datname = %s"
        return connection.execute(query, (name,)).fetchone() is not None


def create_database(name: str, owner: str = OWNER, template: str = "template1") -> None:
    statement = sql.SQL("CREATE DATABASE {} OWNER {} TEMPLATE {}")
    names = map(sql.Identifier, (name, owner, template))
    with connect("postgres") as connection:
        connection.execute(statement.format(*names))


def drop_database(name: str) -> None:
    statement = sql.SQL("DROP DATABASE {} WITH (FORCE)")
    with connect("postgres") as connection:
        connection.execute(statement.format(sql.Identifier(name)))


def end_other_connections(connection: psycopg.Connection) -> None:
    """An earlier test that left one open must not keep this one waiting for its locks."""
    connection.execute(
        "SELECT pg_terminate_backend(pid) FROM pg_stat_activity"
        " WHERE datname = current_database() AND pid <> pg_backend_pid()"
    )


def migrate_database(url: str, folder: Path, **more: str) -> None:
    settings = read_settings({**KEYS, "DATABASE_URL": url, "PORTAL_DATA_DIR": str(folder), **more})
    app = create_app(settings)
    with app.app_context():
        flask_migrate.upgrade()
        db.engine.dispose()
