"""Agents that Tactical no longer lists: flagged on good evidence, never on any other."""

from __future__ import annotations

from collections.abc import Collection, Iterator
from contextlib import contextmanager
from typing import Any

import pytest
import requests
from sqlalchemy import select

from portal.db import db
from portal.models import Asset
from portal.models.integrations.integration import InventorySource
from portal.models.runs.sync_run import RunStatus, SyncKind
from portal.services.export import export_software
from portal.services.integrations import testing
from portal.services.integrations.current import get_integration
from portal.sync.devices import sweep
from portal.tactical.api import Tactical
from tests.support.msp import Msp, counted
from tests.sync.software import entry, ingest, reporting, titles

pytestmark = pytest.mark.mainly("postgresql")

SOURCES = [InventorySource.BETA, InventorySource.DASHBOARD]


def missing() -> set[str]:
    found = db.session.scalars(select(Asset.rmm_device_id).where(Asset.missing_since.is_not(None)))
    ids = set(found)
    db.session.rollback()
    return ids


@contextmanager
def fault(msp: Msp, kind: str, path: str, **columns: object) -> Iterator[None]:
    msp.tactical.control.faults.add(kind=kind, path=path, times=None, **columns)
    yield
    msp.tactical.control.faults.clear()


@pytest.mark.parametrize("source", SOURCES)
@pytest.mark.one_database
def test_an_agent_that_is_gone_is_flagged_and_otherwise_left(
    msp: Msp, source: InventorySource
) -> None:
    msp.import_fleet(inventory_source=source)
    agent = msp.agents[0]
    before = msp.assets()[agent]
    msp.tactical.control.agents.remove(agent_id=agent)
    run = msp.sync()
    assert run.status is RunStatus.SUCCESS
    assert counted(run) == {"seen": 23, "unchanged": 23, "missing": 1}
    assert missing() == {agent}
    after = msp.assets()[agent]
    assert after["missing_since"] is not None
    assert after["last_rmm_sync_at"] == before["last_rmm_sync_at"]
    assert after["client"] == before["client"]
    [entry] = msp.log(run, "missing")
    assert (entry.external_id, entry.name) == (agent, before["name"])
    assert msp.log(msp.sync()) == []  # told once


@pytest.mark.one_database
def test_an_agent_that_returns_is_flagged_no_more(msp: Msp) -> None:
    msp.import_fleet()
    agent = msp.agents[0]
    site = msp.truth(agent)["site_pk"]
    msp.tactical.control.agents.remove(agent_id=agent)
    msp.sync()
    assert missing() == {agent}
    msp.tactical.control.agents.add(site=site, agent_id=agent)
    run = msp.sync()
    assert missing() == set()
    assert [entry.external_id for entry in msp.log(run, "returned")] == [agent]
    assert run.counts["created"] == 0
    assert len(msp.assets()) == 24


@pytest.mark.one_database
def test_one_that_is_refreshed_alone_returns_too(msp: Msp) -> None:
    msp.import_fleet()
    agent = msp.agents[0]
    site = msp.truth(agent)["site_pk"]
    msp.tactical.control.agents.remove(agent_id=agent)
    msp.sync()
    msp.tactical.control.agents.add(site=site, agent_id=agent)
    msp.sync_agent(agent)
    assert missing() == set()


@pytest.mark.one_database
def test_an_empty_listing_is_no_evidence(msp: Msp) -> None:
    msp.import_fleet()
    for agent in msp.agents:
        msp.tactical.control.agents.remove(agent_id=agent)
    run = msp.sync()
    assert run.status is RunStatus.PARTIAL
    assert missing() == set()
    [entry] = msp.log(run)
    assert (entry.action, "no agent at all" in str(entry.reason)) == ("warning", True)


@pytest.mark.parametrize("source", SOURCES)
def test_a_listing_of_fewer_agents_than_tactical_counts_is_no_evidence(
    msp: Msp, source: InventorySource
) -> None:
    msp.import_fleet(inventory_source=source)
    with fault(msp, "fewer_rows", "*/agent*/", size=1):
        run = msp.sync()
    assert (run.status, run.seen) == (RunStatus.PARTIAL, 23)
    assert missing() == set()


@pytest.mark.one_database
def test_a_second_listing_that_knows_it_clears_the_suspicion(msp: Msp) -> None:
    msp.import_fleet(inventory_source=InventorySource.DASHBOARD)
    headers = {"X-API-KEY": msp.tactical.api_key}
    rows = requests.get(f"{msp.tactical.url}/agents/", headers=headers, timeout=10).json()
    stranger = rows[0] | {"agent_id": "s" * 40, "hostname": "STRANGER", "serial_number": ""}
    listed = [stranger, *rows[1:]]  # as many as Tactical counts
    msp.tactical.control.faults.add(kind="json", path="/agents/", times=1, body=listed)
    run = msp.sync()
    assert (run.status, run.counts["seen"]) == (RunStatus.SUCCESS, 24)
    assert missing() == set()


