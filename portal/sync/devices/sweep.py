"""The status sweep: who of the fleet is there, since when, as whom, at what addresses.

It reads `agents/`, 1.2 KB each, and touches nothing that costs Tactical more. What an asset is
made of, whose it is and whether it is still there remain the device sync's to say.
"""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import closing
from datetime import datetime
from itertools import islice

from sqlalchemy import func, select

from portal.clock import utc_now
from portal.db import db, release, transaction
from portal.models import Asset, Integration
from portal.sync.devices.apply import count_decisions, log_entries
from portal.sync.devices.arrivals.waiting import Waiting
from portal.sync.devices.left_out import list_left_out, record_left_out
from portal.sync.devices.load import load_assets, load_organizations
from portal.sync.devices.plan import plan_presences
from portal.sync.devices.writers.base import write_decisions
from portal.sync.runs.log import RunLog
from portal.tactical.agents.fleet import DashboardFleet
from portal.tactical.api import Tactical
from portal.tactical.records import AgentPresence, BadRecord

AGENTS_AT_ONCE = 500


def sync_status(integration: Integration, tactical: Tactical, run_log: RunLog) -> None:
    """One look at the whole fleet. Raises TacticalError, EgressError and RunEnded.

    All of it is as old as the first request: what a device sync, or a refresh of one agent, has
    asked for later is newer and stays. An agent that is not listed keeps its status, which grows
    old.
    """
    run_log.set_phase("Reading the status of agents", _count_assets(integration.id))
    observed_at = utc_now()
    fleet = DashboardFleet(tactical, list_left_out(integration.id))
    waiting = Waiting(integration, tactical, run_log)
    with closing(fleet.stream(waiting.read)) as agents:
        while batch := list(islice(agents, AGENTS_AT_ONCE)):
            _apply(integration.id, batch, run_log, observed_at, waiting)
            release()
    if fleet.broken:
        record_left_out(integration.id, fleet.broken, run_log)
    else:
        waiting.decide(observed_at)


def _apply(
    integration_id: int,
    agents: Sequence[AgentPresence | BadRecord],
    run_log: RunLog,
    observed_at: datetime,
    waiting: Waiting,
) -> None:
    agent_ids = [agent.agent_id for agent in agents if isinstance(agent, AgentPresence)]
    with transaction() as session:
        organizations = load_organizations(session, integration_id)
        known = load_assets(session, integration_id, agent_ids)
        decisions = plan_presences(agents, known, organizations, observed_at)
        run_log.record(session, count_decisions(decisions), log_entries(decisions))
        write_decisions(session, integration_id, decisions, run_log)
        waiting.note(session, agents, known, organizations)


def _count_assets(integration_id: int) -> int | None:
    counted = select(func.count()).where(
        Asset.integration_id == integration_id, Asset.missing_since.is_(None)
    )
    number = db.session.scalar(counted)
    release()
    return number
