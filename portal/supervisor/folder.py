"""The data folder: writable, and used by one portal at a time."""

from __future__ import annotations

import fcntl
import os
from pathlib import Path
from typing import IO

from portal.errors import ConfigError


def lock_folder(folder: Path) -> IO[str]:
    """Make the folder and hold it until the returned file is closed or the process ends.

    Raises ConfigError when it cannot be written or another portal holds it.
    """
    try:
        folder.mkdir(parents=True, exist_ok=True, mode=0o700)
        file = (folder / "portal.lock").open("a+")
    except OSError as error:
        raise ConfigError(
            f"The data folder {folder} cannot be written to ({error.strerror}). "
            "Set PORTAL_DATA_DIR to another folder."
        ) from error
    try:
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError as error:
        holder = _read_holder(file)
        file.close()
        raise ConfigError(
            f"The portal is already running on the data folder {folder}{holder}. "
            "Stop it first, or set PORTAL_DATA_DIR to another folder."
        ) from error
    file.truncate(0)
    file.write(f"{os.getpid()}\n")
    file.flush()
    return file


def _read_holder(file: IO[str]) -> str:
    file.seek(0)
    pid = file.read().strip()
    return f" (process {pid})" if pid else ""


def private_folder(folder: Path) -> Path:
    """A folder that only this user can enter. Raises ConfigError when it is somebody else's."""
    folder.mkdir(parents=True, exist_ok=True, mode=0o700)
    status = folder.lstat()
    if status.st_uid != os.geteuid() or folder.is_symlink():
        raise ConfigError(f"The folder {folder} belongs to another user. Remove it.")
    folder.chmod(0o700)
    return folder
