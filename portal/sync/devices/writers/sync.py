"""Writing all of it. What takes assets from where they are waits for the end of the walk, where
the brake looks at the whole."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime

from sqlalchemy import Select, func, select
from sqlalchemy.orm import Session

from portal.chunks import chunked
from portal.db import transaction
from portal.models import Asset, Client
from portal.models.runs.sync_plan import PlanOrigin
from portal.models.runs.sync_run import RunStatus
from portal.sync.devices.absence import Absence, mark_missing
from portal.sync.devices.apply import count_decisions, log_entries
from portal.sync.devices.arrivals.identification import Identified
from portal.sync.devices.arrivals.newcomers import count_newcomers
from portal.sync.devices.arrivals.strangers import Stranger
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
from portal.sync.devices.writers.base import (
    AGENTS_AT_ONCE,
    Ending,
    missing_rows,
    note_strangers,
    plan_identified,
    write_decisions,
    write_identified,
)
from portal.sync.devices.writers.merges import merge_identified
from portal.sync.runs.log import RunLog
from portal.sync.runs.plans import add_plan, add_rows, open_plan
from portal.tactical.api import AgentPage

MOVES_AT_ONCE = 500


@dataclass
class SyncWriter:
    integration_id: int
    run_log: RunLog
    settings: BrakeSettings
    makes_plan: bool = True
    """What is held is kept as a plan, for a person; otherwise the next run looks at it anew."""
    _moves: list[Move] = field(default_factory=list)

    def write_page(
        self,
        session: Session,
        page: AgentPage,
        decisions: list[Decision],
        strangers: Sequence[Stranger],
    ) -> None:
        now, moves = part_moves(decisions, page.observed_at)
        moving = {move.agent_id for move in moves}
        counts = count_decisions([each for each in now if each.external_id not in moving])
        counts["seen"] = len(page.agents)
        self.run_log.record(session, counts, log_entries(now), page.total)
        write_decisions(session, self.integration_id, now, self.run_log)
        note_strangers(session, self.integration_id, page, strangers)
        self._moves += moves

    def write_end(self, ending: Ending) -> None:
        for some in chunked(ending.others, AGENTS_AT_ONCE):
            self._write_identified(some, ending.now)
        takes_assets = ending.relinks or ending.merges
        if not self._moves and not ending.absence.assets and not takes_assets:
            return
        brake = self._judge(ending)
        if brake.verdict is BrakeVerdict.NOTHING_LISTED:
            self.run_log.warn(str(brake.reason))
        if brake.verdict is not BrakeVerdict.GO:
            return
        for some in chunked(ending.relinks, AGENTS_AT_ONCE):
            self._write_identified(some, ending.now)
        for moves in chunked(self._moves, MOVES_AT_ONCE):
            self._move(moves)
        for each in ending.merges:
            with transaction() as session:
                merge_identified(session, self.integration_id, each, self.run_log, ending.now)
        if ending.absence.assets:
            with transaction() as session:
                mark_missing(session, self.integration_id, ending.absence, self.run_log)

    def _write_identified(self, some: Sequence[Identified], now: datetime) -> None:
        with transaction() as session:
            decisions = plan_identified(session, self.integration_id, some)
            self.run_log.record(session, count_newcomers(decisions), log_entries(decisions))
            write_identified(session, self.integration_id, decisions, self.run_log, now)

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

    def _judge(self, ending: Ending) -> Brake:
        """What is too much is kept as a plan, on which a person decides."""
        with transaction() as session:
            moves = [
                decision
                for some in chunked(self._moves, MOVES_AT_ONCE)
                for decision in self._plan(session, some)
            ]
            relinks = [
                decision
                for some in chunked([*ending.relinks, *ending.merges], AGENTS_AT_ONCE)
                for decision in plan_identified(session, self.integration_id, some)
            ]
            clients = self._count_changes(session, moves, relinks, ending.absence)
            brake = judge_changes(clients, ending.listed, self.settings)
            if brake.verdict is BrakeVerdict.HELD and not self.makes_plan:
                self.run_log.record(session, Counter(waiting=len(relinks)), [])
            elif brake.verdict is BrakeVerdict.HELD:
                plan = add_plan(session, self.integration_id, self.run_log.run_id, PlanOrigin.BRAKE)
                rows = [*to_rows(relinks), *to_rows(moves), *missing_rows(ending.absence)]
                add_rows(session, plan.id, rows)
                open_plan(session, plan.id, brake.reason)
                counts = Counter(unchanged=len(self._moves), waiting=len(relinks))
                self.run_log.record(session, counts, [])
                self.run_log.end_as(RunStatus.HELD, brake.reason)
        return brake

    def _count_changes(
        self,
        session: Session,
        moves: Sequence[Decision],
        relinks: Sequence[Decision],
        absence: Absence,
    ) -> dict[int, ClientChanges]:
        missing = Counter(each.client_id for each in absence.assets.values())
        moved = Counter(
            move.known.client_id
            for move in moves
            if move.known is not None and "client_id" in (move.changes or {})
        )
        relinked = Counter(each.known.client_id for each in relinks if each.known is not None)
        return {
            row.id: ClientChanges(
                row.name, row.assets, missing[row.id], moved[row.id], relinked[row.id]
            )
            for row in session.execute(_count_by_client(self.integration_id))
        }


def _count_by_client(integration_id: int) -> Select[int, str, int]:
    return (
        select(Client.id, Client.name, func.count().label("assets"))
        .join(Asset, Asset.client_id == Client.id)
        .where(Asset.integration_id == integration_id, Asset.missing_since.is_(None))
        .group_by(Client.id, Client.name)
    )
