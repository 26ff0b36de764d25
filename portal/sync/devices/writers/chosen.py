"""Writing the rows of a plan that a person chose, where Tactical still says the same."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime

from sqlalchemy.orm import Session

from portal.chunks import chunked
from portal.db import transaction
from portal.models.runs.sync_plan import PlanAction
from portal.sync.devices.absence import mark_missing
from portal.sync.devices.apply import count_decisions, log_entries
from portal.sync.devices.arrivals.identification import Identified
from portal.sync.devices.arrivals.newcomers import count_newcomers
from portal.sync.devices.arrivals.strangers import Stranger
from portal.sync.devices.plan import Decision
from portal.sync.devices.plan_rows import PlanRow, to_row
from portal.sync.devices.writers.base import (
    AGENTS_AT_ONCE,
    Ending,
    note_strangers,
    plan_identified,
    write_decisions,
    write_identified,
)
from portal.sync.devices.writers.merges import write_merge
from portal.sync.runs.log import RunLog, log_entry
from portal.sync.runs.plans import RowKey, load_chosen, note_outcomes
from portal.tactical.api import AgentPage

APPLIED = "Applied."
AS_IT_IS = "Not applied: the asset already matches Tactical."
CHANGED_SINCE = "Not applied: Tactical has changed it since the plan was made."
UNSEEN = "Not applied: Tactical did not list it this time."
MAYBE_LISTED = "Not applied: Tactical may still list it."


@dataclass
class ChosenWriter:
    integration_id: int
    run_log: RunLog
    plan_id: int
    open_rows: dict[RowKey, PlanRow]
    """Those that were not come upon yet."""
    _made: set[str] = field(default_factory=set)
    """Agents for which chosen rows made assets: what is asked about these goes with them."""

    @classmethod
    def load(cls, integration_id: int, run_log: RunLog, plan_id: int) -> ChosenWriter:
        with transaction() as session:
            rows = load_chosen(session, plan_id)
        return cls(integration_id, run_log, plan_id, rows)

    def write_page(
        self,
        session: Session,
        page: AgentPage,
        decisions: list[Decision],
        strangers: Sequence[Stranger],
    ) -> None:
        same, outcomes = self._choose(decisions, at_end=False)
        note_strangers(session, self.integration_id, page, strangers)
        counts = count_decisions(same) | Counter(seen=len(page.agents))
        self.run_log.record(session, counts, log_entries(same), page.total)
        self._made |= write_decisions(session, self.integration_id, same, self.run_log).keys()
        self._note(session, outcomes)

    def write_end(self, ending: Ending) -> None:
        for some in chunked([*ending.relinks, *ending.others], AGENTS_AT_ONCE):
            self._write_identified(some, ending.now)
        for each in ending.merges:
            self._merge(each, ending.now)
        wanted = {
            agent_id: asset
            for agent_id, asset in ending.absence.assets.items()
            if ending.listed and self._is_chosen_missing(agent_id)
        }
        chosen = replace(ending.absence, assets=wanted)
        with transaction() as session:
            marked = mark_missing(session, self.integration_id, chosen, self.run_log)
            outcomes = {key: _describe_unseen(row) for key, row in self.open_rows.items()}
            done = dict.fromkeys(((agent_id, True) for agent_id in marked), APPLIED)
            self._note(session, outcomes | done)

    def _write_identified(self, some: Sequence[Identified], now: datetime) -> None:
        with transaction() as session:
            decisions = plan_identified(session, self.integration_id, some)
            same, outcomes = self._choose(decisions, at_end=True)
            self.run_log.record(session, count_newcomers(same), log_entries(same))
            write_identified(session, self.integration_id, same, self.run_log, now)
            self._note(session, outcomes)

    def _merge(self, each: Identified, now: datetime) -> None:
        with transaction() as session:
            decisions = plan_identified(session, self.integration_id, [each])
            same, outcomes = self._choose(decisions, at_end=True)
            for decision in same:
                problem = write_merge(session, self.integration_id, decision, self.run_log, now)
                if problem is not None:
                    outcomes[decision.external_id, True] = f"Not applied: {problem}"
            self._note(session, outcomes)

    def _choose(
        self, decisions: Sequence[Decision], at_end: bool
    ) -> tuple[list[Decision], dict[RowKey, str]]:
        """Those that were chosen and are still the same; and what becomes of each chosen row."""
        same: list[Decision] = []
        outcomes: dict[RowKey, str] = {}
        for decision in decisions:
            key = self._find_row(decision, at_end)
            if key is None:
                if decision.asks_person and decision.external_id in self._made:
                    same.append(decision)
                continue
            outcomes[key] = _compare(self.open_rows[key], to_row(decision))
            if outcomes[key] == APPLIED:
                same.append(decision)
        return same, outcomes

    def _find_row(self, decision: Decision, at_end: bool) -> RowKey | None:
        """Of the same part of the run; of the other one where an agent that has no asset is decided
        about sooner or later than in the plan."""
        keys = [(decision.external_id, at_end)]
        if decision.known is None:
            keys.append((decision.external_id, not at_end))
        for key in keys:
            row = self.open_rows.get(key)
            if row is not None and row.action is not PlanAction.MISSING:
                return key
        return None

    def _is_chosen_missing(self, agent_id: str) -> bool:
        row = self.open_rows.get((agent_id, True))
        return row is not None and row.action is PlanAction.MISSING

    def _note(self, session: Session, outcomes: Mapping[RowKey, str]) -> None:
        note_outcomes(session, self.plan_id, outcomes)
        entries = [
            log_entry("note", key[0], self.open_rows[key].name, outcome)
            for key, outcome in outcomes.items()
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
