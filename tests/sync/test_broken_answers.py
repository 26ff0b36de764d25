"""What a bad record, a bad page and a bad server cost: themselves, and no more."""

from __future__ import annotations

import json
from typing import Any

import pytest

from portal.models.integrations.integration import InventorySource
from portal.models.runs.sync_run import RunStatus, SyncKind
from portal.services.integrations.current import get_integration
from portal.services.organizations.mapping import map_to_client_named
from portal.services.runs.history import list_errors
from tactical_simulator.faults import SAMPLE_GARBAGE
from tests.support.msp import Msp, counted

SOURCES = [InventorySource.BETA, InventorySource.DASHBOARD]
PATHS = {InventorySource.BETA: "/beta/v1/agent/", InventorySource.DASHBOARD: "/agents/"}


@pytest.mark.parametrize("source", SOURCES)
@pytest.mark.one_database
def test_a_bad_record_costs_itself(msp: Msp, source: InventorySource) -> None:
    msp.import_fleet(inventory_source=source)
    for agent in msp.agents:
        msp.tactical.control.agents.edit(agent_id=agent, version="9.9.9")
    msp.tactical.control.faults.add(kind="bad_rows", path=PATHS[source], times=None)
    run = msp.sync()
    bad = run.counts["failed"]
    assert run.status is RunStatus.PARTIAL
    assert 0 < bad <= len(SAMPLE_GARBAGE)
    assert counted(run) == {"seen": 24, "updated": 24 - bad, "failed": bad}
    entries = msp.log(run, "failed")
    assert len(entries) == bad
    assert all(entry.reason and entry.external_id is not None for entry in entries)
    assert len(list_errors(run.id)) == bad
    assert len(msp.assets()) == 24


@pytest.mark.one_database
@pytest.mark.parametrize(
    "fault",
    [
        {"kind": "status", "status": 500},
        {"kind": "json", "status": 403, "body": {"detail": "You do not have permission"}},
        {"kind": "json", "body": {"agent_id": "x" * 40, "hostname": "X", "site": 1}},
        {"kind": "json", "body": []},
        {"kind": "cut_json"},
        None,  # it is gone
    ],
)
def test_what_is_wrong_with_one_agent_is_no_fault_of_the_connection(
    msp: Msp, fault: dict[str, Any] | None
) -> None:
    msp.import_fleet()
    agent = msp.agents[0]
    if fault is None:
        msp.tactical.control.agents.remove(agent_id=agent)
    else:
        msp.tactical.control.faults.add(path=f"/agents/{agent}/", times=None, **fault)
    run = msp.sync_agent(agent)
    assert run.status in (RunStatus.FAILED, RunStatus.PARTIAL)
    assert run.error or list_errors(run.id)
    assert get_integration().last_error is None


@pytest.mark.one_database
@pytest.mark.parametrize("fault", [{"kind": "drop"}, {"kind": "status", "status": 502}])
def test_a_server_that_is_away_is_found_by_one_agent_too(msp: Msp, fault: dict[str, Any]) -> None:
    msp.import_fleet()
    msp.tactical.control.faults.add(path="/agents/*", times=None, **fault)
    run = msp.sync_agent(msp.agents[0])
    assert run.status is RunStatus.FAILED
    assert get_integration().last_error == run.error


ODD: dict[str, dict[str, Any]] = {
    "far future": {"last_seen": "9999-12-31T23:59:59Z", "boot_time": 253402300799.0},
    "the year one": {"last_seen": "0001-01-01T00:00:00Z", "boot_time": -62135596800.0},
    "no times": {"last_seen": None, "boot_time": None},
    "words for numbers": {"total_ram": "much", "offline_time": "4", "overdue_time": []},
    "huge numbers": {"total_ram": 2**70, "offline_time": 2**31 - 1, "overdue_time": 2**31 - 1},
    "below nothing": {"total_ram": -1, "offline_time": -5, "overdue_time": -5},
    "lists for texts": {"hostname": ["x"], "description": {"a": 1}, "public_ip": 17},
    "a strange kind": {"monitoring_type": "mainframe", "plat": "plan9", "goarch": None},
    "nothing known": {"hostname": "", "operating_system": "", "version": None},
    "no sections": {"wmi_detail": {"cpu": "?", "bios": 3, "network_config": [[{}], None]}},
    "a long hardware list": {"wmi_detail": {"cpu": [[{"Name": "CPU " * 30}]] * 200}},
    "flags that are none": {"maintenance_mode": "yes", "needs_reboot": None},
}


