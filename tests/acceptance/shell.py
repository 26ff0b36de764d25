"""The `portal` command on a data folder of its own, in a process of its own or in this one."""

from __future__ import annotations

import os
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tests.support.commands import Said, call_portal

TENANT = "acme"


@dataclass(frozen=True, slots=True)
class Shell:
    """Neither a server nor a Redis runs on the folder: commands need only the database.

    A process each is what a script has. It takes two seconds to start, and what a command says and
    does it shows no better.
    """

    folder: Path
    database_url: str = ""
    in_processes: bool = False

    def run(self, *words: str, stdin: str = "") -> Said:
        environ = {
            "PATH": os.environ["PATH"],
            "PORTAL_DATA_DIR": str(self.folder),
            "PORTAL_EGRESS_ALLOW": "127.0.0.0/8",
            "DATABASE_URL": self.database_url,
        }
        if not self.in_processes:
            return call_portal(environ, *words, stdin=stdin)
        done = subprocess.run(
            [str(Path(sys.executable).parent / "portal"), *words],
            input=stdin,
            env=environ,
            cwd=self.folder,
            text=True,
            capture_output=True,
            timeout=120,
            check=False,
        )
        return Said(done.returncode, done.stdout, done.stderr)

    def json(self, *words: str, stdin: str = "", exit_code: int = 0) -> Any:
        """The object that a command with `--json` prints, for the tenant."""
        said = self.run(*words, "--tenant", TENANT, "--json", stdin=stdin)
        assert said.exit_code == exit_code, (said.out, said.err)
        return said.data

    def connect(self, url: str, key: str, *words: str) -> Any:
        return self.json("connect", "--url", url, "--api-key-stdin", *words, stdin=f"{key}\n")

    def export(self, what: str) -> list[dict[str, Any]]:
        rows = self.run("export", what, "--tenant", TENANT, "--format", "json").data
        assert isinstance(rows, list)
        return rows
