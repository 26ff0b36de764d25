"""How often the status of each fleet is swept: by its size, and by what the workers can do.

A connection whose interval is fixed keeps it. The others are swept as often as reading them takes
a small share of the time; all less often where all sweeps together would leave the workers too
little for what else is steady work.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

from sqlalchemy import ScalarSelect, select, update

from portal import queue
from portal.clock import utc_now
from portal.db import db, transaction
from portal.models import Integration, Schedule
from portal.models.integrations.integration import IntegrationState
from portal.models.runs.sync_run import SyncKind
from portal.scope import all_tenants, tenant_scope

MINUTE = 60
SHORTEST_MINUTES, LONGEST_MINUTES = 1, 10
AGENT_MILLISECONDS = 3
"""What an agent's line of `agents/` was seen to take Tactical."""
SWEEP_MILLISECONDS = 150
"""What a sweep takes a worker beside that, a fork and a few statements: it was seen to do 57 a
minute of 300 agents each."""
READING_PERCENT = 5
WORKERS_PERCENT = 50


@dataclass(frozen=True, slots=True)
class SweepInterval:
    """What is in force for one connection."""

    seconds: int
    is_auto: bool
    is_stretched: bool
    """Longer than the fleet's size asks for: all sweeps together are much for the workers."""


def seconds_for(integration: Integration) -> int:
    """What is wished for; 0 is never. Whole minutes, so that a few agents more change nothing."""
    return _wished(integration.status_sweep_minutes, integration.found_agents)


def sweep_seconds(integration: Integration) -> ScalarSelect[int]:
    """Of its schedule, in SQL; null where nothing is swept by itself."""
    its = Schedule.integration_id == integration.id, Schedule.kind == SyncKind.STATUS
    return select(Schedule.every_seconds).where(*its).scalar_subquery()


def to_interval(integration: Integration, seconds: int | None) -> SweepInterval | None:
    """`seconds`: its `sweep_seconds`. None where nothing is swept by itself."""
    if seconds is None:
        return None
    is_auto = integration.status_sweep_minutes is None
    return SweepInterval(seconds, is_auto, is_auto and seconds > seconds_for(integration))


def fit_intervals() -> None:
    """Let every schedule of sweeps say the interval in force. Writes only what changes."""
    with all_tenants():
        rows = _list_sweeps()
    stretch = _stretch(rows)
    for row in rows:
        if row.status_sweep_minutes is not None:
            continue
        seconds = math.ceil(_wished(None, row.found_agents) * stretch / MINUTE) * MINUTE
        if seconds != row.every_seconds:
            _change(row, seconds)


def _list_sweeps() -> Sequence[Any]:
    return db.session.execute(
        select(
            Schedule.id,
            Schedule.tenant_id,
            Schedule.every_seconds,
            Schedule.next_due_at,
            Integration.status_sweep_minutes,
            Integration.found_agents,
        )
        .join(Integration, Integration.id == Schedule.integration_id)
        .where(
            Schedule.kind == SyncKind.STATUS,
            Integration.state == IntegrationState.ACTIVE,
            Integration.status_sweep_minutes.is_distinct_from(0),
        )
    ).all()


def _wished(minutes: int | None, agents: int | None) -> int:
    if minutes is not None:
        return minutes * MINUTE
    reading = (agents or 0) * AGENT_MILLISECONDS
    needed = math.ceil(reading * 100 / (READING_PERCENT * MINUTE * 1000))
    return min(max(needed, SHORTEST_MINUTES), LONGEST_MINUTES) * MINUTE


def _stretch(rows: Sequence[Any]) -> float:
    """By how much the intervals must grow; 1 where they need not."""
    busy = sum(
        (SWEEP_MILLISECONDS + (row.found_agents or 0) * AGENT_MILLISECONDS)
        / 1000
        / _wished(row.status_sweep_minutes, row.found_agents)
        for row in rows
    )
    if busy * 100 <= WORKERS_PERCENT:
        return 1.0  # one worker is enough, and there is no need to count them
    return max(1.0, busy * 100 / (WORKERS_PERCENT * queue.count_workers(queue.STEADY)))


def _change(row: Any, seconds: int) -> None:
    """Unless somebody else has. A shorter interval counts from now, a longer one from the next."""
    due = min(row.next_due_at, utc_now() + timedelta(seconds=seconds))
    with tenant_scope(row.tenant_id), transaction() as session:
        session.execute(
            update(Schedule)
            .where(Schedule.id == row.id, Schedule.next_due_at == row.next_due_at)
            .values(every_seconds=seconds, next_due_at=due)
            .execution_options(synchronize_session=False)
        )
