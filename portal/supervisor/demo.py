"""`portal demo`: the portal beside a simulated Tactical server, connected and synced."""

from __future__ import annotations

import os
import secrets
import socket
import sys
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from flask import Flask

from portal.config import Settings, read_settings
from portal.errors import ConfigError, NotFound, PortalError
from portal.models.integration import AuthMode
from portal.models.sync_run import RunStatus, SyncKind
from portal.scope import tenant_scope
from portal.services import connect, connection_tests, organizations, sync_runs, tenants, users
from portal.supervisor.children import Child, say

TENANT, SLUG, EMAIL = "Demo MSP", "demo", "admin@demo.example"
FLEET = {"clients": 6, "sites": 18, "agents": 250}


def demo_environ(environ: Mapping[str, str]) -> dict[str, str]:
    """A data folder of its own, and nothing that points at a real database or Redis."""
    data_dir = read_settings(environ).data_dir / "demo"
    allowed = [environ.get("PORTAL_EGRESS_ALLOW", ""), "127.0.0.0/8"]
    kept = {name: text for name, text in environ.items() if name not in _REAL}
    return kept | {
        "PORTAL_DATA_DIR": str(data_dir),
        "PORTAL_EGRESS_ALLOW": " ".join(filter(None, allowed)),
    }


_REAL = ("DATABASE_URL", "REDIS_URL")


@dataclass(frozen=True, slots=True)
class Simulator:
    child: Child
    url: str
    api_key: str


def simulator_child(settings: Settings, environ: Mapping[str, str]) -> Simulator:
    raise NotImplementedError


def seed(app: Flask, simulator: Simulator) -> list[str]:
    raise NotImplementedError
