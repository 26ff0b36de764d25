"""What an exported asset must say, by the simulated server's own truth."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

from tactical_simulator import SimulatedTactical

Row = dict[str, Any]


def expected_assets(tactical: SimulatedTactical, source: str) -> dict[str, Row]:
    """By agent_id. The dashboard's list has no memory size."""
    return {
        agent["agent_id"]: _expected(agent, source) for agent in tactical.control.truth.agents()
    }


SYSTEMS = {"windows": "Windows", "linux": "Linux", "darwin": "macOS"}


def _without_kind(system: str) -> str:
    for kind in ("Microsoft Windows ", "Windows ", "darwin "):
        system = system.removeprefix(kind)
    return system


def _expected(agent: Row, source: str) -> Row:
    text = {
        "name": agent["hostname"],
        "asset_type": agent["monitoring_type"],
        "client": agent["client"],
        "serial_number": agent["serial_number"],
        "os_type": SYSTEMS[agent["plat"]],
        "os_version": _without_kind(agent["operating_system"]),
        "agent_version": agent["version"],
        "make_model": agent["make_model"],
        "cpu": ", ".join(agent["cpu_model"]),
        "current_user": agent["logged_in_user"],
        "lan_ip": agent["local_ips"],
        "wan_ip": agent["public_ip"],
        "description": agent["description"],
        "rmm_provider": "tacticalrmm",
        "rmm_device_id": agent["agent_id"],
        "rmm_organization_id": str(agent["client_pk"]),
        "site_id": str(agent["site_pk"]),
        "site_name": agent["site"],
        "agent_status": agent["status"],
    }
    return {
        # A vendor that left its product unnamed has Tactical say "None": nothing, that is.
        **{name: None if value == "None" else value or None for name, value in text.items()},
        "ram_gb": agent["total_ram"] if source == "beta" else None,
        "maintenance_mode": agent["maintenance_mode"],
        "boot_time": _moment(agent["boot_time"]),
        "last_seen_at": _moment(agent["last_seen"]),
    }


def _moment(value: Any) -> datetime | None:
    if value is None:
        return None
    if isinstance(value, int | float):
        return datetime.fromtimestamp(value, UTC)
    return value if isinstance(value, datetime) else datetime.fromisoformat(value)


def told(row: Row) -> Row:
    """An exported row, with its times as times and without what our own clock decides.

    A row that is stale or missing is not what Tactical says now: that is an error.
    """
    assert (row["status_stale"], row["missing_since"]) == (False, None), row
    times = {name: _moment(row[name]) for name in ("boot_time", "last_seen_at")}
    ours = (
        *("uptime_seconds", "last_rmm_sync_at"),
        *("status_as_of", "status_stale", "missing_since"),
        *("asset_id", "retired_at", "superseded_device_ids", "tags"),
        *("note", "note_at"),
    )
    return {name: value for name, value in row.items() if name not in ours} | times
