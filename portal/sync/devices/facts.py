"""What an asset takes over of an agent, as columns. Pure, like the plan."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from msgspec import UNSET

from portal.tactical.reading.systems import split_system
from portal.tactical.records import AgentPresence, TacticalAgent

AGENT = "rmm_device_id"
"""Which agent it is: only a relink or a merge changes that."""
PLACE = ("rmm_organization_id", "site_id", "site_name")
"""Where the agent lives in Tactical."""

FACTS = (
    "name",
    "asset_type",
    "last_seen_at",
    "offline_minutes",
    "overdue_minutes",
    "serial_number",
    "os_type",
    "os_version",
    "agent_version",
    "make_model",
    "cpu",
    "ram_gb",
    "graphics",
    "physical_disks",
    "current_user",
    "boot_time",
    "lan_ip",
    "wan_ip",
    "description",
    "maintenance_mode",
    "needs_reboot",
)


VITALS = frozenset({"last_seen_at", "boot_time"})
"""What changes by itself: written like any fact, but nothing that was updated."""


def place_of(agent: TacticalAgent) -> dict[str, Any]:
    return {
        "rmm_organization_id": str(agent.organization_pk),
        "site_id": str(agent.site_pk),
        "site_name": agent.site_name or None,
    }


def presence_of(agent: AgentPresence) -> dict[str, Any]:
    """What changes from minute to minute, as columns. What the source lacks is left out."""
    return _carried(
        {
            "last_seen_at": agent.last_seen,
            "boot_time": agent.boot_time,
            "current_user": agent.logged_in_user,
            "lan_ip": agent.local_ips,
            "wan_ip": agent.public_ip,
            "maintenance_mode": agent.maintenance_mode,
            "needs_reboot": agent.needs_reboot,
        }
    )


def facts_of(agent: TacticalAgent) -> dict[str, Any]:
    """The other facts of the agent: what a look at the status alone does not read."""
    os_type, os_version = _system(agent)
    facts = {
        "name": agent.hostname,
        "asset_type": "server" if agent.monitoring_type == "server" else "workstation",
        "offline_minutes": agent.offline_minutes,
        "overdue_minutes": agent.overdue_minutes,
        "serial_number": agent.serial_number,
        "os_type": os_type,
        "os_version": os_version,
        "agent_version": agent.version,
        "make_model": agent.make_model,
        "cpu": _joined(agent.cpu),
        "ram_gb": agent.ram_gb,
        "graphics": agent.graphics,
        "physical_disks": _joined(agent.physical_disks),
        "description": agent.description,
    }
    return _carried(facts)


def _carried(facts: Mapping[str, Any]) -> dict[str, Any]:
    return {
        name: None if value == "" else value for name, value in facts.items() if value is not UNSET
    }


def _system(agent: TacticalAgent) -> tuple[Any, Any]:
    if agent.operating_system is UNSET:
        return UNSET, UNSET
    return split_system(agent.plat, agent.operating_system)


def _joined(parts: Any) -> Any:
    return parts if parts is UNSET else ", ".join(parts)
