"""Syncing devices: the agents of mapped organizations, page by page, into assets."""

from __future__ import annotations

from dataclasses import replace

from portal.clock import utc_now
from portal.db import release, transaction
from portal.models import Integration
from portal.sync.devices.absence import Absence, confirm_absent, list_absent
from portal.sync.devices.apply import count_decisions, log_entries
from portal.sync.devices.brake import BrakeSettings
from portal.sync.devices.left_out import list_left_out, record_left_out
from portal.sync.devices.load import load_assets, load_organizations
from portal.sync.devices.plan import plan_agents
from portal.sync.devices.writers.base import Writer, write_decisions
from portal.sync.devices.writers.chosen import ChosenWriter
from portal.sync.devices.writers.plan import PlanWriter
from portal.sync.devices.writers.sync import SyncWriter
from portal.sync.organizations import note_restriction, write_organizations
from portal.sync.runs.log import RunLog, log_entry
from portal.tactical.agents.source import DASHBOARD, Source, choose_source
from portal.tactical.agents.walk import BetaWalk
from portal.tactical.api import LARGEST_PAGE, AgentPage, Tactical
from portal.tactical.records import TacticalAgent

CHANGING = "The list of agents changed each time it was read."
TOO_FEW = "Tactical listed fewer agents than it counts."


def sync_devices(integration: Integration, tactical: Tactical, run_log: RunLog) -> None:
    """One run over the whole fleet. Raises TacticalError, EgressError and RunEnded.

    What a page brought is committed before the next is looked at: a run that breaks off has
    lost nothing of what it had done.
    """
    run_log.set_phase("Reading organizations and sites")
    source = choose_source(tactical, integration.inventory_source)
    restricted = _begin(integration, source, run_log)
    brake = BrakeSettings(integration.brake_assets, integration.brake_percent)
    writer = SyncWriter(integration.id, run_log, brake)
    _walk(integration, tactical, source, run_log, writer, restricted)


def preview_devices(integration: Integration, tactical: Tactical, run_log: RunLog) -> None:
    """The same, with a plan as all that it writes. Raises as `sync_devices`."""
    run_log.set_phase("Reading organizations and sites")
    source = choose_source(tactical, integration.inventory_source)
    with transaction() as session:
        run_log.note_source(session, source.name)
    writer = PlanWriter(integration.id, run_log)
    _walk(integration, tactical, source, run_log, writer, _is_restricted(integration, source))


def apply_plan(integration: Integration, tactical: Tactical, run_log: RunLog, plan_id: int) -> None:
    """Read Tactical anew and write what a person chose of the plan, where it is still so. Raises
    as `sync_devices`."""
    run_log.set_phase("Reading organizations and sites")
    source = choose_source(tactical, integration.inventory_source)
    restricted = _begin(integration, source, run_log)
    writer = ChosenWriter.load(integration.id, run_log, plan_id)
    _walk(integration, tactical, source, run_log, writer, restricted)


def _walk(
    integration: Integration,
    tactical: Tactical,
    source: Source,
    run_log: RunLog,
    writer: Writer,
    restricted: bool | None,
) -> None:
    run_log.set_phase("Reading agents")
    seen: set[str] = set()
    # The beta list needs none: it derives nothing, so that Tactical fails at no site of it.
    left_out = list_left_out(integration.id) if source.name == DASHBOARD else frozenset[int]()
    walk = source.walk(tactical, integration.page_size, left_out)
    with walk.pages() as pages:
        for page in pages:
            apply_page(integration.id, page, run_log, writer)
            seen.update(a.agent_id for a in page.agents if isinstance(a, TacticalAgent))
            release()
    if isinstance(walk, BetaWalk):
        _note_page_size(run_log, integration.page_size, walk)
    broken = () if isinstance(walk, BetaWalk) else walk.fleet.broken
    if broken:
        record_left_out(integration.id, broken, run_log)
    elif not walk.complete:
        why = CHANGING if isinstance(walk, BetaWalk) else TOO_FEW
        run_log.warn(f"{why} The agents that were read were saved, none was marked as missing.")
    absence = Absence({}, utc_now())
    if walk.complete and not restricted:  # what the key may not see is not gone
        absence = replace(absence, assets=list_absent(integration.id, seen))
    if absence.assets and seen:
        absence = confirm_absent(tactical, absence.assets)
    writer.write_end(absence, len(seen))


def _note_page_size(run_log: RunLog, asked: int, walk: BetaWalk) -> None:
    if walk.page_size >= min(asked, LARGEST_PAGE):
        return
    reason = f"{asked} agents a page took Tactical too long; it was asked for {walk.page_size}."
    with transaction() as session:
        run_log.note(session, [log_entry("note", reason=reason)])


def apply_page(
    integration_id: int, page: AgentPage, run_log: RunLog, writer: Writer | None = None
) -> None:
    """Plan and write one page in one transaction; without a writer, all of it at once."""
    run_log.check()
    agent_ids = [agent.agent_id for agent in page.agents if isinstance(agent, TacticalAgent)]
    with transaction() as session:
        organizations = load_organizations(session, integration_id)
        known = load_assets(session, integration_id, agent_ids)
        decisions = plan_agents(
            page.agents, known, organizations, page.observed_at, page.server_now
        )
        if writer is not None:
            writer.write_page(session, page, decisions)
            return
        run_log.record(session, count_decisions(decisions), log_entries(decisions), page.total)
        write_decisions(session, integration_id, decisions, run_log)


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


def _is_restricted(integration: Integration, source: Source) -> bool | None:
    """As `_begin` has it, without noting it."""
    return integration.key_restricted if source.restricted is None else source.restricted
