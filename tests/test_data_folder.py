"""Nobody else on the machine reads what the portal writes."""

from __future__ import annotations

import logging
import os
import signal
import stat
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from portal import create_app
from portal.config import Settings, read_settings
from portal.data_folder import keep_private
from portal.db import db
from portal.errors import ConfigError
from portal.services.database import prepare_database
from tests.support.running import free_port, running_portal


@pytest.fixture(autouse=True)
def usual_umask() -> Iterator[None]:
    """That of a service manager or a login."""
    before = os.umask(0o022)
    yield
    os.umask(before)


@pytest.fixture
def loose(tmp_path: Path) -> Path:
    """A folder that was made beforehand, as `mkdir /var/lib/portal` does."""
    folder = tmp_path / "portal"
    folder.mkdir()
    assert mode(folder) == 0o755
    return folder


def mode(path: Path) -> int:
    return stat.S_IMODE(path.lstat().st_mode)


def of(folder: Path, **environ: str) -> Settings:
    return read_settings({"PORTAL_DATA_DIR": str(folder), **environ})


def open_files(folder: Path) -> list[str]:
    """What somebody else may read, write or enter, the folder itself included."""
    return sorted(str(path) for path in (folder, *folder.rglob("*")) if mode(path) & 0o077)


@pytest.mark.servers
def test_all_that_a_running_portal_writes_is_its_users_alone(loose: Path) -> None:
    (loose / "portal.db").touch()  # as an earlier version left it; its companions take its mode
    with running_portal(loose, free_port()) as portal:
        portal.wait_for("one-time token")
        written = {path.name for path in loose.rglob("*")}
        assert written >= {"portal.db", "portal.db-wal", "portal.db-shm", "encryption.keys"}
        assert written >= {"server.log", "appendonlydir", "portal.lock"}
        assert open_files(loose) == []
        assert portal.end(signal.SIGTERM) == 0
    told = [line for line in portal.lines if "open to other users" in line]
    assert len(told) == 1
    assert str(loose) in told[0]
    assert open_files(loose) == []


@pytest.mark.servers
def test_a_command_too_writes_for_its_user_alone(loose: Path) -> None:
    app = create_app(of(loose))
    with app.app_context():
        prepare_database()
        db.engine.dispose()
    assert {path.name for path in loose.iterdir()} >= {"portal.db", "keys"}
    assert open_files(loose) == []


def test_a_database_elsewhere_is_closed_too(tmp_path: Path) -> None:
    database = tmp_path / "elsewhere.db"
    for suffix in ("", "-wal", "-shm"):
        database.with_name(database.name + suffix).touch()
    keep_private(of(tmp_path / "none", DATABASE_URL=f"sqlite:///{database}"))
    assert [mode(path) for path in tmp_path.iterdir()] == [0o600] * 3


@pytest.mark.servers
def test_logs_of_a_gunicorn_started_by_hand_are_its_users_alone(tmp_path: Path) -> None:
    code = (
        "import portal.supervisor.gunicorn_config, pathlib, sys; pathlib.Path(sys.argv[1]).touch()"
    )
    subprocess.run([sys.executable, "-c", code, str(tmp_path / "access.log")], check=True)
    assert mode(tmp_path / "access.log") == 0o600


def test_a_folder_with_other_peoples_things_is_left_and_refused(loose: Path) -> None:
    (loose / "thesis.txt").touch()
    (loose / "portal.db").touch()
    with pytest.raises(ConfigError, match=f"chmod 700 {loose}") as refused:
        keep_private(of(loose))
    assert "PORTAL_DATA_DIR" in refused.value.message
    assert "\n" not in refused.value.message
    assert mode(loose) == 0o755
    loose.chmod(0o700)
    keep_private(of(loose))


def test_a_folder_that_everybody_shares_is_never_closed(loose: Path) -> None:
    loose.chmod(0o1777)
    with pytest.raises(ConfigError, match="not the portal's alone"):
        keep_private(of(loose))
    assert mode(loose) == 0o1777


def test_a_folder_of_somebody_else_is_refused(loose: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(self: Path, mode: int) -> None:
        raise PermissionError(1, "Operation not permitted")

    monkeypatch.setattr(Path, "chmod", refuse)
    with pytest.raises(ConfigError, match="belongs to one of them"):
        keep_private(of(loose))


def test_a_link_out_of_the_folder_is_not_followed(loose: Path, tmp_path: Path) -> None:
    outside = tmp_path / "outside"
    outside.touch()
    (loose / "keys").mkdir()
    (loose / "keys" / "link").symlink_to(outside)
    (loose / "redis").symlink_to(tmp_path)
    keep_private(of(loose))
    assert mode(outside) == 0o644


def test_a_private_folder_is_no_news(loose: Path, caplog: pytest.LogCaptureFixture) -> None:
    loose.chmod(0o700)
    with caplog.at_level(logging.INFO):
        keep_private(of(loose))
    assert caplog.text == ""
