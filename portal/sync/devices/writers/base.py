"""What the writers have in common."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Protocol

from sqlalchemy.orm import Session

from portal.models.runs.sync_plan import PlanAction
from portal.sync.devices.absence import Absence
from portal.sync.devices.apply import apply_decisions
from portal.sync.devices.arrivals.boards import ask_about_boards
from portal.sync.devices.arrivals.identification import Identified
from portal.sync.devices.arrivals.newcomers import plan_newcomers
from portal.sync.devices.arrivals.strangers import Stranger
from portal.sync.devices.conflicts import list_questions, open_conflicts
from portal.sync.devices.device_events import record_device_events
from portal.sync.devices.held_agents import spare_removed
from portal.sync.devices.held_conflicts import release_held
from portal.sync.devices.load import load_assets, load_organizations
from portal.sync.devices.plan import Decision
from portal.sync.devices.plan_rows import PlanRow
from portal.sync.devices.relinking import relink
from portal.sync.devices.sightings import drop_sightings, note_sightings
from portal.sync.history import list_changes, record_changes
from portal.sync.runs.action import Action
from portal.sync.runs.log import RunLog
from portal.tactical.api import AgentPage

AGENTS_AT_ONCE = 500


@dataclass(frozen=True, slots=True)
class Ending:
    """What a walk came to. `now` is by Tactical's clock."""

    absence: Absence
    """Without the assets whose computers came back under another agent."""
    listed: int
    """How many agents there are."""
    identified: Sequence[Identified]
    now: datetime

    @property
    def relinks(self) -> Sequence[Identified]:
        return [each for each in self.identified if each.is_relink]

    @property
    def merges(self) -> Sequence[Identified]:
        return [each for each in self.identified if each.is_merge]

    @property
    def others(self) -> Sequence[Identified]:
        return [each for each in self.identified if not each.takes_asset]


class Writer(Protocol):
    def write_page(
        self,
        session: Session,
        page: AgentPage,
        decisions: list[Decision],
        strangers: Sequence[Stranger],
    ) -> None:
        """In the transaction that holds what the decisions are about. The strangers are identified
        at the end."""

    def write_end(self, ending: Ending) -> None:
        """After the last page, in transactions of its own."""


def write_decisions(
    session: Session, integration_id: int, decisions: Sequence[Decision], run_log: RunLog
) -> dict[str, int]:
    """Assets, their history and their events; the ids of new assets by agent_id."""
    ask_about_boards(session, integration_id, decisions, run_log)
    created = apply_decisions(session, integration_id, decisions)
    record_changes(session, run_log.cause, list_changes(decisions, created))
    record_device_events(session, decisions, created)
    if released := {d.external_id: d.released for d in decisions if d.released}:
        release_held(session, integration_id, released)
    return created


def note_strangers(
    session: Session, integration_id: int, page: AgentPage, strangers: Sequence[Stranger]
) -> None:
    agent_ids = [each.agent.agent_id for each in strangers if not each.is_superseded]
    note_sightings(session, integration_id, dict.fromkeys(agent_ids, page.server_now))


def plan_identified(
    session: Session, integration_id: int, some: Sequence[Identified]
) -> list[Decision]:
    """The decisions about them by what is stored now."""
    agent_ids = {each.verdict.newcomer.agent_id for each in some}
    agent_ids |= {each.asset.agent_id for each in some if each.takes_asset and each.asset}
    organizations = load_organizations(session, integration_id)
    known = load_assets(session, integration_id, agent_ids)
    decisions = plan_newcomers(some, known, organizations)
    return spare_removed(session, integration_id, decisions)


def write_identified(
    session: Session,
    integration_id: int,
    decisions: Sequence[Decision],
    run_log: RunLog,
    now: datetime,
) -> None:
    """Relinks, new assets and questions to people: all but merges."""
    agents = {
        decision.known.id: decision.external_id
        for decision in decisions
        if decision.action is Action.RELINKED and decision.known
    }
    relink(session, integration_id, agents, run_log.cause, now)
    created = write_decisions(session, integration_id, decisions, run_log)
    questions = list_questions(decisions, created)
    open_conflicts(session, integration_id, questions, run_log.run_id)
    drop_sightings(session, integration_id, {*created, *_list_asked(decisions)})


def _list_asked(decisions: Sequence[Decision]) -> set[str]:
    return {decision.external_id for decision in decisions if decision.asks_person}


def missing_rows(absence: Absence) -> Iterator[PlanRow]:
    for agent_id, asset in absence.assets.items():
        yield PlanRow(PlanAction.MISSING, agent_id, asset.name, None, {})
