"""Tactical's rows read into records: four endpoints, one normal form.

Nothing in a row is trusted to be there or of its type. A row without agent_id or place cannot
be used; any other odd value costs itself alone.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, TypeVar

import msgspec
from msgspec import UNSET, UnsetType

from portal.tactical.reading import wmi
from portal.tactical.reading.decoding import find_row
from portal.tactical.reading.shapes import AgentRow, Sections, agent_decoder, sections_decoder
from portal.tactical.reading.text import (
    clean_count,
    clean_fact,
    clean_facts,
    clean_flag,
    clean_prose,
    clean_text,
    join_facts,
    parse_epoch,
    parse_time,
)
from portal.tactical.records import (
    AgentPresence,
    BadRecord,
    Place,
    Record,
    TacticalAgent,
    TacticalOrganization,
    TacticalSite,
)
from portal.tactical.status import AgentStatus

LONGEST_AGENT_ID = 200
LONGEST_HINT = 80


Raw = AgentRow | msgspec.Raw | bytes
"""Of an agent: decoded, or as text."""
Sites = Mapping[int, TacticalSite]
"""By pk."""
Places = Mapping[tuple[str, str], Place]
"""By the names of organization and site."""

Value = TypeVar("Value")


class _Unusable(Exception):
    """Why a record cannot be used."""


def read_beta_agent(raw: Raw, sites: Sites) -> TacticalAgent | BadRecord:
    """A row of the beta list, or the beta detail; `sites` give the organization."""
    return _read(raw, lambda row: _from_beta(row, sites))


def read_dashboard_agent(raw: Raw, places: Places) -> TacticalAgent | BadRecord:
    """A row of `agents/`, which names its organization and site and has no ids of them."""
    return _read(raw, lambda row: _from_dashboard(row, places))


def read_presence(raw: Raw) -> AgentPresence | BadRecord:
    """A row of `agents/`, wherever the agent lives."""
    return _read(
        raw,
        lambda row: AgentPresence(
            **_presence(row),
            **_presence_on_dashboard(row),
            organization_name=clean_text(row.client_name),
        ),
    )


def read_agent_detail(raw: Raw, sites: Sites) -> TacticalAgent | BadRecord:
    """`agents/<agent_id>/`: it has the site's pk, but no pk, and its serial number only raw."""
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
        return BadRecord("The site has no usable id or client.", name or str(pk))
    return TacticalSite(pk, name, organization)


# --- The endpoints ----------------------------------------------------------------------


def _read(raw: Raw, make: Callable[[AgentRow], Record]) -> Record | BadRecord:
    row = raw if isinstance(raw, AgentRow) else find_row(agent_decoder, raw)
    if row is None:
        return BadRecord("The record cannot be read.", "")
    try:
        return make(row)
    except _Unusable as why:
        agent_id = clean_text(row.agent_id)
        hint = clean_text(row.hostname) or agent_id
        usable_id = agent_id if len(agent_id) <= LONGEST_AGENT_ID else ""
        return BadRecord(str(why), hint[:LONGEST_HINT], usable_id)


def _from_beta(row: AgentRow, sites: Sites) -> TacticalAgent:
    return TacticalAgent(
        pk=clean_count(row.id),
        **_common(row, _find_by_pk(row, sites)),
        **_derive(row),
        **_limits(row),
        logged_in_user=_sent(row.logged_in_username, clean_fact),
    )


def _from_detail(row: AgentRow, sites: Sites) -> TacticalAgent:
    return TacticalAgent(
        pk=None,
        **_common(row, _find_by_pk(row, sites)),
        **_derived(row) | _derive_serial(row),
        **_limits(row),
        local_ips=_sent(row.local_ips, clean_fact),
        logged_in_user=_sent(row.logged_in_username, clean_fact),
        status=_sent(row.status, _status),
    )


def _from_dashboard(row: AgentRow, places: Places) -> TacticalAgent:
    place = places.get((clean_text(row.client_name), clean_text(row.site_name)))
    if place is None:
        raise _Unusable("Its organization and site are not among those that Tactical lists.")
    return TacticalAgent(
        pk=None,
        **_common(row, place),
        **_derived(row),
        **_presence_on_dashboard(row),
    )


