"""Newcomers and assets with as little said as a test needs: by default the newcomer is the one
asset's computer, re-installed an hour ago, and the old agent is not listed any more."""

from __future__ import annotations

from collections.abc import Mapping, Sequence, Set
from datetime import UTC, datetime, timedelta
from typing import Any

from portal.sync.devices.identity.computers import KnownComputer, Newcomer, Superseded, Verdict
from portal.sync.devices.identity.ladder import plan_identities

NOW = datetime(2026, 3, 2, 12, tzinfo=UTC)
SERIAL = "5CG8241KLM"


def ago(minutes: float) -> datetime:
    return NOW - timedelta(minutes=minutes)


def newcomer(agent_id: str = "new", **facts: Any) -> Newcomer:
    told: dict[str, Any] = {
        "name": "RECEPTION",
        "client_id": 1,
        "organization_id": "11",
        "serial_number": SERIAL,
        "os_type": "Windows",
        "make_model": "HP ProDesk 600 G4",
        "last_seen": ago(1),
        "status": "online",
        "first_listed_at": ago(60),
    }
    return Newcomer(agent_id=agent_id, **told | facts)


def known(asset_id: int = 1, **facts: Any) -> KnownComputer:
    told: dict[str, Any] = {
        "agent_id": f"old-{asset_id}",
        "name": "RECEPTION",
        "client_id": 1,
        "organization_id": "11",
        "serial_number": SERIAL,
        "os_type": "Windows",
        "make_model": "HP ProDesk 600 G4",
        "last_seen": ago(90),
        "offline_minutes": 4,
    }
    return KnownComputer(asset_id=asset_id, **told | facts)


def judge_all(
    newcomers: Sequence[Newcomer],
    assets: Sequence[KnownComputer] = (),
    superseded: Mapping[str, Superseded] | None = None,
    kept_apart: Set[tuple[str, int]] = frozenset(),
    now: datetime = NOW,
) -> list[Verdict]:
    return plan_identities(newcomers, assets, superseded or {}, kept_apart, now)


def judge(newcomer: Newcomer, *assets: KnownComputer, **more: Any) -> Verdict:
    [verdict] = judge_all([newcomer], assets, **more)
    return verdict
