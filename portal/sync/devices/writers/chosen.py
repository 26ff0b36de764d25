"""Writing the rows of a plan that a person chose, where Tactical still says the same."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, replace

from sqlalchemy.orm import Session

from portal.db import transaction
from portal.models.runs.sync_plan import PlanAction
from portal.sync.devices.absence import Absence, mark_missing
from portal.sync.devices.apply import count_decisions, log_entries
from portal.sync.devices.plan import Decision
from portal.sync.devices.plan_rows import PlanRow, to_row
from portal.sync.devices.writers.base import write_decisions
from portal.sync.runs.log import RunLog, log_entry
from portal.sync.runs.plans import load_chosen, note_outcomes
from portal.tactical.api import AgentPage

APPLIED = "Applied."
AS_IT_IS = "Not applied: the asset is by now as Tactical has it."
CHANGED_SINCE = "Not applied: Tactical has changed it since the plan was made."
UNSEEN = "Not applied: Tactical did not list it this time."
MAYBE_LISTED = "Not applied: Tactical may still list it."


@dataclass
class ChosenWriter:
    integration_id: int
    run_log: RunLog
    plan_id: int
    open_rows: dict[str, PlanRow]
    """By agent_id: those that were not come upon yet."""

    @classmethod
    def load(cls, integration_id: int, run_log: RunLog, plan_id: int) -> ChosenWriter:
        with transaction() as session:
            rows = load_chosen(session, plan_id)
        return cls(integration_id, run_log, plan_id, rows)

    def write_page(self, session: Session, page: AgentPage, decisions: list[Decision]) -> None:
        outcomes: dict[str, str] = {}
        same: list[Decision] = []
        for decision in decisions:
            row = self.open_rows.get(decision.external_id)
            if row is None or row.action is PlanAction.MISSING:
                continue
            outcomes[row.agent_id] = _compare(row, to_row(decision))
            if outcomes[row.agent_id] == APPLIED:
                same.append(decision)
        counts = count_decisions(same) | Counter(seen=len(decisions))
        self.run_log.record(session, counts, log_entries(same), page.total)
        write_decisions(session, self.integration_id, same, self.run_log)
        self._note(session, outcomes)

    def write_end(self, absence: Absence, listed: int) -> None:
        wanted = {
            agent_id: asset
            for agent_id, asset in absence.assets.items()
            if listed and self._is_chosen_missing(agent_id)
        }
        chosen = replace(absence, assets=wanted)
        with transaction() as session:
            marked = mark_missing(session, self.integration_id, chosen, self.run_log)
            outcomes = {agent_id: _describe_unseen(row) for agent_id, row in self.open_rows.items()}
            self._note(session, outcomes | dict.fromkeys(marked, APPLIED))

    def _is_chosen_missing(self, agent_id: str) -> bool:
        row = self.open_rows.get(agent_id)
        return row is not None and row.action is PlanAction.MISSING

    def _note(self, session: Session, outcomes: Mapping[str, str]) -> None:
        note_outcomes(session, self.plan_id, outcomes)
        entries = [
            log_entry("note", agent_id, self.open_rows[agent_id].name, outcome)
            for agent_id, outcome in outcomes.items()
            if outcome != APPLIED
        ]
        if entries:
            self.run_log.note(session, entries)
        self.open_rows = {k: row for k, row in self.open_rows.items() if k not in outcomes}


def _compare(row: PlanRow, now: PlanRow | None) -> str:
    if now is None:
        return AS_IT_IS
    return APPLIED if now.is_same(row) else CHANGED_SINCE


def _describe_unseen(row: PlanRow) -> str:
    return MAYBE_LISTED if row.action is PlanAction.MISSING else UNSEEN