@pytest.mark.one_database
def test_a_second_listing_that_cannot_be_had_fails_the_run_and_flags_nothing(msp: Msp) -> None:
    msp.import_fleet(inventory_source=InventorySource.BETA)
    msp.tactical.control.agents.remove(agent_id=msp.agents[0])
    with fault(msp, "status", "/agents/", status=500):
        run = msp.sync()
    assert run.status is RunStatus.FAILED
    assert run.counts["unchanged"] == 23
    assert missing() == set()


@pytest.mark.one_database
@pytest.mark.parametrize("source", SOURCES)
def test_a_listing_with_a_record_that_cannot_be_read_is_no_evidence(
    msp: Msp, source: InventorySource
) -> None:
    """The unreadable one may be the one that seems to be gone."""
    msp.import_fleet(inventory_source=source)
    path = "/beta/v1/agent/" if source is InventorySource.BETA else "/agents/"
    msp.tactical.control.agents.remove(agent_id=msp.agents[5])
    unreadable = [{"at": 0, "set": {"agent_id": None}}]
    msp.tactical.control.faults.add(kind="bad_rows", path=path, times=None, rows=unreadable)
    with fault(msp, "bad_rows", "/agents/", rows=[{"at": 0, "value": 17}]):
        run = msp.sync()
    assert run.status is RunStatus.PARTIAL
    assert missing() == set()


@pytest.mark.one_database
@pytest.mark.parametrize("source", [InventorySource.AUTO, InventorySource.DASHBOARD])
def test_what_a_restricted_key_does_not_show_is_not_gone(msp: Msp, source: InventorySource) -> None:
    msp.import_fleet(inventory_source=InventorySource.BETA)
    key = msp.tactical.control.access.add_key(clients=[1])
    assert msp.connect(api_key=key, inventory_source=source).ok
    assert get_integration().key_restricted is True
    run = msp.sync()
    expected = len([a for a in msp.tactical.control.truth.agents() if a["client_pk"] == 1])
    assert run.status is RunStatus.SUCCESS
    assert run.counts["seen"] == expected
    msp.sync(SyncKind.ORGANIZATIONS)
    assert missing() == set()
    assert {row["gone_since"] for row in msp.organizations().values()} == {None}
    assert get_integration().key_restricted is True


@pytest.mark.one_database
def test_a_key_that_is_no_longer_restricted_flags_again(msp: Msp) -> None:
    msp.import_fleet()
    key = msp.tactical.control.access.add_key(clients=[1])
    msp.connect(api_key=key, inventory_source=InventorySource.DASHBOARD)
    agent = msp.agents[0]
    msp.tactical.control.agents.remove(agent_id=agent)
    msp.sync()
    assert missing() == set()
    msp.connect(api_key=msp.tactical.api_key)
    assert testing.test_now().ok
    [entry] = msp.log(msp.sync())
    assert (missing(), "credentials are not those" in str(entry.reason)) == (set(), True)
    msp.sync()
    assert missing() == {agent}


@pytest.mark.one_database
@pytest.mark.parametrize("change", ["source", "credentials", "server"])
def test_a_listing_that_was_made_otherwise_than_the_last_is_no_evidence(
    msp: Msp, change: str
) -> None:
    """Another role, or another list, may hold other agents."""
    msp.import_fleet(inventory_source=InventorySource.BETA)
    msp.tactical.control.agents.remove(agent_id=msp.agents[0])
    if change == "source":
        msp.connect(inventory_source=InventorySource.DASHBOARD)
    elif change == "credentials":
        msp.connect(api_key=msp.tactical.control.access.add_key())
    else:
        msp.connect(base_url=msp.tactical.url.replace("127.0.0.1", "localhost"))
    run = msp.sync()
    assert (run.status, run.missing, missing()) == (RunStatus.SUCCESS, 0, set())
    assert msp.sync().missing == 1


@pytest.mark.one_database
def test_one_record_that_cannot_be_read_makes_a_listing_no_evidence(msp: Msp) -> None:
    """Even where the second listing holds every record."""
    msp.import_fleet(inventory_source=InventorySource.BETA)
    msp.tactical.control.agents.remove(agent_id=msp.agents[5])
    broken = [{"at": 0, "set": {"agent_id": None}}]
    with fault(msp, "bad_rows", "/beta/v1/agent/", rows=broken):
        run = msp.sync()
    assert (run.status, missing()) == (RunStatus.PARTIAL, set())
    assert ["could not be read" in str(entry.reason) for entry in msp.log(run, "note")] == [True]
    msp.sync()
    assert len(missing()) == 1


