"""What the writers have in common."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Protocol

from sqlalchemy.orm import Session

from portal.models.runs.sync_plan import PlanAction
from portal.sync.devices.absence import Absence
from portal.sync.devices.apply import apply_decisions
from portal.sync.devices.device_events import record_device_events
from portal.sync.devices.plan import Decision
from portal.sync.devices.plan_rows import PlanRow
from portal.sync.history import list_changes, record_changes
from portal.sync.runs.log import RunLog
from portal.tactical.api import AgentPage


class Writer(Protocol):
    def write_page(self, session: Session, page: AgentPage, decisions: list[Decision]) -> None:
        """In the transaction that holds what the decisions are about."""

    def write_end(self, absence: Absence, listed: int) -> None:
        """After the last page, in transactions of its own. `listed`: how many agents there are."""


def write_decisions(
    session: Session, integration_id: int, decisions: Sequence[Decision], run_log: RunLog
) -> None:
    """Assets, their history and their events."""
    created = apply_decisions(session, integration_id, decisions)
    record_changes(session, run_log.cause, list_changes(decisions, created))
    record_device_events(session, decisions, created)


def missing_rows(absence: Absence) -> Iterator[PlanRow]:
    for agent_id, asset in absence.assets.items():
        yield PlanRow(PlanAction.MISSING, agent_id, asset.name, None, {})