# --- Their parts ------------------------------------------------------------------------


def _common(row: AgentRow, place: Place) -> dict[str, Any]:
    return {
        **_presence(row),
        "organization_pk": place[0],
        "site_pk": place[1],
        "site_name": place[2],
        "monitoring_type": clean_text(row.monitoring_type),
        "plat": clean_text(row.plat),
        "operating_system": _sent(row.operating_system, clean_fact),
        "version": _sent(row.version, clean_fact),
        "description": _sent(row.description, clean_prose),
    }


def _presence(row: AgentRow) -> dict[str, Any]:
    agent_id = clean_text(row.agent_id)
    if not agent_id or len(agent_id) > LONGEST_AGENT_ID:
        raise _Unusable("It has no usable agent_id.")
    return {
        "agent_id": agent_id,
        "hostname": clean_text(row.hostname) or agent_id,
        "last_seen": parse_time(row.last_seen),
        "boot_time": _sent(row.boot_time, parse_epoch),
        "public_ip": _sent(row.public_ip, clean_fact),
        "maintenance_mode": _sent(row.maintenance_mode, clean_flag),
        "needs_reboot": _sent(row.needs_reboot, clean_flag),
    }


def _presence_on_dashboard(row: AgentRow) -> dict[str, Any]:
    # Italic is the user who was on last, shown while nobody is.
    user = "" if row.italic is True else row.logged_username
    return {
        "local_ips": _sent(row.local_ips, clean_fact),
        "logged_in_user": _sent(user, clean_fact),
        "status": _sent(row.status, _status),
    }


def _derived(row: AgentRow) -> dict[str, Any]:
    """What Tactical derived itself."""
    return {
        "make_model": _sent(row.make_model, clean_fact),
        "serial_number": _sent(row.serial_number, clean_fact),
        "cpu": _sent(row.cpu_model, clean_facts),
        # A text for Windows, a list for Linux and macOS.
        "graphics": _sent(row.graphics, join_facts),
        "physical_disks": _sent(row.physical_disks, clean_facts),
    }


def _derive(row: AgentRow) -> dict[str, Any]:
    """The same from the raw sections, which are all that the beta list has."""
    if row.wmi_detail is UNSET:
        return {}
    plat = clean_text(row.plat)
    sections = find_row(sections_decoder, row.wmi_detail) or Sections()
    raw = msgspec.structs.asdict(sections)
    return {
        "make_model": wmi.make_model(plat, raw),
        "serial_number": wmi.serial_number(plat, raw),
        "cpu": wmi.cpu_models(plat, raw),
        "graphics": wmi.graphics(plat, raw),
        "physical_disks": wmi.physical_disks(plat, raw),
        "local_ips": wmi.local_ips(plat, raw),
    }


def _derive_serial(row: AgentRow) -> dict[str, Any]:
    """The one fact that Tactical derives for its lists and not for the detail."""
    return {key: value for key, value in _derive(row).items() if key == "serial_number"}


def _limits(row: AgentRow) -> dict[str, Any]:
    return {
        "ram_gb": _sent(row.total_ram, clean_count),
        "offline_minutes": _sent(row.offline_time, clean_count),
        "overdue_minutes": _sent(row.overdue_time, clean_count),
    }


def _sent(value: Any, clean: Callable[[Any], Value]) -> Value | UnsetType:
    """The cleaned value; what the endpoint did not send stays UNSET."""
    return UNSET if value is UNSET else clean(value)


def _find_by_pk(row: AgentRow, sites: Sites) -> Place:
    pk = clean_count(row.site)
    site = None if pk is None else sites.get(pk)
    if site is None:
        raise _Unusable(f"Its site {pk} is not among those that Tactical lists.")
    return (site.organization_pk, site.pk, site.name)


def _status(value: Any) -> AgentStatus:
    try:
        return AgentStatus(clean_text(value))
    except ValueError:
        return AgentStatus.UNKNOWN


def _get_pk(found: Any) -> int | None:
    return clean_count(found.get("id")) if isinstance(found, dict) else None


def _get_name(found: Any) -> str:
    return clean_text(found.get("name")) if isinstance(found, dict) else ""
