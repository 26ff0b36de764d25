"""`portal demo`: the portal beside a simulated Tactical server, connected and synced."""

from __future__ import annotations

from collections.abc import Mapping

from flask import Flask

from portal.config import Settings, read_settings
from portal.supervisor.children import Child

REAL_SERVERS = ("DATABASE_URL", "REDIS_URL")


def demo_environ(environ: Mapping[str, str]) -> dict[str, str]:
    """A data folder of its own, and nothing that points at a real database or Redis."""
    allowed = [environ.get("PORTAL_EGRESS_ALLOW", ""), "127.0.0.0/8"]
    return dict.fromkeys(REAL_SERVERS, "") | {
        "PORTAL_DATA_DIR": str(read_settings(environ).data_dir / "demo"),
        "PORTAL_EGRESS_ALLOW": " ".join(filter(None, allowed)),
    }


def simulator_child(settings: Settings) -> Child:
    raise NotImplementedError


def seed(app: Flask) -> None:
    raise NotImplementedError


def sign_in_notice(settings: Settings) -> str:
    raise NotImplementedError
