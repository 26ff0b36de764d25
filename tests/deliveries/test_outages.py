"""Redis or the database away: a delivery is kept without the one, and refused without the other."""

from __future__ import annotations

import socket
import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
from psycopg import sql
from sqlalchemy.engine import make_url

from portal import queue
from portal.services import tick
from portal.services.deliveries import intake as intake_service
from portal.services.webhook import keys
from tests.deliveries.conftest import SENT, Intake
from tests.support.databases import connect, end_other_connections

BODY = str(SENT).replace("'", '"').encode()


def note_jobs(monkeypatch: pytest.MonkeyPatch, name: str, answer: bool) -> list[tuple[Any, ...]]:
    """What is handed to RQ from now on, in place of doing so."""
    jobs: list[tuple[Any, ...]] = []

    def note(*job: Any) -> bool:
        jobs.append(job)
        return answer

    monkeypatch.setattr(queue, name, note)
    return jobs


class TestWithoutRedis:
    @pytest.fixture(params=["gone", "hanging"])
    def redis_url(self, request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[str]:
        with socket.socket(socket.AF_UNIX) as listener:
            if request.param == "hanging":  # it takes connections and never answers
                listener.bind(str(tmp_path / "r.sock"))
                listener.listen(8)
            yield f"unix://{tmp_path / 'r.sock'}"

    def test_a_delivery_is_kept_and_processed_when_redis_is_back(
        self, intake: Intake, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        assert intake.post(BODY).status_code == 202
        assert intake.count() == 1
        jobs = note_jobs(monkeypatch, "enqueue", True)
        with intake.app.app_context():
            tick.tick()
        assert ("process_deliveries", intake.tenant_id) in jobs

    @pytest.mark.one_database
    def test_it_is_not_asked_for_each_delivery(
        self, intake: Intake, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        asked = note_jobs(monkeypatch, "enqueue_quickly", False)
        monkeypatch.setattr(intake_service, "REQUEST_EVERY_SECONDS", 0.0)
        for _ in range(20):
            assert intake.post(BODY).status_code == 202
        assert len(asked) == 1


@contextmanager
def database_away(url: str) -> Iterator[None]:
    """SQLite: another process holds the write lock. PostgreSQL: it ends and refuses connections."""
    parts = make_url(url)
    if parts.get_backend_name() == "sqlite":
        holder = sqlite3.connect(parts.database or "", isolation_level=None)
        holder.execute("BEGIN IMMEDIATE")
        try:
            yield
        finally:
            holder.close()
        return
    allow = sql.SQL("ALTER DATABASE {} ALLOW_CONNECTIONS {}")
    name = sql.Identifier(parts.database or "")
    with connect("postgres") as elsewhere, connect(parts.database or "") as inside:
        elsewhere.execute(allow.format(name, sql.SQL("false")))
        try:
            end_other_connections(inside)
            yield
        finally:
            elsewhere.execute(allow.format(name, sql.SQL("true")))


def test_without_the_database_it_says_so_and_soon(
    intake: Intake, database_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(intake_service, "COMMIT_TIMEOUT_SECONDS", 0.1)
    monkeypatch.setattr(keys, "LAST_USE_TIMEOUT_SECONDS", 0.1)
    with database_away(database_url):
        answer = intake.post(BODY)
        assert answer.status_code == 503
        assert "database does not answer" in answer.get_json()["message"]
    assert intake.post(BODY).status_code == 202
    assert intake.count() == 1


def test_a_known_sender_is_told_the_same(
    intake: Intake, database_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The secret is still in memory: it is the storing that fails."""
    monkeypatch.setattr(intake_service, "COMMIT_TIMEOUT_SECONDS", 0.1)
    intake.post(BODY)
    with database_away(database_url):
        assert intake.post(BODY).status_code == 503
    assert intake.post(BODY).status_code == 202
    assert intake.count() == 2


def test_the_patience_is_less_than_tacticals() -> None:
    """A delivery may wait behind another one that waits, and for the note of the secret's use."""
    waits = 2 * intake_service.COMMIT_TIMEOUT_SECONDS + keys.LAST_USE_TIMEOUT_SECONDS
    assert waits + queue.QUICK_REDIS_TIMEOUT_SECONDS < 8


@pytest.mark.one_database
def test_an_error_tells_the_log_nothing_of_the_delivery(
    intake: Intake,
    database_url: str,
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
) -> None:
    monkeypatch.setattr(intake_service, "COMMIT_TIMEOUT_SECONDS", 0.1)
    with database_away(database_url):
        intake.post(BODY)
    assert "could not be stored" in caplog.text
    assert SENT["agent_id"] not in caplog.text