@pytest.mark.one_database
def test_agents_that_vanish_while_the_list_is_read_are_not_missed(msp: Msp) -> None:
    """A row that is deleted shifts the others by one: one would be skipped."""
    msp.import_fleet(page_size=6)
    gone = msp.agents[1]
    msp.tactical.control.faults.add(
        kind="remove_agent", path="/beta/v1/agent/", query="page=1", agent_id=gone
    )
    for agent in msp.agents:
        msp.tactical.control.agents.edit(agent_id=agent, version="9.9.9")
    run = msp.sync()
    assert run.status is RunStatus.SUCCESS
    assert run.counts["updated"] == 24
    assert {row["agent_version"] for row in msp.assets().values()} == {"9.9.9"}
    msp.sync()
    assert missing() == {gone}


@pytest.mark.one_database
def test_a_list_that_never_stands_still_flags_nothing(
    msp: Msp, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("portal.tactical.agents.walk.MOST_WALKS", 1)
    msp.import_fleet(page_size=6)
    msp.tactical.control.faults.add(
        kind="remove_agent", path="/beta/v1/agent/", query="page=1", agent_id=msp.agents[1]
    )
    run = msp.sync()
    assert run.status is RunStatus.PARTIAL
    [entry] = msp.log(run)
    assert (entry.action, "changed each time" in str(entry.reason)) == ("warning", True)
    assert missing() == set()


@pytest.mark.one_database
def test_what_a_missing_asset_has_is_no_software_of_the_fleet(msp: Msp) -> None:
    """It counts again when the agent is back, however that is found."""
    msp.import_fleet()
    ingest(msp)
    agent, other = reporting(msp)[:2]
    software = msp.tactical.control.software
    software.set(agent, [entry("Shared", version="1"), entry("Its own")])
    software.set(other, [entry("Shared", version="2")])
    ingest(msp)
    site = msp.truth(agent)["site_pk"]
    for come_back in (SyncKind.DEVICES, SyncKind.AGENT, SyncKind.STATUS):
        assert counts_of("Shared", "Its own") == [(2, 2), (1, 1)]
        assert gone_since(agent) == {None}
        msp.tactical.control.agents.remove(agent_id=agent)
        msp.sync()
        assert counts_of("Shared", "Its own") == [(1, 1), (0, 0)]
        assert gone_since(agent) == {msp.assets()[agent]["missing_since"]}
        msp.tactical.control.agents.add(site=site, agent_id=agent)
        msp.sync(come_back, agent if come_back is SyncKind.AGENT else "")


def gone_since(agent_id: str) -> set[str | None]:
    """As each row of its software tells."""
    return {row["missing_since"] for row in export_software() if row["rmm_device_id"] == agent_id}


def counts_of(*names: str) -> list[tuple[int, int]]:
    db.session.remove()  # what was read before must not be read again
    found = titles()
    return [found[name, ""] for name in names]


def test_an_agent_that_a_sweep_has_seen_meanwhile_is_not_missing(
    msp: Msp, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It comes back while the device sync makes sure that it is gone."""
    msp.import_fleet()
    agent = msp.agents[0]
    site = msp.truth(agent)["site_pk"]
    msp.tactical.control.agents.remove(agent_id=agent)
    find_absent = Tactical.find_absent

    def find_then_return(tactical: Tactical, agent_ids: Collection[str]) -> set[str]:
        absent = find_absent(tactical, agent_ids)
        msp.tactical.control.agents.add(site=site, agent_id=agent)
        msp.sync(SyncKind.STATUS)
        return absent

    monkeypatch.setattr(Tactical, "find_absent", find_then_return)
    run = msp.sync()
    assert (run.status, run.missing) == (RunStatus.SUCCESS, 0)
    assert missing() == set()


@pytest.mark.one_database
def test_an_older_look_does_not_bring_a_missing_agent_back(
    msp: Msp, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A sweep has its rows; then the agent is deleted, and a device sync finds it gone."""
    msp.import_fleet()
    agent = msp.agents[0]
    apply = sweep._apply

    def remove_first(*args: Any) -> None:
        monkeypatch.setattr(sweep, "_apply", apply)
        msp.tactical.control.agents.remove(agent_id=agent)
        assert msp.sync().missing == 1
        apply(*args)

    monkeypatch.setattr(sweep, "_apply", remove_first)
    run = msp.sync(SyncKind.STATUS)
    assert missing() == {agent}
    assert msp.log(run) == []
