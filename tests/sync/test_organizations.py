"""Tactical's clients as organizations: counted, renamed, gone and back."""

from __future__ import annotations

import pytest

from portal.models.integrations.integration import InventorySource
from portal.models.runs.sync_run import RunStatus, SyncKind
from portal.services.organizations.listing import OrganizationFilter, count_organizations
from tests.support.msp import Msp, counted

pytestmark = pytest.mark.mainly("postgresql")

SOURCES = [InventorySource.BETA, InventorySource.DASHBOARD]


@pytest.mark.parametrize("source", SOURCES)
def test_they_are_created_then_unchanged_then_updated(msp: Msp, source: InventorySource) -> None:
    msp.connect_untested(inventory_source=source)
    first = msp.sync(SyncKind.ORGANIZATIONS)
    assert (first.status, counted(first)) == (RunStatus.SUCCESS, {"seen": 3, "created": 3})
    truth = {str(client["pk"]): client for client in msp.tactical.control.truth.clients()}
    stored = msp.organizations()
    assert {i: row["external_organization_name"] for i, row in stored.items()} == {
        i: client["name"] for i, client in truth.items()
    }
    assert {i: row["agent_count"] for i, row in stored.items()} == {
        i: client["agents"] for i, client in truth.items()
    }
    assert {(row["client"], row["auto_sync_assets"]) for row in stored.values()} == {(None, True)}
    assert counted(msp.sync(SyncKind.ORGANIZATIONS)) == {"seen": 3, "unchanged": 3}
    msp.tactical.control.places.rename_client(pk=1, name="Ünïcode & <Söhne>")
    run = msp.sync(SyncKind.ORGANIZATIONS)
    assert counted(run) == {"seen": 3, "updated": 1, "unchanged": 2}
    [entry] = msp.log(run)
    assert entry.changes == {
        "external_organization_name": [truth["1"]["name"], "Ünïcode & <Söhne>"]
    }


@pytest.mark.one_database
def test_more_agents_are_no_update(msp: Msp) -> None:
    msp.connect_untested()
    msp.sync(SyncKind.ORGANIZATIONS)
    before = msp.organizations()["1"]["agent_count"]
    site = msp.tactical.control.truth.clients()[0]["sites"][0]["pk"]
    msp.tactical.control.agents.add(site=site)
    assert counted(msp.sync(SyncKind.ORGANIZATIONS)) == {"seen": 3, "unchanged": 3}
    assert msp.organizations()["1"]["agent_count"] == before + 1


@pytest.mark.parametrize("source", SOURCES)
def test_one_that_is_gone_is_flagged_and_keeps_its_mapping(
    msp: Msp, source: InventorySource
) -> None:
    msp.import_fleet(inventory_source=source)
    client = msp.organizations()["2"]["client"]
    name = msp.organizations()["2"]["external_organization_name"]
    msp.tactical.control.places.remove_client(pk=2)
    run = msp.sync(SyncKind.ORGANIZATIONS)
    assert (run.status, counted(run)) == (RunStatus.SUCCESS, {"seen": 2, "unchanged": 2})
    assert [(entry.action, entry.external_id) for entry in msp.log(run)] == [("gone", "2")]
    gone = msp.organizations()["2"]
    assert gone["gone_since"] is not None
    assert gone["client"] == client
    assert count_organizations()[OrganizationFilter.GONE] == 1
    assert msp.log(msp.sync(SyncKind.ORGANIZATIONS)) == []
    assert msp.organizations()["2"]["gone_since"] == gone["gone_since"]
    pk = msp.tactical.control.places.add_client(name=name)
    assert pk != 2  # Tactical gives no number twice: another one is another organization
    assert counted(msp.sync(SyncKind.ORGANIZATIONS)) == {
        "seen": 3,
        "created": 1,
        "unchanged": 2,
    }


@pytest.mark.one_database
def test_one_that_returns_is_flagged_no_more(msp: Msp) -> None:
    msp.connect_untested(inventory_source=InventorySource.DASHBOARD)
    msp.sync(SyncKind.ORGANIZATIONS)
    listed = [
        {"id": c["pk"], "name": c["name"], "agent_count": c["agents"], "sites": []}
        for c in msp.tactical.control.truth.clients()
    ]
    msp.tactical.control.faults.add(kind="json", path="/clients/", times=1, body=listed[1:])
    msp.sync(SyncKind.ORGANIZATIONS)
    assert msp.organizations()["1"]["gone_since"] is not None
    run = msp.sync(SyncKind.ORGANIZATIONS)
    assert counted(run) == {"seen": 3, "updated": 1, "unchanged": 2}
    assert msp.organizations()["1"]["gone_since"] is None


@pytest.mark.one_database
def test_a_listing_with_a_bad_record_counts_it_and_takes_nobody_for_gone(msp: Msp) -> None:
    msp.connect_untested(inventory_source=InventorySource.DASHBOARD)
    msp.sync(SyncKind.ORGANIZATIONS)
    body = [{"id": 2, "name": "Renamed", "sites": []}, {"id": "x", "name": "?"}, None]
    msp.tactical.control.faults.add(kind="json", path="/clients/", times=1, body=body)
    run = msp.sync(SyncKind.ORGANIZATIONS)
    assert run.status is RunStatus.PARTIAL
    assert counted(run) == {"seen": 3, "updated": 1, "failed": 2}
    assert {row["gone_since"] for row in msp.organizations().values()} == {None}
    assert len(msp.log(run, "failed")) == 2


@pytest.mark.one_database
def test_an_empty_listing_changes_nothing(msp: Msp) -> None:
    msp.connect_untested(inventory_source=InventorySource.DASHBOARD)
    msp.sync(SyncKind.ORGANIZATIONS)
    msp.tactical.control.faults.add(kind="json", path="/clients/", times=1, body=[])
    run = msp.sync(SyncKind.ORGANIZATIONS)
    assert run.status is RunStatus.PARTIAL
    assert {row["gone_since"] for row in msp.organizations().values()} == {None}


@pytest.mark.one_database
def test_a_listing_that_names_one_twice_writes_it_once(msp: Msp) -> None:
    msp.connect_untested(inventory_source=InventorySource.DASHBOARD)
    body = [{"id": 2, "name": "One", "sites": []}, {"id": 2, "name": "Other", "sites": []}]
    msp.tactical.control.faults.add(kind="json", path="/clients/", times=1, body=body)
    run = msp.sync(SyncKind.ORGANIZATIONS)
    assert counted(run)["created"] == 1
    assert list(msp.organizations()) == ["2"]


@pytest.mark.one_database
def test_a_device_sync_brings_organizations_up_to_date_on_the_way(msp: Msp) -> None:
    msp.import_fleet()
    msp.tactical.control.places.rename_client(pk=1, name="Renamed")
    msp.sync()
    assert msp.organizations()["1"]["external_organization_name"] == "Renamed"
