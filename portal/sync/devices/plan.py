"""Deciding what a sync does to each record. Pure: it reads nothing and writes nothing."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Set
from dataclasses import dataclass, field
from datetime import datetime
from functools import partial
from typing import Any, TypeVar

from msgspec import UNSET

from portal.sync.devices.facts import VITALS, facts_of, place_of, presence_of
from portal.sync.devices.held import LISTED, spare_held
from portal.sync.devices.identity.computers import Verdict
from portal.sync.runs.action import Action
from portal.tactical.records import AgentPresence, BadRecord, TacticalAgent
from portal.tactical.status import status_by_age

Agent = TypeVar("Agent", bound=AgentPresence)


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
    agent_status: str
    status_at: datetime
    synced_at: datetime
    missing_since: datetime | None
    absent_runs: int = 0
    retired_at: datetime | None = None
    locks: frozenset[str] = frozenset()
    """Columns that an admin edited by hand: they stay as they are."""
    held: Mapping[str, Any] = field(default_factory=dict)
    """Tactical's values that a revert took back: not taken again while they are the same."""


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
    agent_status: str | None = None
    """Tactical's word; None where this look brings none, or an older one than what is stored."""
    status_at: datetime | None = None
    """When it was so; None as above."""
    synced_at: datetime | None = None
    """When all facts were; None where only some were looked at."""
    returned: bool = False
    """It was missing, and this look is newer than the one that did not find it."""
    identity: Verdict | None = None
    """Where it was asked whose computer the agent runs on: the answer."""

    @property
    def asks_person(self) -> bool:
        """Whether a person is asked whose computer it is."""
        return self.identity is not None and self.identity.asks_person

    @property
    def needs_person(self) -> bool:
        """Whether that is a question which needs an answer, and no suggestion."""
        return self.identity is not None and self.identity.needs_person

    @property
    def restores(self) -> bool:
        """Whether a retired asset is in use again."""
        return self.returned and self.known is not None and self.known.retired_at is not None

    released: frozenset[str] = frozenset()
    """Columns that are held no more: Tactical's value is another one."""

    @property
    def changes_status(self) -> bool:
        """Whether the word of a stored asset becomes another one."""
        return (
            self.known is not None
            and self.agent_status is not None
            and self.agent_status != self.known.agent_status
        )


