"""Calling the `portal` command in this process, on a database and a folder alone."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path

import pytest

from tactical_simulator import SimulatedTactical
from tests.support.commands import Said, call_portal
from tests.support.keys import KEYS

__all__ = ["Said"]

Portal = Callable[..., Said]
TENANT = ("--tenant", "acme", "--json")


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return tmp_path / "var"


@pytest.fixture
def portal(folder: Path, monkeypatch: pytest.MonkeyPatch) -> Portal:
    """`portal("sync", "devices", stdin="…")`. Nothing runs beside: no server and no Redis."""
    for name, value in {**KEYS, "PORTAL_EGRESS_ALLOW": "127.0.0.0/8"}.items():
        monkeypatch.setenv(name, value)
    monkeypatch.setenv("PORTAL_DATA_DIR", str(folder))
    for name in ("DATABASE_URL", "REDIS_URL"):
        monkeypatch.delenv(name, raising=False)

    def call(*words: str, stdin: str = "") -> Said:
        return call_portal(os.environ, *words, stdin=stdin)

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
