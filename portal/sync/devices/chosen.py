"""Syncing chosen agents, each read by itself: those that another run could not use, say."""

from __future__ import annotations

from collections import Counter
from dataclasses import replace

from sqlalchemy import select

from portal.db import db, release, transaction
from portal.models import Asset, Integration, SyncRun
from portal.sync.devices.one_agent import read_agent
from portal.sync.devices.run import apply_page
from portal.sync.runs.log import RunLog, log_entry
from portal.tactical.agents.source import DASHBOARD
from portal.tactical.api import Tactical
from portal.tactical.errors import NotFoundInTactical, TacticalError
from portal.tactical.record_errors import may_be_of_record


def sync_chosen(integration: Integration, tactical: Tactical, run_log: RunLog) -> None:
    """Refresh the asset of each agent that the run names, or make it.

    What is wrong with one agent costs that one. Raises TacticalError and EgressError for what is
    wrong with the server, and RunEnded.
    """
    agent_ids = _list_chosen(run_log.run_id)
    run_log.set_phase("Reading agents one by one", total=len(agent_ids))
    with transaction() as session:
        run_log.note_source(session, DASHBOARD)
    for agent_id in agent_ids:
        run_log.check()
        try:
            _, page = read_agent(integration, tactical, agent_id)
        except TacticalError as error:
            if not may_be_of_record(error):
                raise
            _fail(integration.id, agent_id, _describe(error), run_log)
        else:
            apply_page(integration.id, replace(page, total=None), run_log)
        release()


def _list_chosen(run_id: int) -> list[str]:
    chosen = db.session.scalar(select(SyncRun.agent_ids).where(SyncRun.id == run_id))
    release()
    return chosen or []


def _fail(integration_id: int, agent_id: str, reason: str, run_log: RunLog) -> None:
    known = select(Asset.name).where(
        Asset.integration_id == integration_id, Asset.rmm_device_id == agent_id
    )
    with transaction() as session:
        name = session.scalar(known) or agent_id
        entry = log_entry("failed", agent_id, name, reason)
        run_log.record(session, Counter(seen=1, failed=1), [entry])


def _describe(error: TacticalError) -> str:
    """Without the agent's id, so that errors of one cause read alike."""
    if isinstance(error, NotFoundInTactical):
        return "Tactical no longer has this agent, or the credentials may not see it."
    return error.message
