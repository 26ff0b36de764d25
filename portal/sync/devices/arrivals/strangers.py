"""What a walk comes upon: all agents that it lists, and the strangers among them. A stranger has no
asset, and there is something that may be its computer: it waits for the end of the walk."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import NamedTuple

from msgspec import UNSET
from sqlalchemy import select
from sqlalchemy.orm import Session

from portal.db import is_among
from portal.models import Asset, SupersededAgent
from portal.sync.devices.identity.serials import real_serial
from portal.sync.devices.plan import Decision, find_status
from portal.sync.devices.sightings import Sighting
from portal.sync.runs.action import Action
from portal.tactical.api import AgentPage
from portal.tactical.records import TacticalAgent


class Listed(NamedTuple):
    """What one listing says of an agent."""

    status: str
    last_seen: datetime | None
    serial_number: str | None
    """None where the listing has none."""


@dataclass(frozen=True, slots=True)
class Stranger:
    """An agent to be decided at the end. With `asset_id` it has that asset, and what was told of
    it with its page is written: its first real serial number came in just now."""

    agent: TacticalAgent
    observed_at: datetime
    server_now: datetime
    asset_id: int | None = None
    is_superseded: bool = False


@dataclass
class Walk:
    integration_id: int
    listed: dict[str, Listed] = field(default_factory=dict)
    strangers: dict[str, Stranger] = field(default_factory=dict)
    twins: set[str] = field(default_factory=set)
    """agent_ids that came with this walk, several with one serial number that nothing else had."""
    created: set[str] = field(default_factory=set)
    """agent_ids of all for which pages made assets."""
    sightings: Mapping[str, Sighting] = field(default_factory=dict)
    """What is noted when all pages are read."""
    now: datetime | None = None
    """The latest moment of Tactical's clock; None before the first page."""
    skew: timedelta = timedelta()
    """How far Tactical's clock is behind ours, as less than nothing."""
    _agent_by_serial: dict[str, str] = field(default_factory=dict)
    """Of the agents that this walk made assets for."""

    @property
    def late(self) -> set[str]:
        """agent_ids that have assets, and that an earlier look left open: whether these are of
        computers that had one."""
        return {
            agent_id
            for agent_id, sighting in self.sightings.items()
            if sighting.has_asset
            and agent_id in self.listed
            and agent_id not in self.strangers
            and agent_id not in self.created
        }

    @property
    def lost(self) -> set[str]:
        """agent_ids that have no asset, and that an earlier look listed and this walk did not."""
        return {
            agent_id
            for agent_id, sighting in self.sightings.items()
            if not sighting.has_asset and agent_id not in self.listed
        }

    def part(
        self, session: Session, page: AgentPage, decisions: Sequence[Decision]
    ) -> tuple[list[Decision], list[Stranger]]:
        """What is written with the page, and the strangers of it."""
        self._note(page, decisions)
        serials = {each.external_id: _new_serial(each) for each in decisions}
        known = _find_known_serials(session, {serial for serial in serials.values() if serial})
        new = [each.external_id for each in decisions if each.action is Action.CREATED]
        superseded = find_superseded(session, self.integration_id, new)
        now, strangers = [], []
        for agent, decision in zip(page.agents, decisions, strict=True):
            serial = serials[decision.external_id]
            is_stranger = serial in known or decision.external_id in superseded
            if isinstance(agent, TacticalAgent) and is_stranger:
                stranger = self._add(agent, page, decision, decision.external_id in superseded)
                strangers.append(stranger)
                if stranger.asset_id is None:
                    continue
            elif serial:
                self._note_twins(serial, decision.external_id)
            now.append(decision)
        self.created |= {each.external_id for each in now if each.action is Action.CREATED}
        return now, strangers

    def _note(self, page: AgentPage, decisions: Sequence[Decision]) -> None:
        self.now = page.server_now if self.now is None else max(self.now, page.server_now)
        self.skew = min(self.skew, page.server_now - page.observed_at)
        for agent, decision in zip(page.agents, decisions, strict=True):
            if isinstance(agent, TacticalAgent):
                serial = None if agent.serial_number is UNSET else agent.serial_number
                status = decision.agent_status or find_status(agent, page.server_now)
                self.listed[agent.agent_id] = Listed(status, agent.last_seen, serial)

    def _add(
        self, agent: TacticalAgent, page: AgentPage, decision: Decision, is_superseded: bool
    ) -> Stranger:
        asset_id = decision.known.id if decision.known else None
        moments = page.observed_at, page.server_now
        stranger = Stranger(agent, *moments, asset_id, is_superseded)
        self.strangers[agent.agent_id] = stranger
        return stranger

    def _note_twins(self, serial: str, agent_id: str) -> None:
        first = self._agent_by_serial.setdefault(serial, agent_id)
        if first != agent_id:
            self.twins |= {first, agent_id}


def _new_serial(decision: Decision) -> str | None:
    """The real serial number of an agent that had none, or that is new."""
    found = (decision.facts or {}).get("serial_number")
    if decision.action is Action.CREATED:
        return real_serial(found)
    before = decision.known.facts["serial_number"] if decision.known else None
    if decision.known is None or found == before or real_serial(before):
        return None
    return real_serial(found)


def _find_known_serials(session: Session, serials: Collection[str]) -> set[str | None]:
    """Those of them that an asset has: of any integration of the tenant, for one that is set
    aside has assets too."""
    if not serials:
        return set()
    found = session.scalars(
        select(Asset.serial_key).where(is_among(Asset.serial_key, serials)).distinct()
    )
    return set(found)


def find_superseded(
    session: Session, integration_id: int, agent_ids: Collection[str], *, even_revived: bool = True
) -> set[str]:
    """Those of them that were superseded; or, without the revived ones, that still are."""
    if not agent_ids:
        return set()
    found = select(SupersededAgent.agent_id).where(
        SupersededAgent.integration_id == integration_id,
        is_among(SupersededAgent.agent_id, agent_ids),
    )
    if not even_revived:
        found = found.where(SupersededAgent.revived_at.is_(None))
    return set(session.scalars(found))
