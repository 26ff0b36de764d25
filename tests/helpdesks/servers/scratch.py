"""A folder in which a server lives that is needed for some tests: no root, loopback alone."""

from __future__ import annotations

import http.client
import os
import shutil
import signal
import socket
import subprocess
import tempfile
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path

HERE = Path(__file__).parent
USER = "nobody"
PATIENCE = 90


class NotStarted(Exception):
    """The argument says what to do."""


def find_missing(packages: Sequence[str]) -> list[str]:
    """Those of Debian's that are not installed."""
    asked = ["dpkg-query", "-W", "-f", "${Package} ${db:Status-Status}\n", *packages]
    told = subprocess.run(asked, capture_output=True, text=True, check=False).stdout
    return [each for each in packages if f"{each} installed" not in told.splitlines()]


def install(packages: Sequence[str], answers: str) -> None:
    """`answers`: for debconf. Raises NotStarted where one must be root for that."""
    if not (missing := find_missing(packages)):
        return
    command = ["apt-get", "install", "-qq", "--no-install-recommends", *packages]
    if os.geteuid() != 0:
        raise NotStarted(
            f"Not installed: {', '.join(missing)}. As root, say to debconf-set-selections "
            f"“{answers}”, then run: {' '.join(command)}"
        )
    calm = os.environ | {"DEBIAN_FRONTEND": "noninteractive"}
    subprocess.run(["debconf-set-selections"], input=answers, text=True, check=True)
    subprocess.run(["apt-get", "update", "-qq"], check=True)
    subprocess.run([*command, "-y"], env=calm, check=True, stdout=subprocess.DEVNULL)


@dataclass(frozen=True, slots=True)
class Scratch:
    """What runs in it is not root's; `environment` is all that it knows of ours."""

    folder: Path
    environment: Mapping[str, str] = field(default_factory=dict)

    def write(self, name: str, text: str) -> Path:
        path = self.folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
        self.give_away(path)
        return path

    def make(self, *names: str) -> None:
        for name in names:
            (self.folder / name).mkdir(parents=True, exist_ok=True)
        self.give_away(self.folder)

    def give_away(self, path: Path) -> None:
        if os.geteuid() != 0:
            return
        for each in (path, *path.rglob("*")):
            shutil.chown(each, USER)

    def run(self, *command: str, cwd: Path | None = None) -> str:
        """What it wrote. Raises NotStarted with its last lines."""
        done = subprocess.run(
            command,
            cwd=cwd or self.folder,
            env=self._make_environment(),
            user=_find_user(),
            capture_output=True,
            text=True,
            check=False,
        )
        if done.returncode:
            raise NotStarted(f"{command[0]} failed:\n{(done.stdout + done.stderr)[-3000:]}")
        return done.stdout

    @contextmanager
    def running(self, *command: str, port: int, cwd: Path | None = None) -> Iterator[None]:
        with (self.folder / "server.log").open("wb") as log:
            process = subprocess.Popen(
                command,
                cwd=cwd or self.folder,
                env=self._make_environment(),
                user=_find_user(),
                stdout=log,
                stderr=log,
                start_new_session=True,
            )
            try:
                self._wait_for(port, process)
                yield
            finally:
                with suppress(ProcessLookupError):
                    os.killpg(process.pid, signal.SIGTERM)
                process.wait(20)

    def _make_environment(self) -> dict[str, str]:
        own = {"PATH": "/usr/sbin:/usr/bin:/sbin:/bin", "LANG": "C.UTF-8"}
        return own | {"HOME": str(self.folder)} | dict(self.environment)

    def _wait_for(self, port: int, process: subprocess.Popen[bytes]) -> None:
        until = time.monotonic() + PATIENCE
        while time.monotonic() < until and process.poll() is None:
            asked = http.client.HTTPConnection("127.0.0.1", port, timeout=10)
            try:
                asked.request("GET", "/")
                asked.getresponse()
                return
            except (OSError, http.client.HTTPException):
                time.sleep(0.1)
            finally:
                asked.close()
        raise NotStarted((self.folder / "server.log").read_text()[-3000:])


def _find_user() -> str | None:
    return USER if os.geteuid() == 0 else None


@contextmanager
def scratch_folder() -> Iterator[Path]:
    with tempfile.TemporaryDirectory(prefix="helpdesk-") as name:
        folder = Path(name)
        folder.chmod(0o755)
        yield folder


def find_free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as free:
        port: int = free.getsockname()[1]
    return port
