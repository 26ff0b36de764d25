"""A tenant connected to the simulated Tactical server, and what a person or a job does in it."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import pytest
from flask import Flask

from portal.db import db, transaction
from portal.models import ConnectionTest, SyncLogEntry, SyncRun
from portal.models.integrations.integration import AuthMode
from portal.models.runs.sync_run import SyncKind
from portal.scope import tenant_scope
from portal.services.accounts.tenants import add_tenant
from portal.services.export import export_assets, export_organizations
from portal.services.integrations import connect, testing
from portal.services.integrations.current import get_integration
from portal.services.integrations.options import OPTIONS
from portal.services.organizations import mapping
from portal.services.organizations.listing import get_organization_by_external_id
from portal.services.runs import execution
from portal.services.runs.history import list_log_entries
from portal.tactical.probe.result import ProbeResult
from tactical_simulator import SimulatedTactical
from tactical_simulator.settings import SERVER_VERSION
from tests.tactical.talking import admin

Row = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Msp:
    """Every method but those of `tactical` belongs inside `scope`."""

    app: Flask
    tactical: SimulatedTactical
    id: int

    @contextmanager
    def scope(self) -> Iterator[None]:
        """As a request or a job has it: an application context and the tenant's scope."""
        with self.app.app_context(), tenant_scope(self.id):
            yield

    @property
    def agents(self) -> list[str]:
        ids: list[str] = self.tactical.control.agents.ids()
        return ids

    def truth(self, agent_id: str) -> Row:
        return self.tactical.control.truth.agent(agent_id=agent_id)

    def sites_of_others(self, agent_id: str) -> list[Row]:
        """Agents of other clients, one of each."""
        own = self.truth(agent_id)["client_pk"]
        others = [a for a in self.tactical.control.truth.agents() if a["client_pk"] != own]
        return list({agent["client_pk"]: agent for agent in others}.values())

    def connect(self, **settings: Any) -> ConnectionTest:
        known = {"base_url": self.tactical.url, "api_key": self.tactical.api_key}
        names = settings.keys() & {option.name for option in OPTIONS}
        options = {name: settings.pop(name) for name in names}
        connect.save_connection(connect.ConnectionSettings(**known | settings, options=options))
        return testing.test_now()

    def connect_untested(self, **settings: Any) -> None:
        """As `connect` leaves it when all is well, for tests of what comes after: the portal makes
        of an answer what it makes of any, but the server is not asked for it."""
        with pytest.MonkeyPatch.context() as patch:
            patch.setattr(testing, "probe", lambda *_asked: self._good_result())
            assert self.connect(**settings).ok

    def _good_result(self) -> ProbeResult:
        """What a test by a key without limits comes to."""
        truth, server = self.tactical.control.truth, self.tactical.control.server
        organizations = tuple((client["pk"], client["name"]) for client in truth.clients())
        is_beta = server.settings().beta_enabled
        return ProbeResult(
            ok=True,
            message=f"Everything works: {len(organizations)} organizations and "
            f"{len(self.agents)} agents can be read.",
            beta_api=is_beta,
            restricted=False if is_beta else None,
            server_version=SERVER_VERSION,
            organizations=organizations,
            agent_ids=frozenset(self.agents),
            alerts=len(
                [
                    alert
                    for alert in truth.alerts()
                    if alert["status"] == "active" and not alert["hidden"]
                ]
            ),
        )

    def connect_by_totp(self) -> None:
        """As an admin of Tactical's, by password and the secret of the codes."""
        user = admin(self.tactical)
        test = self.connect(
            api_key=None,
            auth_mode=AuthMode.PASSWORD,
            username=user.username,
            password=user.password,
            totp_secret=self.tactical.credentials.totp_secret,
        )
        assert test.ok

    def waive_preview(self) -> None:
        """As if a person had decided on one: device syncs are done by the schedule."""
        with transaction() as session:
            get_integration().preview_due = None
            session.flush()

    def sync(self, kind: SyncKind = SyncKind.DEVICES, subject: str = "") -> SyncRun:
        return execution.run_to_end(kind, subject)

    def sync_agent(self, agent_id: str) -> SyncRun:
        return self.sync(SyncKind.AGENT, agent_id)

    def import_fleet(self, **settings: Any) -> SyncRun:
        """Connect, map every organization to a client of its name, sync the devices.

        Only another key than the simulator's own is tested: what it may see is for it to show.
        """
        if "api_key" in settings:
            assert self.connect(**settings).ok
        else:
            self.connect_untested(**settings)
        self.sync(SyncKind.ORGANIZATIONS)
        mapping.map_exact(create=True)
        return self.sync()

    def assets(self) -> dict[str, Row]:
        """As exported, by agent_id."""
        rows = {row["rmm_device_id"]: row for row in export_assets()}
        db.session.rollback()
        return rows

    def organizations(self) -> dict[str, Row]:
        """As exported, by Tactical's client pk."""
        rows = {row["external_organization_id"]: row for row in export_organizations()}
        db.session.rollback()
        return rows

    def mapping_id(self, external_id: object) -> int:
        return get_organization_by_external_id(str(external_id)).id

    def log(self, run: SyncRun, action: str = "") -> list[SyncLogEntry]:
        found = list_log_entries(run.id, action).items
        db.session.rollback()
        return found


def counted(run: SyncRun) -> dict[str, int]:
    """The counts that are not zero."""
    return {name: count for name, count in run.counts.items() if count}


@pytest.fixture
def msp(app: Flask, tactical: SimulatedTactical, monkeypatch: pytest.MonkeyPatch) -> Iterator[Msp]:
    """The test runs inside the tenant's scope. Nothing is saved yet; nothing ever pauses."""
    monkeypatch.setattr("portal.tactical.http.retries.FIRST_PAUSE", 0)
    monkeypatch.setattr(execution, "POLL_SECONDS", 0)
    with app.app_context():
        found = Msp(app, tactical, add_tenant("Acme MSP", "acme").id)
        with found.scope():
            yield found
        db.session.remove()
