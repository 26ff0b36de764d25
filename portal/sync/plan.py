"""Deciding what a sync does to each record. Pure: it reads nothing and writes nothing."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from functools import partial
from typing import Any

from msgspec import UNSET

from portal.tactical.records import BadRecord, TacticalAgent
from portal.tactical.status import status_at
from portal.tactical.systems import split_system


class Action(StrEnum):
    CREATED = "created"
    UPDATED = "updated"
    UNCHANGED = "unchanged"
    MOVED = "moved"
    SKIPPED = "skipped"
    FAILED = "failed"


@dataclass(frozen=True, slots=True)
class KnownOrganization:
    """An organization mapping as stored."""

    external_id: str
    name: str
    client_id: int | None
    auto_sync: bool

    @property
    def syncs(self) -> bool:
        return self.client_id is not None and self.auto_sync


@dataclass(frozen=True, slots=True)
class KnownAsset:
    """An asset as stored. `facts` holds every column of FACTS and PLACE."""

    id: int
    client_id: int
    facts: Mapping[str, Any]
    external_pk: int | None
    reported_status: str
    synced_at: datetime
    missing: bool
    locks: frozenset[str] = frozenset()
    """Columns that an admin edited by hand: they stay as they are."""


@dataclass(frozen=True, slots=True)
class Decision:
    """What to do about one agent, and why.

    `facts` are the columns as they shall be; only what Tactical carried is named.
    `changes` is `{column: (old, new)}`: an unchanged agent may have some of VITALS.
    """

    action: Action
    external_id: str
    name: str
    reason: str | None = None
    known: KnownAsset | None = None
    client_id: int | None = None
    facts: Mapping[str, Any] | None = None
    changes: Mapping[str, tuple[Any, Any]] | None = None
    external_pk: int | None = None
    reported_status: str | None = None


PLACE = ("rmm_organization_id", "site_id", "site_name")
"""Where the agent lives in Tactical."""

FACTS = (
    "name",
    "asset_type",
    "last_seen_at",
    "offline_minutes",
    "overdue_minutes",
    "online_until",
    "overdue_from",
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


VITALS = frozenset({"last_seen_at", "boot_time", "online_until", "overdue_from"})
"""What changes by itself: written like any fact, but nothing that was updated."""


def plan_agents(
    agents: Iterable[TacticalAgent | BadRecord],
    known: Mapping[str, KnownAsset],
    organizations: Mapping[str, KnownOrganization],
    observed_at: datetime,
    server_now: datetime,
) -> list[Decision]:
    """One decision for each record, in order.

    `known` is keyed by agent_id and `organizations` by Tactical's client pk as text.
    `observed_at` is when we asked, by our clock; `server_now` when, by Tactical's.
    """
    return [
        _plan_bad_record(agent)
        if isinstance(agent, BadRecord)
        else plan_agent(agent, known.get(agent.agent_id), organizations, observed_at, server_now)
        for agent in agents
    ]


def plan_agent(
    agent: TacticalAgent,
    known: KnownAsset | None,
    organizations: Mapping[str, KnownOrganization],
    observed_at: datetime,
    server_now: datetime,
) -> Decision:
    """The whole decision about one agent, in one ladder."""
    place = place_of(agent)
    organization = organizations.get(place["rmm_organization_id"]) or _unlisted(place)
    decide = partial(Decision, external_id=agent.agent_id, name=agent.hostname, known=known)

    if known is not None and known.synced_at > observed_at:
        # A refresh of this one agent was quicker than this page: the newer news wins.
        return decide(Action.UNCHANGED)

    if not organization.syncs:
        reason = _why_not_synced(organization)
        if known is None:
            return decide(Action.SKIPPED, reason=reason)
        # Its asset keeps client and facts, but where the agent lives stays true.
        kept = partial(decide, reason=reason, client_id=known.client_id, facts=place)
        changes = _changes(known, place)
        action = Action.MOVED if "rmm_organization_id" in changes else Action.SKIPPED
        return kept(action, changes=changes)

    facts = place | facts_of(agent)
    facts |= limits_of(facts, known, server_now - observed_at)
    facts, client_id = _spare_locked(known, facts, organization.client_id)
    status = _status(agent, server_now)
    decide = partial(decide, client_id=client_id, facts=facts)
    decide = partial(decide, external_pk=agent.pk, reported_status=status)
    if known is None:
        return decide(Action.CREATED)

    changes = _changes(known, facts)
    if "rmm_organization_id" in changes or known.client_id != client_id:
        return decide(Action.MOVED, changes=changes)
    is_update = bool(changes.keys() - VITALS)
    return decide(Action.UPDATED if is_update else Action.UNCHANGED, changes=changes)


def _spare_locked(
    known: KnownAsset | None, facts: dict[str, Any], client_id: int | None
) -> tuple[dict[str, Any], int | None]:
    """Facts and client without what an admin edited by hand."""
    if known is None or not known.locks:
        return facts, client_id
    kept = {name: value for name, value in facts.items() if name not in known.locks}
    return kept, known.client_id if "client_id" in known.locks else client_id


def place_of(agent: TacticalAgent) -> dict[str, Any]:
    return {
        "rmm_organization_id": str(agent.organization_pk),
        "site_id": str(agent.site_pk),
        "site_name": agent.site_name or None,
    }


def limits_of(
    facts: Mapping[str, Any], known: KnownAsset | None, clock_skew: timedelta
) -> dict[str, datetime | None]:
    """Until when the agent counts as online and from when as overdue, by our own clock.

    None where a limit is not known, or the agent was never seen.
    """
    stored = known.facts if known else {}
    last_seen = facts.get("last_seen_at")
    limits = {"online_until": "offline_minutes", "overdue_from": "overdue_minutes"}
    minutes = {name: facts.get(fact, stored.get(fact)) for name, fact in limits.items()}
    if last_seen is None or None in minutes.values():
        return dict.fromkeys(limits)
    return {
        name: last_seen - clock_skew + timedelta(minutes=min(number, LONGEST_LIMIT))
        for name, number in minutes.items()
    }


LONGEST_LIMIT = 10 * 365 * 24 * 60
"""Minutes. More would leave the calendar."""


def facts_of(agent: TacticalAgent) -> dict[str, Any]:
    """The agent's facts as columns of an asset: what the source does not carry is left out."""
    os_type, os_version = _system(agent)
    facts = {
        "name": agent.hostname,
        "asset_type": "server" if agent.monitoring_type == "server" else "workstation",
        "last_seen_at": agent.last_seen,
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
        "current_user": agent.logged_in_user,
        "boot_time": agent.boot_time,
        "lan_ip": agent.local_ips,
        "wan_ip": agent.public_ip,
        "description": agent.description,
        "maintenance_mode": agent.maintenance_mode,
        "needs_reboot": agent.needs_reboot,
    }
    return {
        name: None if value == "" else value for name, value in facts.items() if value is not UNSET
    }


