from __future__ import annotations

import os
import signal
import socket
import sys
import time
import urllib.request
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

import pytest
from sqlalchemy import create_engine, text

from portal import queue
from portal.config import read_settings
from portal.supervisor import run
from portal.supervisor.supervisor import Supervisor
from tests.support.running import (
    RunningPortal,
    descendants,
    free_port,
    running_portal,
    survivors,
)

READY = "The portal is at"
PARTS = 1 + 3 + 9 + 1
"""Redis, the web server and its two workers, nine workers, the scheduler."""

pytestmark = [
    pytest.mark.servers,
    pytest.mark.skipif(sys.platform != "linux", reason="looks into /proc"),
]


@pytest.fixture
def portal(tmp_path: Path) -> Iterator[RunningPortal]:
    with running_portal(tmp_path / "var", free_port()) as portal:
        portal.wait_for(READY)
        yield portal


def settled(portal: RunningPortal, parts: int) -> dict[int, str]:
    """Its processes, once there are as many as meant: while a worker has a job there is one
    more, and one fewer while a part is started again."""
    give_up = time.monotonic() + 10
    while len(found := descendants(portal.process.pid)) != parts:
        assert time.monotonic() < give_up, f"{len(found)} processes, not {parts}"
        time.sleep(0.05)
    return found


def test_it_serves_pages_and_offers_to_make_the_first_user(portal: RunningPortal) -> None:
    port = portal.environ["PORTAL_PORT"]
    with urllib.request.urlopen(f"http://127.0.0.1:{port}/livez") as answer:
        assert answer.status == 200
    portal.wait_for(f"http://localhost:{port}/setup")
    token = portal.wait_for("one-time token: ").rpartition(" ")[2]
    assert len(token) >= 20


def test_ctrl_c_stops_every_child_and_the_data_survive(
    portal: RunningPortal, tmp_path: Path
) -> None:
    portal.wait_for("one-time token")
    settings = read_settings(portal.environ)
    with queue.connect(settings) as redis:
        redis.set("kept", "yes")
    children = settled(portal, PARTS)

    assert portal.end(signal.SIGINT) == 0
    assert survivors(children, seconds=0.5) == set()

    engine = create_engine(settings.database_url)
    with engine.begin() as connection:
        connection.execute(text("INSERT INTO install_settings VALUES ('kept', 'yes')"))
    with running_portal(tmp_path / "var", free_port()) as again:
        again.wait_for("one-time token")
        with queue.connect(settings) as redis:
            assert redis.get("kept") == b"yes"
        with engine.connect() as connection:
            kept = text("SELECT value FROM install_settings WHERE key = 'kept'")
            assert connection.scalar(kept) == "yes"
        assert again.end(signal.SIGTERM) == 0
    engine.dispose()


def test_a_killed_supervisor_leaves_no_child(portal: RunningPortal) -> None:
    portal.wait_for("one-time token")
    children = settled(portal, PARTS)
    portal.end(signal.SIGKILL)
    assert survivors(children) == set()


def test_a_second_start_on_the_same_folder_is_refused(
    portal: RunningPortal, tmp_path: Path
) -> None:
    with running_portal(tmp_path / "var", free_port()) as second:
        assert second.process.wait(30) == 1
        second.wait_for(f"is already running on the data folder {tmp_path / 'var'}")
        assert len(second.lines) == 1


def test_a_dead_child_is_started_again(portal: RunningPortal) -> None:
    portal.wait_for("one-time token")
    before = descendants(portal.process.pid)
    for pid in before:
        with suppress(ProcessLookupError):  # a job that was done meanwhile
            os.kill(pid, signal.SIGKILL)
    for name in ("redis", "web", "asked-1", "quick-2", "steady", "bulk", "events", "scheduler"):
        portal.wait_for(f"{name} ended (SIGKILL), starting it again in 0.5 s")
    assert survivors(before) == set()
    settled(portal, PARTS)
    assert portal.end(signal.SIGINT) == 0


def test_a_second_signal_kills_what_does_not_stop(portal: RunningPortal) -> None:
    portal.wait_for("one-time token")
    children = descendants(portal.process.pid)
    for pid in children:
        os.kill(pid, signal.SIGSTOP)
    portal.process.send_signal(signal.SIGINT)
    portal.wait_for("stopping")
    assert portal.end(signal.SIGINT, seconds=3) == 0
    assert survivors(children, seconds=0.5) == set()


def test_it_runs_on_postgresql_and_a_redis_of_its_own(
    postgresql_url: str, redis_url: str, tmp_path: Path
) -> None:
    servers = {"DATABASE_URL": postgresql_url, "REDIS_URL": redis_url}
    with running_portal(tmp_path / "var", free_port(), **servers) as portal:
        portal.wait_for("one-time token")
        settled(portal, PARTS - 1)
        assert portal.end(signal.SIGTERM) == 0
    assert not (tmp_path / "var" / "portal.db").exists()
    assert not (tmp_path / "var" / "redis").exists()


def test_a_busy_port_is_named_in_one_line(tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        with running_portal(tmp_path / "var", port) as portal:
            assert portal.process.wait(30) == 1
            portal.wait_for(f"Port {port} is in use on 127.0.0.1")
    assert len(portal.lines) == 1
    assert "PORTAL_PORT" in portal.output


def test_a_folder_that_cannot_be_written_is_named_in_one_line(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    with running_portal(tmp_path / "file" / "var", free_port()) as portal:
        assert portal.process.wait(30) == 1
        portal.wait_for(f"The data folder {tmp_path / 'file' / 'var'} cannot be written to")
    assert len(portal.lines) == 1
    assert "PORTAL_DATA_DIR" in portal.output


def test_what_it_starts_does_not_get_the_address_of_the_tables_owner(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    seen: list[str | None] = []

    def start(*_arguments: object, **_options: object) -> None:
        seen.append(os.environ.get("DATABASE_OWNER_URL"))

    monkeypatch.setenv("PORTAL_DATA_DIR", str(tmp_path / "data"))
    monkeypatch.setenv("PORTAL_PORT", str(free_port()))
    monkeypatch.setenv("DATABASE_OWNER_URL", "postgresql://owner:secret@localhost/portal")
    monkeypatch.setattr(run, "_start", start)
    monkeypatch.setattr(run, "set_up_logging", lambda _settings: None)
    for name in ("handle_signals", "watch", "stop"):
        monkeypatch.setattr(Supervisor, name, lambda _self: None)
    run.run_portal()

    assert seen == [None]
