"""Syncing devices: the agents of mapped organizations, page by page, into assets."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from datetime import datetime

from sqlalchemy import select, update
from sqlalchemy.orm import Session

from portal.chunks import chunked
from portal.clock import utc_now
from portal.db import release, transaction
from portal.models import Asset, Integration
from portal.models.assets.change import ChangeAction
from portal.sync.devices.apply import apply_decisions, count_decisions, log_entries
from portal.sync.devices.left_out import list_left_out, record_left_out
from portal.sync.devices.load import load_assets, load_organizations
from portal.sync.devices.news import record_device_events
from portal.sync.devices.plan import plan_agents
from portal.sync.history import ColumnChange, list_changes, record_changes
from portal.sync.organizations import note_restriction, write_organizations
from portal.sync.runs.cause import Cause
from portal.sync.runs.log import RunLog, log_entry
from portal.sync.software.store import recount_software_of
from portal.tactical.agents.source import DASHBOARD, Source, choose_source
from portal.tactical.agents.walk import BetaWalk
from portal.tactical.api import LARGEST_PAGE, AgentPage, Tactical
from portal.tactical.records import TacticalAgent

IDS_AT_ONCE = 1000


def sync_devices(integration: Integration, tactical: Tactical, run_log: RunLog) -> None:
    """One run over the whole fleet. Raises TacticalError, EgressError and RunEnded.

    What a page brought is committed before the next is looked at: a run that breaks off has
    lost nothing of what it had done.
    """
    page_size = integration.page_size
    run_log.set_phase("Reading organizations and sites")
    source = choose_source(tactical, integration.inventory_source)
    restricted = _begin(integration, source, run_log)
    run_log.set_phase("Reading agents")
    seen: set[str] = set()
    # The beta list needs none: it derives nothing, so that Tactical fails at no site of it.
    left_out = list_left_out(integration.id) if source.name == DASHBOARD else frozenset[int]()
    walk = source.walk(tactical, page_size, left_out)
    with walk.pages() as pages:
        for page in pages:
            apply_page(integration.id, page, run_log)
            seen.update(a.agent_id for a in page.agents if isinstance(a, TacticalAgent))
            release()
    if isinstance(walk, BetaWalk):
        _note_page_size(run_log, page_size, walk)
    elif walk.fleet.broken:
        record_left_out(integration.id, walk.fleet.broken, run_log)
        return
    if not walk.complete:
        run_log.warn(
            "The list of agents changed each time it was read. The agents that were read were "
            "saved, and none was marked as missing."
        )
        return
    if restricted:
        return  # what the key may not see is not gone
    _mark_missing(integration.id, tactical, run_log, seen)


def _note_page_size(run_log: RunLog, asked: int, walk: BetaWalk) -> None:
    if walk.page_size >= min(asked, LARGEST_PAGE):
        return
    reason = f"{asked} agents a page took Tactical too long; it was asked for {walk.page_size}."
    with transaction() as session:
        run_log.note(session, [log_entry("note", reason=reason)])


def apply_page(integration_id: int, page: AgentPage, run_log: RunLog) -> None:
    """Plan and write one page in one transaction."""
    run_log.check()
    agent_ids = [agent.agent_id for agent in page.agents if isinstance(agent, TacticalAgent)]
    with transaction() as session:
        organizations = load_organizations(session, integration_id)
        known = load_assets(session, integration_id, agent_ids)
        decisions = plan_agents(
            page.agents, known, organizations, page.observed_at, page.server_now
        )
        run_log.record(session, count_decisions(decisions), log_entries(decisions), page.total)
        created = apply_decisions(session, integration_id, decisions)
        record_changes(session, run_log.cause, list_changes(decisions, created))
        record_device_events(session, decisions, created)


def _begin(integration: Integration, source: Source, run_log: RunLog) -> bool | None:
    """Note what the run reads, and bring the organizations up to date on the way.

    Whether the key is restricted, as far as that is known.
    """
    with transaction() as session:
        run_log.note_source(session, source.name)
        stored = session.get_one(Integration, integration.id)
        note_restriction(stored, source)
        if stored.inventory_source != source.name:
            stored.beta_api = source.beta_on
        write_organizations(session, stored, source.organizations)
        return stored.key_restricted


def _mark_missing(integration_id: int, tactical: Tactical, run_log: RunLog, seen: set[str]) -> None:
    """Note which stored agents Tactical lists no more. Nothing is retired by that.

    One listing is not enough to go by: an agent counts as missing only when a second one,
    of another endpoint, does not have it either. A listing that is empty, or holds a record
    that cannot be read, is no evidence at all.
    """
    absent = _list_absent(integration_id, seen)
    if not absent:
        return
    if not seen:
        run_log.warn("Tactical lists no agents at all, so the assets were left as they are.")
        return
    release()
    asked_at = utc_now()
    confirmed = sorted(tactical.find_absent(absent))
    if not confirmed:
        return
    with transaction() as session:
        missing = [
            agent_id
            for ids in chunked(confirmed, IDS_AT_ONCE)
            for agent_id in _set_missing(session, integration_id, ids, asked_at, run_log.cause)
        ]
        entries = [log_entry("missing", agent_id, absent[agent_id]) for agent_id in missing]
        run_log.record(session, Counter(missing=len(missing)), entries)


def _set_missing(
    session: Session,
    integration_id: int,
    agent_ids: Sequence[str],
    asked_at: datetime,
    cause: Cause,
) -> Sequence[str]:
    """Which of these are missing now: not one that a sweep has seen since."""
    rows = session.execute(
        update(Asset)
        .where(
            Asset.integration_id == integration_id,
            Asset.rmm_device_id.in_(agent_ids),
            Asset.status_at <= asked_at,
        )
        .values(missing_since=asked_at)
        .returning(Asset.id, Asset.rmm_device_id)
        .execution_options(synchronize_session=False)
    ).all()
    recount_software_of(session, [row.id for row in rows])
    since = [
        ColumnChange(row.id, ChangeAction.MISSING, "missing_since", None, asked_at) for row in rows
    ]
    record_changes(session, cause, since)
    return [row.rmm_device_id for row in rows]


def _list_absent(integration_id: int, seen: set[str]) -> dict[str, str]:
    """agent_id to name of assets that were not seen and not known to be missing."""
    with transaction() as session:
        rows = session.execute(
            select(Asset.rmm_device_id, Asset.name).where(
                Asset.integration_id == integration_id, Asset.missing_since.is_(None)
            )
        )
        return {row[0]: row[1] for row in rows if row[0] not in seen}
