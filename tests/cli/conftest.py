"""Calling the `portal` command in this process, on a database and a folder alone."""

from __future__ import annotations

import io
import json
import sys
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from portal.cli import main
from tactical_simulator import SimulatedTactical
from tests.support.keys import KEYS


@dataclass(frozen=True, slots=True)
class Said:
    exit_code: int
    out: str
    err: str

    @property
    def data(self) -> Any:
        """The one JSON value on standard output."""
        return json.loads(self.out)


Portal = Callable[..., Said]
TENANT = ("--tenant", "acme", "--json")


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return tmp_path / "var"


@pytest.fixture
def portal(
    folder: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> Portal:
    """`portal("sync", "devices", stdin="…")`. Nothing runs beside: no server and no Redis."""
    for name, value in {**KEYS, "PORTAL_EGRESS_ALLOW": "127.0.0.0/8"}.items():
        monkeypatch.setenv(name, value)
    monkeypatch.setenv("PORTAL_DATA_DIR", str(folder))
    for name in ("DATABASE_URL", "REDIS_URL"):
        monkeypatch.delenv(name, raising=False)

    def call(*words: str, stdin: str = "") -> Said:
        monkeypatch.setattr(sys, "argv", ["portal", *words])
        monkeypatch.setattr(sys, "stdin", io.StringIO(stdin))
        capsys.readouterr()
        with pytest.raises(SystemExit) as end:
            main()
        printed = capsys.readouterr()
        assert isinstance(end.value.code, int)
        return Said(end.value.code, printed.out, printed.err)

    return call


@pytest.fixture
def acme(portal: Portal, folder: Path, sqlite_template: Path) -> Portal:
    """With the tenant acme, on a database that is there already."""
    folder.mkdir()
    (folder / "portal.db").write_bytes(sqlite_template.read_bytes())
    assert portal("tenants", "add", "Acme MSP", "--slug", "acme").exit_code == 0
    return portal


@pytest.fixture
def connected(acme: Portal, tactical: SimulatedTactical) -> Portal:
    """With organizations, none of them mapped."""
    url = ("--url", tactical.url, "--api-key-stdin")
    assert acme("connect", *url, *TENANT, stdin=f"{tactical.api_key}\n").exit_code == 0
    acme("sync", "organizations", *TENANT)
    return acme


@pytest.fixture
def mapped(connected: Portal) -> Portal:
    """Every organization is mapped to a client of its name."""
    connected("map", "--exact", "--create", *TENANT)
    return connected
