"""Agents without an asset, or with one that may be another's computer, as a status sweep comes upon
them.

All without one are noted. Those that earlier looks have noted, and that may be a known computer,
are decided anew: the old agent may have gone silent meanwhile. So are those that were superseded
and check in again.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import replace
from datetime import datetime

from msgspec import UNSET
from sqlalchemy.orm import Session

from portal.clock import utc_now
from portal.db import db, release, transaction
from portal.models import Integration
from portal.sync.devices.absence import Absence, confirm_absent, list_absent
from portal.sync.devices.arrivals.identification import Identified, identify, list_open
from portal.sync.devices.arrivals.known_computers import load_superseded_at
from portal.sync.devices.arrivals.strangers import Listed, Walk, find_superseded
from portal.sync.devices.brake import BrakeSettings
from portal.sync.devices.evidence import identify_listing
from portal.sync.devices.load import load_assets, load_organizations
from portal.sync.devices.plan import KnownAsset, KnownOrganization, plan_agents
from portal.sync.devices.sightings import drop_stale_sightings, load_sightings, note_sightings
from portal.sync.devices.writers.base import Ending
from portal.sync.devices.writers.sync import SyncWriter
from portal.sync.runs.log import RunLog
from portal.tactical.agents.source import BETA, DASHBOARD
from portal.tactical.api import AgentPage, Tactical
from portal.tactical.reading.rows import Places, Raw, read_dashboard_agent, read_presence
from portal.tactical.records import AgentPresence, BadRecord
from portal.tactical.status import AgentStatus


class Waiting:
    """What one sweep knows of them. `read` is called for each row of the list."""

    def __init__(self, integration: Integration, tactical: Tactical, run_log: RunLog) -> None:
        self._integration, self._tactical, self._run_log = integration, tactical, run_log
        self._noted = load_sightings(db.session(), integration.id)
        self._superseded = load_superseded_at(db.session(), integration.id)
        release()
        self._walk = Walk(integration.id)
        self._rows: dict[str, Raw] = {}
        self._is_readable = True

    def read(self, raw: Raw) -> AgentPresence | BadRecord:
        agent = read_presence(raw)
        if isinstance(agent, BadRecord):
            self._is_readable = False
        elif self._noted or self._superseded:
            status = AgentStatus.UNKNOWN if agent.status is UNSET else agent.status
            self._walk.listed[agent.agent_id] = Listed(str(status), agent.last_seen, None)
            if agent.agent_id in self._noted or self._is_revived(agent):
                self._rows[agent.agent_id] = raw
        return agent

    def _is_revived(self, agent: AgentPresence) -> bool:
        superseded_at = self._superseded.get(agent.agent_id)
        if superseded_at is None or agent.last_seen is None:
            return False
        return agent.last_seen > superseded_at

    def note(
        self,
        session: Session,
        agents: Iterable[AgentPresence | BadRecord],
        known: Mapping[str, KnownAsset],
        organizations: Mapping[str, KnownOrganization],
    ) -> None:
        """That these were listed, where they could have an asset and have none."""
        synced = {each.name for each in organizations.values() if each.syncs}
        strangers = {
            agent.agent_id
            for agent in agents
            if isinstance(agent, AgentPresence)
            and agent.agent_id not in known
            and agent.organization_name in synced
        }
        strangers -= find_superseded(session, self._integration.id, strangers)
        now = self._tactical.session.answered_at
        note_sightings(session, self._integration.id, dict.fromkeys(strangers, now))

    def decide(self, observed_at: datetime) -> None:
        """After the whole list was read. Raises TacticalError, EgressError and RunEnded."""
        if not self._rows:
            return
        inventory = self._tactical.get_dashboard_inventory()
        walk = self._walk
        if len(walk.listed) < (inventory.agent_count or 0):
            return  # some were left out
        self._find_strangers(inventory.places(), observed_at)
        identified = self._identify() if walk.strangers or walk.late else []
        # Those that are gone are a device sync's to say.
        drop_stale_sightings(self._integration.id, walk.sightings, (), list_open(identified))

    def _identify(self) -> list[Identified]:
        """And write what follows."""
        absence, is_evidence = Absence({}, utc_now()), self._is_evidence()
        if is_evidence:
            absent = list_absent(self._integration.id, self._walk.listed.keys())
            absence = confirm_absent(self._tactical, absent) if absent else absence
        identified = identify(db.session(), self._walk, absence, is_evidence)
        release()
        without_asset = sum(each.verdict.newcomer.asset_id is None for each in identified)
        with transaction() as session:  # so far they count as skipped
            self._run_log.record(session, Counter(skipped=-without_asset), [])
        ending = Ending(
            replace(absence, assets={}),  # whether they are missing is a device sync's to say
            len(self._walk.listed),
            identified,
            self._walk.now or utc_now(),
        )
        brake = BrakeSettings(self._integration.brake_assets, self._integration.brake_percent)
        writer = SyncWriter(self._integration.id, self._run_log, brake, makes_plan=False)
        writer.write_end(ending)
        return identified

    def _find_strangers(self, places: Places, observed_at: datetime) -> None:
        """Those whose computer may be known."""
        now = self._tactical.session.answered_at
        agents = [read_dashboard_agent(row, places) for row in self._rows.values()]
        page = AgentPage(agents, None, observed_at, now)
        session = db.session()
        organizations = load_organizations(session, self._integration.id)
        known = load_assets(session, self._integration.id, self._rows)
        planned = plan_agents(agents, known, organizations, observed_at, now)
        self._walk.part(session, page, planned)
        self._walk.created.clear()  # nothing is: what else has no asset is left to a device sync
        self._walk.sightings = load_sightings(session, self._integration.id)
        release()

    def _is_evidence(self) -> bool:
        """Who is not listed is gone: nothing was left out, and the last complete sync was made with
        the same credentials."""
        sources = (BETA, DASHBOARD)
        made_as = {identify_listing(self._integration, source) for source in sources}
        is_alike = self._integration.listed_as in made_as
        return self._is_readable and is_alike and not self._integration.key_restricted
