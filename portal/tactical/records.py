"""Tactical's records in one normal form, whichever endpoint they came from.

A field that an endpoint does not carry is `UNSET`: what is stored must stay. A field that it
carries and leaves open is empty (`""`, `()`, None).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any, TypeVar

import msgspec
from msgspec import UNSET, UnsetType

from portal.tactical import wmi
from portal.tactical.status import AgentStatus
from portal.tactical.text import (
    clean_count,
    clean_fact,
    clean_facts,
    clean_flag,
    clean_text,
    parse_epoch,
    parse_time,
)

LONGEST_AGENT_ID = 200
LONGEST_HINT = 80


@dataclass(frozen=True, slots=True)
class BadRecord:
    """A record that cannot be used. It costs itself, not the listing it stood in."""

    reason: str
    hint: str
    """What it may have been: its name or id as far as one can be read."""


@dataclass(frozen=True, slots=True)
class TacticalOrganization:
    pk: int
    name: str
    agent_count: int | None
    """None where the endpoint does not tell."""


@dataclass(frozen=True, slots=True)
class TacticalSite:
    pk: int
    name: str
    organization_pk: int


@dataclass(frozen=True, slots=True, kw_only=True)
class TacticalAgent:
    """One agent. Times are UTC; `boot_time` is when the computer started."""

    pk: int | None
    agent_id: str
    hostname: str
    organization_pk: int
    site_pk: int
    site_name: str
    monitoring_type: str
    plat: str
    operating_system: str
    version: str
    make_model: str
    cpu: tuple[str, ...]
    graphics: str
    physical_disks: tuple[str, ...]
    local_ips: str
    public_ip: str
    logged_in_user: str
    boot_time: datetime | None
    last_seen: datetime | None
    description: str
    maintenance_mode: bool | None
    needs_reboot: bool | None
    serial_number: str | UnsetType = UNSET
    ram_gb: int | UnsetType | None = UNSET
    offline_minutes: int | UnsetType | None = UNSET
    overdue_minutes: int | UnsetType | None = UNSET
    status: AgentStatus | UnsetType = UNSET


class AgentRow(msgspec.Struct, gc=False):
    """The keys of an agent in all four endpoints; what is not named here is never built.

    Everything is optional and untyped on purpose: `services` and the rest of a row are
    skipped as text, and one odd value costs itself alone.
    """

    id: Any = None
    agent_id: Any = None
    hostname: Any = None
    site: Any = None
    site_name: Any = None
    client_name: Any = None
    monitoring_type: Any = None
    plat: Any = None
    operating_system: Any = None
    version: Any = None
    wmi_detail: msgspec.Raw = msgspec.Raw(b"null")
    make_model: Any = None
    cpu_model: Any = None
    graphics: Any = None
    physical_disks: Any = None
    local_ips: Any = None
    serial_number: Any = UNSET
    public_ip: Any = None
    total_ram: Any = UNSET
    logged_in_username: Any = UNSET
    logged_username: Any = None
    italic: Any = None
    boot_time: Any = None
    last_seen: Any = None
    offline_time: Any = UNSET
    overdue_time: Any = UNSET
    status: Any = UNSET
    description: Any = None
    maintenance_mode: Any = None
    needs_reboot: Any = None


class _Sections(msgspec.Struct, gc=False):
    """The parts of `wmi_detail` that anything is derived from."""

    bios: Any = None
    comp_sys: Any = None
    comp_sys_prod: Any = None
    base_board: Any = None
    cpu: Any = None
    network_config: Any = None
    graphics: Any = None
    disk: Any = None
    serialnumber: Any = None
    make_model: Any = None
    cpus: Any = None
    gpus: Any = None
    disks: Any = None
    local_ips: Any = None


_row = msgspec.json.Decoder(AgentRow)
_sections = msgspec.json.Decoder(_Sections)

Place = tuple[int, int, str]
"""Organization pk, site pk and site name."""


class _Unusable(Exception):
    """Why a record cannot be used."""


def read_beta_agent(
    raw: msgspec.Raw | bytes, sites: Mapping[int, TacticalSite]
) -> TacticalAgent | BadRecord:
    """A row of the beta list, or the beta detail; `sites` by pk tell the organization."""
    return _read(raw, lambda row: _from_beta(row, sites))


def read_dashboard_agent(
    raw: msgspec.Raw | bytes, places: Mapping[tuple[str, str], Place]
) -> TacticalAgent | BadRecord:
    """A row of `agents/`; `places` by organization and site *name*, the only key it has."""
    return _read(raw, lambda row: _from_dashboard(row, places))


def read_agent_detail(
    raw: msgspec.Raw | bytes, sites: Mapping[int, TacticalSite]
) -> TacticalAgent | BadRecord:
    """`agents/<agent_id>/`: it has the site's pk, but neither pk nor serial number."""
    return _read(raw, lambda row: _from_detail(row, sites))


def read_organization(found: Any) -> TacticalOrganization | BadRecord:
    """An element of `clients/` or `beta/v1/client/`."""
    pk, name = _get_pk(found), _get_name(found)
    if pk is None or not name:
        return BadRecord("The organization has no usable id or name.", str(pk or name))
    return TacticalOrganization(pk, name, clean_count(found.get("agent_count")))


