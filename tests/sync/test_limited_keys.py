"""A key that is limited to some clients brings nothing in that it should not see."""

from __future__ import annotations

import pytest

from portal.models.integrations.integration import InventorySource
from portal.models.runs.sync_run import RunStatus, SyncKind
from portal.services.integrations.connect import ConnectionSettings, save_connection
from portal.services.integrations.current import get_integration
from tests.support.msp import Msp, counted


@pytest.mark.one_database
@pytest.mark.parametrize("kind", [SyncKind.ORGANIZATIONS, SyncKind.DEVICES])
def test_no_sync_reads_the_beta_api_with_a_limited_key(msp: Msp, kind: SyncKind) -> None:
    key = msp.tactical.control.access.add_key(clients=[1])
    assert msp.import_fleet(api_key=key).status is RunStatus.SUCCESS
    before = set(msp.assets()), set(msp.organizations())
    save_connection(ConnectionSettings(options={"inventory_source": InventorySource.BETA}))
    run = msp.sync(kind)
    assert (run.status, run.fault) == (RunStatus.FAILED, "beta_unlimited")
    assert "limited to some clients" in (run.error or "")
    assert counted(run) == {}
    assert (set(msp.assets()), set(msp.organizations())) == before


@pytest.mark.one_database
def test_an_agent_that_a_limited_key_should_not_see_is_not_refreshed(msp: Msp) -> None:
    """One agent is read as its role allows, whatever source is chosen for the fleet."""
    key = msp.tactical.control.access.add_key(clients=[1])
    assert msp.import_fleet(api_key=key).status is RunStatus.SUCCESS
    before = set(msp.assets()), set(msp.organizations())
    save_connection(ConnectionSettings(options={"inventory_source": InventorySource.BETA}))
    hidden = next(a for a in msp.tactical.control.truth.agents() if a["client_pk"] != 1)
    run = msp.sync(SyncKind.AGENT, hidden["agent_id"])
    assert (run.status, run.fault) == (RunStatus.FAILED, "missing_permission")
    assert counted(run) == {}
    assert (set(msp.assets()), set(msp.organizations())) == before


@pytest.mark.one_database
def test_the_test_refuses_what_no_sync_would_do(msp: Msp) -> None:
    key = msp.tactical.control.access.add_key(clients=[1])
    test = msp.connect(api_key=key, inventory_source=InventorySource.BETA)
    assert (test.ok, test.fault, test.field) == (False, "beta_unlimited", "inventory_source")
    assert get_integration().state == "untested"
    assert msp.connect(inventory_source=InventorySource.AUTO).ok
