"""Syncing devices: the agents of mapped organizations, page by page, into assets."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

from portal.clock import utc_now
from portal.db import db, release, transaction
from portal.models import Integration
from portal.sync.devices.absence import Absence, Absent, confirm_absent, list_absent
from portal.sync.devices.apply import count_decisions, log_entries
from portal.sync.devices.arrivals.identification import identify, list_open, wait_for_all
from portal.sync.devices.arrivals.newcomers import plan_wait
from portal.sync.devices.arrivals.strangers import Walk
from portal.sync.devices.arrivals.suggesting import suggest
from portal.sync.devices.brake import BrakeSettings
from portal.sync.devices.evidence import Listing, find_doubt, identify_listing
from portal.sync.devices.held_agents import spare_removed
from portal.sync.devices.left_out import list_left_out, record_left_out
from portal.sync.devices.load import load_assets, load_organizations
from portal.sync.devices.lost_agents import settle_lost
from portal.sync.devices.plan import plan_agents
from portal.sync.devices.retirement import note_listing
from portal.sync.devices.sightings import drop_stale_sightings, load_sightings
from portal.sync.devices.writers.base import Ending, Writer, note_strangers, write_decisions
from portal.sync.devices.writers.chosen import ChosenWriter
from portal.sync.devices.writers.plan import PlanWriter
from portal.sync.devices.writers.sync import SyncWriter
from portal.sync.organizations import note_restriction, write_organizations
from portal.sync.runs.log import RunLog, log_entry
from portal.tactical.agents.source import DASHBOARD, Source, choose_source
from portal.tactical.agents.walk import BetaWalk, DashboardWalk
from portal.tactical.api import LARGEST_PAGE, AgentPage, Tactical
from portal.tactical.records import BadRecord, TacticalAgent

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
    listing = _walk(integration, tactical, source, run_log, writer, restricted)
    # A run that is held left what is missing to a person.
    note_listing(integration, listing, run_log, counts=run_log.outcome is None)


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
    listing = _walk(integration, tactical, source, run_log, writer, restricted)
    note_listing(integration, listing, run_log, counts=False)


def _walk(
    integration: Integration,
    tactical: Tactical,
    source: Source,
    run_log: RunLog,
    writer: Writer,
    restricted: bool | None,
) -> Listing:
    run_log.set_phase("Reading agents")
    made_as = identify_listing(integration, source.name)
    seen = Walk(integration.id)
    unreadable = 0
    # The beta list needs none: it derives nothing, so that Tactical fails at no site of it.
    left_out = list_left_out(integration.id) if source.name == DASHBOARD else frozenset[int]()
    walk = source.walk(tactical, integration.page_size, left_out)
    with walk.pages() as pages:
        for page in pages:
            apply_page(integration.id, page, run_log, writer, seen)
            unreadable += sum(isinstance(agent, BadRecord) for agent in page.agents)
            release()
    _describe_walk(integration, walk, run_log)
    is_whole = walk.complete and not restricted  # what the key may not see is not gone
    doubt = find_doubt(integration, made_as, run_log.run_id, unreadable)
    listing = Listing(made_as, is_whole and bool(seen.listed), doubt, restricted)
    assets = list_absent(integration.id, seen.listed.keys()) if is_whole else {}
    absence = Absence(assets, utc_now())
    if seen.listed:
        absence = _confirm(tactical, listing, assets, run_log)
    ending = _identify_strangers(seen, absence, walk.complete, listing.is_evidence)
    writer.write_end(ending)
    if is_whole and not isinstance(writer, PlanWriter):
        lost = settle_lost(tactical, integration.id, seen.lost) if listing.is_evidence else set()
        open_ones = list_open(ending.identified)
        drop_stale_sightings(integration.id, seen.sightings, lost, open_ones)
    return listing


def _identify_strangers(
    seen: Walk, absence: Absence, is_complete: bool, is_evidence: bool
) -> Ending:
    """When it is sure who is gone: that says of strangers whose computers they may be."""
    seen.sightings = load_sightings(db.session(), seen.integration_id)
    if is_complete:
        identified = identify(db.session(), seen, absence, is_evidence)
        identified += suggest(db.session(), seen, absence, is_evidence)
    else:
        identified = wait_for_all(db.session(), seen)
    release()
    taken = {each.asset.agent_id for each in identified if each.takes_asset and each.asset}
    left = {id: asset for id, asset in absence.assets.items() if id not in taken}
    ending = replace(absence, assets=left), len(seen.listed), identified
    return Ending(*ending, seen.now or utc_now())


def _confirm(
    tactical: Tactical, listing: Listing, assets: Mapping[str, Absent], run_log: RunLog
) -> Absence:
    if assets and listing.is_evidence:
        return confirm_absent(tactical, assets)
    if assets:
        _note(run_log, str(listing.doubt))
    return Absence({}, utc_now())


def _describe_walk(
    integration: Integration, walk: BetaWalk | DashboardWalk, run_log: RunLog
) -> None:
    if isinstance(walk, BetaWalk):
        _note_page_size(run_log, integration.page_size, walk)
    broken = () if isinstance(walk, BetaWalk) else walk.fleet.broken
    if broken:
        record_left_out(integration.id, broken, run_log)
    elif not walk.complete:
        why = CHANGING if isinstance(walk, BetaWalk) else TOO_FEW
        run_log.warn(f"{why} The agents that were read were saved, none was marked as missing.")


def _note_page_size(run_log: RunLog, asked: int, walk: BetaWalk) -> None:
    if walk.page_size >= min(asked, LARGEST_PAGE):
        return
    _note(
        run_log,
        f"Tactical took too long for pages of {asked} agents, so the portal asked for "
        f"{walk.page_size} at a time.",
    )


def _note(run_log: RunLog, reason: str) -> None:
    with transaction() as session:
        run_log.note(session, [log_entry("note", reason=reason)])


def apply_page(
    integration_id: int,
    page: AgentPage,
    run_log: RunLog,
    writer: Writer | None = None,
    walk: Walk | None = None,
) -> None:
    """Plan and write one page in one transaction; without a writer, all of it at once but for
    strangers: those wait for the next list."""
    run_log.check()
    walk = walk or Walk(integration_id)
    agent_ids = [agent.agent_id for agent in page.agents if isinstance(agent, TacticalAgent)]
    with transaction() as session:
        organizations = load_organizations(session, integration_id)
        known = load_assets(session, integration_id, agent_ids)
        planned = plan_agents(page.agents, known, organizations, page.observed_at, page.server_now)
        decisions, strangers = walk.part(session, page, planned)
        decisions = spare_removed(session, integration_id, decisions)
        if writer is not None:
            writer.write_page(session, page, decisions, strangers)
            return
        note_strangers(session, integration_id, page, strangers)
        decisions += [plan_wait(each) for each in strangers if each.asset_id is None]
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
        left = write_organizations(session, stored, source.organizations).gone.reason
        if left:
            run_log.note(session, [log_entry("note", reason=left)])
        return stored.key_restricted


def _is_restricted(integration: Integration, source: Source) -> bool | None:
    """As `_begin` has it, without noting it."""
    return integration.key_restricted if source.restricted is None else source.restricted