def read_site(found: Any) -> TacticalSite | BadRecord:
    """An element of `beta/v1/site/` or of the sites within `clients/`."""
    pk, name = _get_pk(found), _get_name(found)
    organization = clean_count(found.get("client")) if isinstance(found, dict) else None
    if pk is None or organization is None:
        return BadRecord("The site has no usable id or client.", str(name or pk))
    return TacticalSite(pk, name, organization)


def _read(raw: msgspec.Raw | bytes, make: Any) -> TacticalAgent | BadRecord:
    try:
        row = _row.decode(raw)
    except (msgspec.MsgspecError, ValueError):
        return BadRecord("The record cannot be read.", "")
    try:
        agent: TacticalAgent = make(row)
    except _Unusable as why:
        hint = clean_text(row.hostname) or clean_text(row.agent_id)
        return BadRecord(str(why), hint[:LONGEST_HINT])
    return agent


def _from_beta(row: AgentRow, sites: Mapping[int, TacticalSite]) -> TacticalAgent:
    plat = clean_text(row.plat)
    raw = _decode_sections(row.wmi_detail)
    return TacticalAgent(
        pk=clean_count(row.id),
        **_common(row, plat, _place_by_pk(row, sites)),
        make_model=wmi.make_model(plat, raw),
        cpu=wmi.cpu_models(plat, raw),
        graphics=wmi.graphics(plat, raw),
        physical_disks=wmi.physical_disks(plat, raw),
        local_ips=wmi.local_ips(plat, raw),
        serial_number=wmi.serial_number(plat, raw),
        logged_in_user=clean_fact(row.logged_in_username or None),
        **_thresholds(row),
    )


def _from_detail(row: AgentRow, sites: Mapping[int, TacticalSite]) -> TacticalAgent:
    plat = clean_text(row.plat)
    return TacticalAgent(
        pk=None,
        **_common(row, plat, _place_by_pk(row, sites)),
        **_derived(row),
        logged_in_user=clean_fact(row.logged_in_username or None),
        status=_status(row.status),
        **_thresholds(row),
    )


def _from_dashboard(row: AgentRow, places: Mapping[tuple[str, str], Place]) -> TacticalAgent:
    place = places.get((clean_text(row.client_name), clean_text(row.site_name)))
    if place is None:
        raise _Unusable("Its organization and site are not among those that Tactical lists.")
    return TacticalAgent(
        pk=None,
        **_common(row, clean_text(row.plat), place),
        **_derived(row),
        serial_number=UNSET if row.serial_number is UNSET else clean_fact(row.serial_number),
        # Italic is the user who was on last, shown while nobody is.
        logged_in_user="" if row.italic is True else clean_fact(row.logged_username),
        status=_status(row.status),
    )


def _common(row: AgentRow, plat: str, place: Place) -> dict[str, Any]:
    agent_id, hostname = clean_text(row.agent_id), clean_text(row.hostname)
    if not agent_id or len(agent_id) > LONGEST_AGENT_ID:
        raise _Unusable("It has no usable agent_id.")
    return {
        "agent_id": agent_id,
        "hostname": hostname or agent_id,
        "organization_pk": place[0],
        "site_pk": place[1],
        "site_name": place[2],
        "monitoring_type": clean_text(row.monitoring_type),
        "plat": plat,
        "operating_system": clean_fact(row.operating_system),
        "version": clean_fact(row.version),
        "public_ip": clean_fact(row.public_ip),
        "boot_time": parse_epoch(row.boot_time),
        "last_seen": parse_time(row.last_seen),
        "description": clean_text(row.description),
        "maintenance_mode": clean_flag(row.maintenance_mode),
        "needs_reboot": clean_flag(row.needs_reboot),
    }


def _derived(row: AgentRow) -> dict[str, Any]:
    """What Tactical derived itself."""
    return {
        "make_model": clean_fact(row.make_model),
        "cpu": clean_facts(row.cpu_model),
        # A text for Windows, a list for Linux and macOS.
        "graphics": clean_fact(row.graphics) or ", ".join(clean_facts(row.graphics)),
        "physical_disks": clean_facts(row.physical_disks),
        "local_ips": clean_fact(row.local_ips),
    }


def _thresholds(row: AgentRow) -> dict[str, Any]:
    carried = {
        "ram_gb": row.total_ram,
        "offline_minutes": row.offline_time,
        "overdue_minutes": row.overdue_time,
    }
    return {
        name: value if value is UNSET else clean_count(value) for name, value in carried.items()
    }


def _place_by_pk(row: AgentRow, sites: Mapping[int, TacticalSite]) -> Place:
    pk = clean_count(row.site)
    site = None if pk is None else sites.get(pk)
    if site is None:
        raise _Unusable(f"Its site {pk} is not among those that Tactical lists.")
    return (site.organization_pk, site.pk, site.name)


def _decode_sections(raw: msgspec.Raw) -> dict[str, Any]:
    try:
        return msgspec.structs.asdict(_sections.decode(raw))
    except (msgspec.MsgspecError, ValueError):
        return {}


def _status(value: Any) -> AgentStatus:
    try:
        return AgentStatus(clean_text(value))
    except ValueError:
        return AgentStatus.UNKNOWN


def _get_pk(found: Any) -> int | None:
    return clean_count(found.get("id")) if isinstance(found, dict) else None


def _get_name(found: Any) -> str:
    return clean_text(found.get("name")) if isinstance(found, dict) else ""


Record = TypeVar("Record")


def only_good(records: list[Record | BadRecord]) -> list[Record]:
    return [record for record in records if not isinstance(record, BadRecord)]