def test_an_odd_value_costs_itself_alone(msp: Msp) -> None:
    rows = [{"at": number, "set": values} for number, values in enumerate(ODD.values())]
    msp.tactical.control.faults.add(kind="bad_rows", path="/beta/v1/agent/", times=None, rows=rows)
    run = msp.import_fleet(inventory_source=InventorySource.BETA)
    assert counted(run) == {"seen": 24, "created": 24}
    assets = msp.assets()
    by_odd = {odd: assets[agent] for odd, agent in zip(ODD, msp.agents, strict=False)}
    assert by_odd["far future"]["agent_status"] == "online"
    assert by_odd["the year one"]["agent_status"] == "overdue"
    assert by_odd["no times"]["agent_status"] == "offline"
    assert by_odd["lists for texts"]["name"]
    assert by_odd["nothing known"]["name"] == by_odd["nothing known"]["rmm_device_id"]
    assert by_odd["a strange kind"]["asset_type"] == "workstation"
    assert json.loads(json.dumps(assets)) == assets
    again = msp.sync()
    assert counted(again) == {"seen": 24, "unchanged": 24}
    assert msp.log(again) == []


def test_a_page_that_fails_ends_the_run_and_keeps_what_was_done(msp: Msp) -> None:
    msp.connect(inventory_source=InventorySource.BETA, page_size=10)
    msp.sync(SyncKind.ORGANIZATIONS)
    for pk in msp.organizations():
        _map(msp, pk)
    msp.tactical.control.faults.add(
        kind="status", path="/beta/v1/agent/", query="page=2&", status=500, times=None
    )
    run = msp.sync()
    assert run.status is RunStatus.FAILED
    assert counted(run) == {"seen": 10, "created": 10}
    assert (run.done, run.total) == (10, 24)
    assert run.error
    assert run.fault
    assert run.finished_at is not None
    assert len(msp.assets()) == 10
    assert get_integration().last_error == run.error
    msp.tactical.control.faults.clear()
    again = msp.sync()
    assert again.status is RunStatus.SUCCESS
    assert counted(again) == {"seen": 24, "created": 14, "unchanged": 10}
    assert get_integration().last_error is None


def _map(msp: Msp, external_id: str) -> None:
    map_to_client_named(external_id, f"Client {external_id}", create=True, auto_sync=None)


FAULTS: list[dict[str, Any]] = [
    {"kind": "drop"},
    {"kind": "reset"},
    {"kind": "truncated"},
    {"kind": "cut_json"},
    {"kind": "html"},
    {"kind": "empty"},
    {"kind": "redirect"},
    {"kind": "gzip_bomb", "size": 20_000_000},
    {"kind": "json", "body": {"detail": "?"}},
    {"kind": "json", "body": "text"},
    {"kind": "status", "status": 403},
    {"kind": "status", "status": 401},
    {"kind": "status", "status": 429, "retry_after": 3600},
]


@pytest.mark.one_database
@pytest.mark.parametrize("source", SOURCES)
def test_each_fault_of_the_server_ends_the_run_in_words(msp: Msp, source: InventorySource) -> None:
    msp.import_fleet(inventory_source=source)
    for fault in FAULTS:
        msp.tactical.control.faults.add(path=PATHS[source], times=None, **fault)
        run = msp.sync()
        msp.tactical.control.faults.clear()
        assert run.status is RunStatus.FAILED, fault
        assert run.fault
        assert str(run.error).endswith(".")
        assert "mistake" not in str(run.error)
    assert len(msp.assets()) == 24


@pytest.mark.one_database
def test_a_fault_that_passes_is_tried_again(msp: Msp) -> None:
    msp.import_fleet(page_size=10)
    for kind in ("drop", "reset", "truncated", "cut_json"):
        msp.tactical.control.faults.add(kind=kind, path="/beta/v1/agent/", query="page=2&")
        assert counted(msp.sync()) == {"seen": 24, "unchanged": 24}


@pytest.mark.one_database
def test_a_page_that_takes_too_long_is_asked_for_in_halves_and_the_log_says_so(msp: Msp) -> None:
    msp.import_fleet(page_size=24, inventory_source=InventorySource.BETA)
    msp.tactical.control.faults.add("status", "/beta/v1/agent/", status=504, query="page_size=24")
    run = msp.sync()
    assert (run.status, counted(run)) == (RunStatus.SUCCESS, {"seen": 24, "unchanged": 24})
    [entry] = msp.log(run)
    assert (entry.action, entry.name) == ("note", "")
    assert "asked for 12" in str(entry.reason)