def _system(agent: TacticalAgent) -> tuple[Any, Any]:
    if agent.plat is UNSET or agent.operating_system is UNSET:
        return UNSET, UNSET
    return split_system(agent.plat, agent.operating_system)


def _joined(parts: Any) -> Any:
    return parts if parts is UNSET else ", ".join(parts)


def _changes(known: KnownAsset, facts: Mapping[str, Any]) -> dict[str, tuple[Any, Any]]:
    return {
        name: (known.facts[name], value)
        for name, value in facts.items()
        if known.facts[name] != value
    }


def _status(agent: TacticalAgent, server_now: datetime) -> str:
    """Tactical's own word where the source carries it, else what Tactical would say now."""
    if agent.status is not UNSET:
        return str(agent.status)
    return str(status_at(agent.last_seen, agent.offline_minutes, agent.overdue_minutes, server_now))


def _why_not_synced(organization: KnownOrganization) -> str:
    if organization.client_id is None:
        return f"The organization {organization.name} is not mapped to a client."
    return f"Auto-sync is off for the organization {organization.name}."


def _unlisted(place: Mapping[str, Any]) -> KnownOrganization:
    """An organization younger than our listing of them: nobody can have mapped it yet."""
    external_id = place["rmm_organization_id"]
    return KnownOrganization(external_id, f"number {external_id}", client_id=None, auto_sync=True)


def _plan_bad_record(record: BadRecord) -> Decision:
    return Decision(Action.FAILED, record.hint, record.hint, record.reason)
