"""Deciding what a sync does to each record. Pure: it reads nothing and writes nothing."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Set
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from functools import partial
from typing import Any, TypeVar

from msgspec import UNSET

from portal.sync.facts import VITALS, facts_of, limits_of, place_of, presence_of
from portal.tactical.records import AgentPresence, BadRecord, TacticalAgent
from portal.tactical.status import status_at

Agent = TypeVar("Agent", bound=AgentPresence)


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
    return _plan_each(
        agents,
        known,
        lambda agent, asset: plan_agent(agent, asset, organizations, observed_at, server_now),
    )


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
        decide = partial(decide, reason=reason, client_id=known.client_id, facts=place)
        changes = _changes(known, place)
        has_moved = "rmm_organization_id" in changes
        return decide(Action.MOVED if has_moved else Action.SKIPPED, changes=changes)

    facts = place | facts_of(agent)
    facts |= limits_of(facts, known.facts if known else {}, server_now - observed_at)
    facts, client_id = _spare_locked(known, facts, organization.client_id)
    decide = partial(decide, client_id=client_id, facts=facts, external_pk=agent.pk)
    decide = partial(decide, reported_status=_status(agent, server_now))
    if known is None:
        return decide(Action.CREATED)

    changes = _changes(known, facts)
    if known.client_id != client_id:
        changes["client_id"] = (known.client_id, client_id)
    return decide(_weigh(changes.keys()), changes=changes)


def plan_presences(
    agents: Iterable[AgentPresence | BadRecord],
    known: Mapping[str, KnownAsset],
    organizations: Mapping[str, KnownOrganization],
    observed_at: datetime,
    clock_skew: timedelta,
) -> list[Decision]:
    """The same of a status sweep: it makes no asset, and moves none."""
    return _plan_each(
        agents,
        known,
        lambda agent, asset: _plan_presence(agent, asset, organizations, observed_at, clock_skew),
    )


def _plan_each(
    agents: Iterable[Agent | BadRecord],
    known: Mapping[str, KnownAsset],
    plan: Callable[[Agent, KnownAsset | None], Decision],
) -> list[Decision]:
    return [
        _plan_bad_record(agent)
        if isinstance(agent, BadRecord)
        else plan(agent, known.get(agent.agent_id))
        for agent in agents
    ]


def _plan_presence(
    agent: AgentPresence,
    known: KnownAsset | None,
    organizations: Mapping[str, KnownOrganization],
    observed_at: datetime,
    clock_skew: timedelta,
) -> Decision:
    decide = partial(Decision, external_id=agent.agent_id, name=agent.hostname, known=known)
    if known is None:
        return decide(Action.SKIPPED)
    if known.synced_at > observed_at:
        return decide(Action.UNCHANGED)
    organization = organizations.get(known.facts["rmm_organization_id"])
    if organization is not None and not organization.syncs:
        return decide(Action.SKIPPED)
    facts = presence_of(agent)
    facts |= limits_of(facts, known.facts, clock_skew)
    changes = _changes(known, facts)
    status = known.reported_status if agent.status is UNSET else str(agent.status)
    decide = partial(decide, client_id=known.client_id, facts=facts, reported_status=status)
    return decide(_weigh(changes.keys()), changes=changes)


def _weigh(changed: Set[str]) -> Action:
    """What changes of these columns amount to."""
    if changed & {"rmm_organization_id", "client_id"}:
        return Action.MOVED
    return Action.UPDATED if changed - VITALS else Action.UNCHANGED


def _spare_locked(
    known: KnownAsset | None, facts: dict[str, Any], client_id: int | None
) -> tuple[dict[str, Any], int | None]:
    """Facts and client without what an admin edited by hand."""
    if known is None or not known.locks:
        return facts, client_id
    kept = {name: value for name, value in facts.items() if name not in known.locks}
    return kept, known.client_id if "client_id" in known.locks else client_id


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