def plan_agents(
    agents: Iterable[TacticalAgent | BadRecord],
    known: Mapping[str, KnownAsset],
    organizations: Mapping[str, KnownOrganization],
    observed_at: datetime,
    server_now: datetime,
) -> list[Decision]:
    """One decision for each record, in order.

    `known` is keyed by agent_id and `organizations` by Tactical's client pk as text.
    `observed_at` is when we asked, by our clock; `server_now` when Tactical answered, by its.
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
    decide = _begin(agent, known, observed_at)

    if known is not None and known.synced_at > observed_at:
        # A refresh of this one agent was quicker than this page: the newer news wins.
        return decide(Action.UNCHANGED, returned=False)
    if not organization.syncs:
        decide = partial(decide, reason=_why_not_synced(organization))
        return _plan_unsynced(decide, known, place)

    facts, word = place | facts_of(agent), None
    if known is None or known.status_at <= observed_at:  # no sweep was quicker than this page
        facts |= presence_of(agent)
        word = find_status(agent, server_now)
    facts, client_id = _spare_locked(known, facts, organization.client_id)
    facts, client_id, released = _spare_held(known, facts, client_id)
    action, changes = Action.CREATED, None
    if known is not None:
        changes = _changes_of(known, facts, client_id)
        action = weigh(changes.keys())
    return decide(
        action,
        client_id=client_id,
        facts=facts,
        changes=changes,
        external_pk=agent.pk,
        agent_status=word,
        status_at=None if word is None else observed_at,
        synced_at=observed_at,
        released=released,
    )


def plan_place(
    agent_id: str,
    name: str,
    place: Mapping[str, Any],
    known: KnownAsset,
    organizations: Mapping[str, KnownOrganization],
) -> Decision:
    """What becomes of an asset by where its agent lives alone."""
    organization = organizations.get(place["rmm_organization_id"]) or _unlisted(place)
    client_id = organization.client_id if organization.syncs else None
    if "client_id" in known.locks:
        client_id = None
    place, client_id, released = _spare_held(known, dict(place), client_id)
    client_id = known.client_id if client_id is None else client_id
    changes = _changes_of(known, place, client_id)
    return Decision(
        weigh(changes.keys()),
        agent_id,
        name,
        reason=None if organization.syncs else _why_not_synced(organization),
        known=known,
        client_id=client_id,
        facts=place,
        changes=changes,
        released=released,
    )


def _plan_unsynced(
    decide: Callable[..., Decision], known: KnownAsset | None, place: dict[str, Any]
) -> Decision:
    """Of an agent that is not synced: its asset keeps client, facts and status, but where the
    agent lives stays true."""
    if known is None:
        return decide(Action.SKIPPED)
    place, _client_id, released = _spare_held(known, place, None)
    changes = _changes(known, place)
    action = Action.MOVED if "rmm_organization_id" in changes else Action.SKIPPED
    return decide(
        action, client_id=known.client_id, facts=place, changes=changes, released=released
    )


def plan_presences(
    agents: Iterable[AgentPresence | BadRecord],
    known: Mapping[str, KnownAsset],
    organizations: Mapping[str, KnownOrganization],
    observed_at: datetime,
) -> list[Decision]:
    """The same of a status sweep: it makes no asset, and moves none."""
    return _plan_each(
        agents,
        known,
        lambda agent, asset: _plan_presence(agent, asset, organizations, observed_at),
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
) -> Decision:
    decide = _begin(agent, known, observed_at)
    if known is None:
        return decide(Action.SKIPPED)
    if known.status_at > observed_at:
        return decide(Action.UNCHANGED, returned=False)
    organization = organizations.get(known.facts["rmm_organization_id"])
    if organization is not None and not organization.syncs:
        return decide(Action.SKIPPED, returned=False)
    facts, _client_id, released = _spare_held(known, presence_of(agent), None)
    changes = _changes(known, facts)
    word = None if agent.status is UNSET else str(agent.status)
    return decide(
        weigh(changes.keys()),
        client_id=known.client_id,
        facts=facts,
        changes=changes,
        agent_status=word,
        status_at=None if word is None else observed_at,
        released=released,
    )


def _begin(
    agent: AgentPresence, known: KnownAsset | None, observed_at: datetime
) -> Callable[..., Decision]:
    """What every decision about the agent has."""
    missing_since = known.missing_since if known else None
    stays_missing = known is not None and known.held.get(LISTED) is False
    return partial(
        Decision,
        external_id=agent.agent_id,
        name=agent.hostname,
        known=known,
        returned=missing_since is not None and missing_since < observed_at and not stays_missing,
    )


def weigh(changed: Set[str]) -> Action:
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


def _spare_held(
    known: KnownAsset | None, facts: dict[str, Any], client_id: int | None
) -> tuple[dict[str, Any], int | None, frozenset[str]]:
    """Facts and client without what a revert took back, and what is held no more. `client_id` None
    is one that was not looked at."""
    if known is None or not known.held:
        return facts, client_id, frozenset()
    stored = {**known.facts, "client_id": known.client_id}
    wanted = {**facts} if client_id is None else {**facts, "client_id": client_id}
    found, released = spare_held(known.held, stored, wanted)
    return found, found.pop("client_id", None), released


def _changes_of(
    known: KnownAsset, facts: Mapping[str, Any], client_id: int | None
) -> dict[str, tuple[Any, Any]]:
    changes = _changes(known, facts)
    if client_id != known.client_id:
        changes["client_id"] = (known.client_id, client_id)
    return changes


def _changes(known: KnownAsset, facts: Mapping[str, Any]) -> dict[str, tuple[Any, Any]]:
    return {
        name: (known.facts[name], value)
        for name, value in facts.items()
        if known.facts[name] != value
    }


def find_status(agent: TacticalAgent, server_now: datetime) -> str:
    """Tactical's own word where the source carries it, else what Tactical would say then."""
    if agent.status is not UNSET:
        return str(agent.status)
    return str(
        status_by_age(agent.last_seen, agent.offline_minutes, agent.overdue_minutes, server_now)
    )


def _why_not_synced(organization: KnownOrganization) -> str:
    if organization.client_id is None:
        return f"The organization {organization.name} is not mapped to a client."
    return f"Auto-sync is off for the organization {organization.name}."


def _unlisted(place: Mapping[str, Any]) -> KnownOrganization:
    """An organization younger than our listing of them: nobody can have mapped it yet."""
    external_id = place["rmm_organization_id"]
    return KnownOrganization(external_id, f"number {external_id}", client_id=None, auto_sync=True)


def _plan_bad_record(record: BadRecord) -> Decision:
    return Decision(Action.FAILED, record.agent_id, record.hint, record.reason)
