"""What the portal writes is for its own user alone: the database, keys, Redis' files, logs."""

from __future__ import annotations

import logging
import os
import stat
from collections.abc import Iterator
from pathlib import Path

from sqlalchemy.engine import make_url

from portal.config import Settings
from portal.errors import ConfigError

log = logging.getLogger(__name__)

UMASK = 0o077
PARTS = ("portal.db", "portal.lock", "keys", "redis", "demo", "demo.json")
"""What the portal puts into its data folder; SQLite's companions begin like their database."""
COMPANIONS = ("", "-wal", "-shm", "-journal")


def keep_private(settings: Settings) -> None:
    """From here on this process writes for its user alone; what lies open already is closed.

    Called first by whatever runs the portal. A folder that was made beforehand is often open
    to everybody, and what an earlier version wrote into it is too. Raises ConfigError for a
    folder that cannot be closed, or that holds other things than the portal's.
    """
    os.umask(UMASK)
    folder = settings.data_dir
    if folder.is_dir() and _is_open(folder):
        _check_ours(folder)
        _close(folder)
        log.warning("The data folder %s was open to other users; now it is not.", folder)
    for path in _list_files(settings):
        if _is_open(path):
            _close(path)


def _check_ours(folder: Path) -> None:
    """Nobody wants to find /tmp or a home closed because a setting named it."""
    try:
        foreign = [path.name for path in folder.iterdir() if not path.name.startswith(PARTS)]
    except OSError as error:
        raise ConfigError(f"The data folder {folder} cannot be read: {error.strerror}.") from error
    if foreign or stat.S_IMODE(folder.stat().st_mode) & stat.S_ISVTX:
        raise ConfigError(
            f"The data folder {folder} is open to other users, and not the portal's alone. Set "
            f"PORTAL_DATA_DIR to a folder of its own, or call: chmod 700 {folder}"
        )


def _list_files(settings: Settings) -> Iterator[Path]:
    """The portal's files in its folder, and the SQLite database wherever it lies."""
    for part in PARTS:
        path = settings.data_dir / part
        yield from (path, *path.rglob("*")) if path.is_dir() and not path.is_symlink() else (path,)
    database = make_url(settings.database_url).database or ""
    if settings.is_sqlite and database:
        yield from (Path(f"{database}{suffix}") for suffix in COMPANIONS)


def _is_open(path: Path) -> bool:
    """Whether anybody but the owner may do anything with it. False for what cannot be looked at,
    which whoever needs it will report."""
    try:
        mode = path.lstat().st_mode
    except OSError:
        return False
    return not stat.S_ISLNK(mode) and bool(stat.S_IMODE(mode) & UMASK)


def _close(path: Path) -> None:
    try:
        path.chmod(stat.S_IMODE(path.stat().st_mode) & ~UMASK)
    except FileNotFoundError:
        pass  # Redis renames, SQLite removes
    except OSError as error:
        raise ConfigError(
            f"{path} is open to other users and belongs to one of them ({error.strerror}). Give "
            f"it to the portal's user, or call: chmod go= {path}"
        ) from error
