"""The portal proves to PostgreSQL and to Redis who it is, over TLS: by a certificate of its own and
by its password. With a wrong one, or with none, it says what the matter is."""

from __future__ import annotations

import time
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import psycopg
import pytest
from psycopg import sql
from redis import Redis

from portal import queue
from portal.config import Settings
from portal.core import create_core
from tactical_simulator.transport.tls import make_certificate
from tests.cli.conftest import Portal
from tests.supervisor.test_worker import OwnRedis
from tests.support.apps import wait_for_redis
from tests.support.databases import connect
from tests.support.processes import PLAIN, server_folder
from tests.support.tls_relay import tls_relay

pytestmark = pytest.mark.one_database

ROLE, PASSWORD = "portal_elsewhere", "a-long-password"
SOCKET = ".s.PGSQL.5432"
SECONDS_TO_RELOAD = 20


class Proofs:
    """The files of TLS: the authority that the portal trusts, and its own certificate."""

    def __init__(self, folder: Path) -> None:
        self.server, self.client = make_certificate(), make_certificate(host="portal")
        self.authority, self.certificate = folder / "ca.pem", folder / "portal.pem"
        self.key, self.others = folder / "portal.key", folder / "others.pem"
        self.key.touch(mode=0o600)
        files = (self.authority, self.certificate, self.key, self.others)
        contents = (self.server[0], *self.client, make_certificate()[0])
        for path, content in zip(files, contents, strict=True):
            path.write_bytes(content)


@pytest.fixture
def proofs(tmp_path: Path) -> Proofs:
    return Proofs(tmp_path)


@pytest.fixture
def strict_postgres(postgres_database: str, proofs: Proofs) -> Iterator[int]:
    """The port of a server that demands the role's password, and the portal's certificate."""
    rules = server_folder() / "postgres" / "pg_hba.conf"
    others = rules.read_text()
    rules.write_text(f"local all {ROLE} scram-sha-256\n{others}")
    with connect("postgres") as connection:
        names = {"role": sql.Identifier(ROLE), "plain": sql.Identifier(PLAIN)}
        made = "CREATE ROLE {role} LOGIN PASSWORD {password} IN ROLE {plain}"
        connection.execute(sql.SQL(made).format(**names, password=sql.Literal(PASSWORD)))
        connection.execute("SELECT pg_reload_conf()")
        _wait_until_strict(postgres_database)
        with tls_relay(server_folder() / SOCKET, *proofs.server, proofs.client[0]) as port:
            yield port
        rules.write_text(others)
        connection.execute("SELECT pg_reload_conf()")
        connection.execute(sql.SQL("DROP ROLE {role}").format(**names))


def _wait_until_strict(database: str) -> None:
    give_up = time.monotonic() + SECONDS_TO_RELOAD
    while time.monotonic() < give_up:
        try:
            psycopg.connect(host=str(server_folder()), user=ROLE, dbname=database).close()
        except psycopg.OperationalError:
            return
    pytest.fail("The server takes the role without its password.")


def test_postgresql_gets_a_password_and_a_certificate(
    portal: Portal,
    strict_postgres: int,
    postgres_database: str,
    proofs: Proofs,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    own = f"&sslcert={proofs.certificate}&sslkey={proofs.key}"

    def call(password: str, authority: Path, certificate: str) -> tuple[int, str]:
        monkeypatch.setenv(
            "DATABASE_URL",
            f"postgresql://{ROLE}:{password}@127.0.0.1:{strict_postgres}/{postgres_database}"
            f"?sslmode=verify-full&sslrootcert={authority}{certificate}",
        )
        said = portal("tenants", "list")
        assert password not in said.out + said.err
        return said.exit_code, said.err

    assert call(PASSWORD, proofs.authority, own) == (0, "")
    for wrong, what in (
        (("a-wrong-password", proofs.authority, own), "password authentication failed"),
        ((PASSWORD, proofs.authority, ""), "certificate required"),
        ((PASSWORD, proofs.others, own), "certificate verify failed"),
    ):
        code, words = call(*wrong)
        assert (code, words.count("\n")) == (1, 1), words
        assert what in words


@pytest.fixture
def strict_redis(tmp_path: Path, proofs: Proofs) -> Iterator[int]:
    """The port of a server that demands a password of everybody, and the portal's certificate."""
    own = OwnRedis(tmp_path)
    with Redis.from_url(own.url) as redis:
        wait_for_redis(redis)
        redis.acl_setuser("portal", enabled=True, passwords=[f"+{PASSWORD}"], keys=["*"],
                          commands=["+@all"])  # fmt: skip
        redis.config_set("requirepass", "another-password")
    with tls_relay(tmp_path / "redis.sock", *proofs.server, proofs.client[0]) as port:
        yield port
    own.kill()


def test_redis_gets_a_password_and_a_certificate(
    settings: Settings, strict_redis: int, proofs: Proofs, caplog: pytest.LogCaptureFixture
) -> None:
    own = f"&ssl_certfile={proofs.certificate}&ssl_keyfile={proofs.key}"

    def enqueue(user: str, authority: Path, certificate: str) -> bool:
        caplog.clear()
        url = f"rediss://{user}127.0.0.1:{strict_redis}/0?ssl_ca_certs={authority}{certificate}"
        with create_core(replace(settings, redis_url=url)).app_context():
            return queue.enqueue("keep_alive", 1, 2)

    for user in (f"portal:{PASSWORD}@", ":another-password@"):
        assert enqueue(user, proofs.authority, own)
    for wrong, what in (
        (("portal:a-wrong-password@", proofs.authority, own), "Redis refuses"),
        (("", proofs.authority, own), "Redis refuses"),
        ((f"portal:{PASSWORD}@", proofs.authority, ""), "Redis is away"),
        ((f"portal:{PASSWORD}@", proofs.others, own), "certificate verify failed"),
    ):
        assert not enqueue(*wrong)
        assert what in caplog.text
        assert "password@" not in caplog.text
