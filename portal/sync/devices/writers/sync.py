"""Writing all of it. What takes assets from where they are waits for the end of the walk, where
the brake looks at the whole."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field

from sqlalchemy import Select, func, select
from sqlalchemy.orm import Session

from portal.chunks import chunked
from portal.db import transaction
from portal.models import Asset, Client
from portal.models.runs.sync_plan import PlanOrigin
from portal.models.runs.sync_run import RunStatus
from portal.sync.devices.absence import Absence, mark_missing
from portal.sync.devices.apply import count_decisions, log_entries
from portal.sync.devices.brake import (
    Brake,
    BrakeSettings,
    BrakeVerdict,
    ClientChanges,
    judge_changes,
)
from portal.sync.devices.load import load_assets, load_organizations
from portal.sync.devices.moves import Move, part_moves, plan_moves
from portal.sync.devices.plan import Decision
from portal.sync.devices.plan_rows import to_rows
from portal.sync.devices.writers.base import missing_rows, write_decisions
from portal.sync.runs.log import RunLog
from portal.sync.runs.plans import add_plan, add_rows, open_plan
from portal.tactical.api import AgentPage

MOVES_AT_ONCE = 500


@dataclass
class SyncWriter:
    integration_id: int
    run_log: RunLog
    settings: BrakeSettings
    _moves: list[Move] = field(default_factory=list)

    def write_page(self, session: Session, page: AgentPage, decisions: list[Decision]) -> None:
        now, moves = part_moves(decisions, page.observed_at)
        waiting = {move.agent_id for move in moves}
        counts = count_decisions([each for each in now if each.external_id not in waiting])
        counts["seen"] = len(decisions)
        self.run_log.record(session, counts, log_entries(now), page.total)
        write_decisions(session, self.integration_id, now, self.run_log)
        self._moves += moves

    def write_end(self, absence: Absence, listed: int) -> None:
        if not self._moves and not absence.assets:
            return
        brake = self._judge(absence, listed)
        if brake.verdict is BrakeVerdict.NOTHING_LISTED:
            self.run_log.warn(str(brake.reason))
        if brake.verdict is not BrakeVerdict.GO:
            return
        for moves in chunked(self._moves, MOVES_AT_ONCE):
            self._move(moves)
        if absence.assets:
            with transaction() as session:
                mark_missing(session, self.integration_id, absence, self.run_log)

    def _move(self, moves: Sequence[Move]) -> None:
        with transaction() as session:
            decisions = self._plan(session, moves)
            counts = count_decisions(decisions)
            counts["unchanged"] += len(moves) - len(decisions)
            counts["seen"] = 0  # each was counted with its page
            self.run_log.record(session, counts, log_entries(decisions))
            write_decisions(session, self.integration_id, decisions, self.run_log)

    def _plan(self, session: Session, moves: Sequence[Move]) -> list[Decision]:
        organizations = load_organizations(session, self.integration_id)
        known = load_assets(session, self.integration_id, [move.agent_id for move in moves])
        return plan_moves(moves, known, organizations)

    def _judge(self, absence: Absence, listed: int) -> Brake:
        """What is too much is kept as a plan, on which a person decides."""
        with transaction() as session:
            moves = [
                decision
                for some in chunked(self._moves, MOVES_AT_ONCE)
                for decision in self._plan(session, some)
            ]
            clients = self._count_changes(session, moves, absence)
            brake = judge_changes(clients, listed, self.settings)
            if brake.verdict is BrakeVerdict.HELD:
                plan = add_plan(session, self.integration_id, self.run_log.run_id, PlanOrigin.BRAKE)
                add_rows(session, plan.id, [*to_rows(moves), *missing_rows(absence)])
                open_plan(session, plan.id, brake.reason)
                self.run_log.record(session, Counter(unchanged=len(self._moves)), [])
                self.run_log.end_as(RunStatus.HELD, brake.reason)
        return brake

    def _count_changes(
        self, session: Session, moves: Sequence[Decision], absence: Absence
    ) -> dict[int, ClientChanges]:
        missing = Counter(each.client_id for each in absence.assets.values())
        moved = Counter(
            move.known.client_id
            for move in moves
            if move.known is not None and "client_id" in (move.changes or {})
        )
        return {
            row.id: ClientChanges(row.name, row.assets, missing[row.id], moved[row.id])
            for row in session.execute(_count_by_client(self.integration_id))
        }


def _count_by_client(integration_id: int) -> Select[int, str, int]:
    return (
        select(Client.id, Client.name, func.count().label("assets"))
        .join(Asset, Asset.client_id == Client.id)
        .where(Asset.integration_id == integration_id, Asset.missing_since.is_(None))
        .group_by(Client.id, Client.name)
    )
