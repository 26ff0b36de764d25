"""Tactical's records in one normal form, whichever endpoint they came from.

A field that an endpoint does not carry is `UNSET`: what is stored must stay. A field that it
carries and leaves open is empty (`""`, `()`, None).
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from typing import TypeVar

from msgspec import UNSET, UnsetType

from portal.tactical.status import AgentStatus

Place = tuple[int, int, str]
"""Organization pk, site pk and site name."""

Text = str | UnsetType
Texts = tuple[str, ...] | UnsetType
Count = int | UnsetType | None
Flag = bool | UnsetType | None

Record = TypeVar("Record")


@dataclass(frozen=True, slots=True)
class BadRecord:
    """A record that cannot be used. It costs itself, not the listing it stood in."""

    reason: str
    hint: str
    """What it may have been: its name or id as far as one can be read."""
    agent_id: str = ""
    """Of an agent's record, if that much can be read: the agent may be asked for by itself."""


@dataclass(frozen=True, slots=True)
class TacticalOrganization:
    pk: int
    name: str
    agent_count: int | None
    """None where the endpoint does not say."""


@dataclass(frozen=True, slots=True)
class TacticalSite:
    pk: int
    name: str
    organization_pk: int


@dataclass(frozen=True, slots=True, kw_only=True)
class AgentPresence:
    """What of an agent changes from minute to minute. Times are UTC; `boot_time` is when the
    computer started. Only the dashboard API carries Tactical's own `status`."""

    agent_id: str
    hostname: str
    last_seen: datetime | None
    boot_time: datetime | UnsetType | None = UNSET
    local_ips: Text = UNSET
    """`a, b, c`, as Tactical joins them; on Linux and macOS with prefix lengths."""
    public_ip: Text = UNSET
    logged_in_user: Text = UNSET
    maintenance_mode: Flag = UNSET
    needs_reboot: Flag = UNSET
    status: AgentStatus | UnsetType = UNSET
    organization_name: str = ""
    """Where the record names it only, and no pk."""


@dataclass(frozen=True, slots=True, kw_only=True)
class TacticalAgent(AgentPresence):
    """One agent. Only the beta API and the detail carry memory and limits (minutes), only the
    lists a serial number."""

    pk: int | None
    organization_pk: int
    site_pk: int
    site_name: str
    monitoring_type: str
    plat: str
    operating_system: Text = UNSET
    version: Text = UNSET
    make_model: Text = UNSET
    serial_number: Text = UNSET
    cpu: Texts = UNSET
    graphics: Text = UNSET
    physical_disks: Texts = UNSET
    description: Text = UNSET
    ram_gb: Count = UNSET
    offline_minutes: Count = UNSET
    overdue_minutes: Count = UNSET


def only_good(records: Iterable[Record | BadRecord]) -> list[Record]:
    return [record for record in records if not isinstance(record, BadRecord)]
