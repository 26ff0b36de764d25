"""Agents become assets: each fact, each change, and nothing that did not change."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from email.utils import formatdate
from typing import Any

import pytest
import time_machine

from portal.models.integrations.integration import InventorySource
from portal.models.runs.sync_run import RunStatus, SyncKind
from portal.services.organizations import mapping
from tactical_simulator.transport.server import Handler
from tests.acceptance.truth import expected_assets, told
from tests.support.msp import Msp, counted

pytestmark = pytest.mark.mainly("postgresql")

SOURCES = [InventorySource.BETA, InventorySource.DASHBOARD]


@pytest.mark.fleet(agents=120, clients=4, sites=9)
@pytest.mark.parametrize("source", SOURCES)
def test_every_asset_tells_the_truth_and_a_second_run_changes_nothing(
    msp: Msp, source: InventorySource
) -> None:
    first = msp.import_fleet(inventory_source=source, page_size=50)
    assert (first.status, first.source, first.error) == (RunStatus.SUCCESS, source, None)
    assert counted(first) == {"seen": 120, "created": 120}
    expected = expected_assets(msp.tactical, source)
    assets = msp.assets()
    wrong = [(told(row), expected[i]) for i, row in assets.items() if told(row) != expected[i]]
    assert wrong == []
    assert len(assets) == 120
    again = msp.sync()
    assert counted(again) == {"seen": 120, "unchanged": 120}
    assert msp.log(again) == []
    after = msp.assets()
    assert [told(row) for row in after.values()] == [told(row) for row in assets.values()]
    assert all(after[i]["last_rmm_sync_at"] > row["last_rmm_sync_at"] for i, row in assets.items())


def test_the_other_source_takes_the_assets_over_and_keeps_what_it_does_not_carry(
    msp: Msp,
) -> None:
    msp.import_fleet(inventory_source=InventorySource.BETA)
    before = msp.assets()
    msp.connect(inventory_source=InventorySource.DASHBOARD)
    run = msp.sync()
    assert counted(run) == {"seen": 24, "unchanged": 24}
    after = msp.assets()
    assert {i: row["ram_gb"] for i, row in after.items()} == {
        i: row["ram_gb"] for i, row in before.items()
    }
    assert any(row["ram_gb"] for row in after.values())


FACTS: dict[str, tuple[dict[str, Any], dict[str, Any]]] = {
    "name": ({"hostname": "RENAMED"}, {"name": "RENAMED"}),
    "type": ({"monitoring_type": "server"}, {"asset_type": "server"}),
    "description": ({"description": "In the attic"}, {"description": "In the attic"}),
    "user": ({"logged_in_username": "ann"}, {"current_user": "ann"}),
    "nobody": ({"logged_in_username": "None"}, {"current_user": None}),
    "address": ({"public_ip": "203.0.113.99"}, {"wan_ip": "203.0.113.99"}),
    "memory": ({"total_ram": 128}, {"ram_gb": 128}),
    "system": ({"operating_system": "Windows 12"}, {"os_version": "Windows 12"}),
    "version": ({"version": "9.9.9"}, {"agent_version": "9.9.9"}),
}


@pytest.mark.one_database
def test_each_fact_that_changes_is_an_update(msp: Msp) -> None:
    msp.import_fleet()
    agents = dict(zip(FACTS, msp.agents, strict=False))
    for fact, agent in agents.items():
        edited = {"logged_in_username": "bob"} if fact in ("user", "nobody") else {}
        msp.tactical.control.agents.edit(agent_id=agent, monitoring_type="workstation", **edited)
    msp.sync()
    for fact, agent in agents.items():
        msp.tactical.control.agents.edit(agent_id=agent, **FACTS[fact][0])
    run = msp.sync()
    assert counted(run) == {"seen": 24, "updated": len(FACTS), "unchanged": 24 - len(FACTS)}
    assets = msp.assets()
    for fact, agent in agents.items():
        row = assets[agent]
        for column, value in FACTS[fact][1].items():
            assert row[column] == value or (column == "os_version" and "12" in row[column])


@pytest.mark.one_database
def test_the_log_tells_the_fields_before_and_after(msp: Msp) -> None:
    msp.import_fleet()
    agent = msp.agents[0]
    before = msp.assets()[agent]
    msp.tactical.control.agents.edit(agent_id=agent, hostname="NEW", checkin=30)
    run = msp.sync()
    [entry] = msp.log(run)
    assert (entry.action, entry.external_id, entry.name) == ("updated", agent, "NEW")
    assert entry.changes == {"name": [before["name"], "NEW"]}
    assert json.loads(json.dumps(entry.changes)) == entry.changes


@pytest.mark.one_database
def test_what_time_alone_changes_is_written_and_is_no_update(msp: Msp) -> None:
    """An agent that checks in, restarts or falls silent is as it was."""
    msp.import_fleet()
    agents = msp.tactical.control.agents
    seen, silent, restarted = msp.agents[:3]
    boot = datetime(2026, 1, 2, 3, 4, 5, tzinfo=UTC)
    agents.seen(agent_id=seen, seconds_ago=1)
    agents.seen(agent_id=silent, seconds_ago=3 * 24 * 3600)
    agents.edit(agent_id=restarted, boot_time=boot.timestamp())
    run = msp.sync()
    assert counted(run) == {"seen": 24, "unchanged": 24}
    assert msp.log(run) == []
    assets = msp.assets()
    assert assets[seen]["agent_status"] == "online"
    assert assets[silent]["agent_status"] == "overdue"
    assert assets[restarted]["boot_time"] == "2026-01-02T03:04:05Z"


@pytest.mark.one_database
def test_uptime_counts_while_the_agent_is_online(msp: Msp) -> None:
    msp.import_fleet()
    agent, off = msp.agents[:2]
    now = datetime.now(UTC)
    agents = msp.tactical.control.agents
    agents.edit(agent_id=agent, boot_time=now.timestamp() - 3600)
    agents.seen(agent_id=agent, seconds_ago=0)
    agents.edit(agent_id=off, boot_time=now.timestamp() - 7200)
    agents.seen(agent_id=off, seconds_ago=3600)
    msp.sync()
    assets = msp.assets()
    assert abs(assets[agent]["uptime_seconds"] - 3600) < 60
    assert abs(assets[off]["uptime_seconds"] - 3600) < 60
    agents.edit(agent_id=agent, boot_time=None)
    msp.sync()
    assert msp.assets()[agent]["uptime_seconds"] is None


@pytest.mark.one_database
@pytest.mark.parametrize("source", SOURCES)
def test_a_server_whose_clock_is_wrong_tells_the_status_by_its_own(
    msp: Msp, source: InventorySource, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Two hours ahead: an agent seen a minute ago by that clock is online."""
    msp.tactical.control.server.advance(seconds=7200)
    ahead = formatdate(datetime.now(UTC).timestamp() + 7200, usegmt=True)
    monkeypatch.setattr(Handler, "date_time_string", lambda *_: ahead)
    for number, agent in enumerate(msp.agents):
        msp.tactical.control.agents.seen(agent_id=agent, seconds_ago=60 + number * 120)
    msp.import_fleet(inventory_source=source)
    told_by_server = {a["agent_id"]: a["status"] for a in msp.tactical.control.truth.agents()}
    assert {i: row["agent_status"] for i, row in msp.assets().items()} == told_by_server
    assert set(told_by_server.values()) == {"online", "offline", "overdue"}


@pytest.mark.parametrize("source", SOURCES)
def test_names_of_every_kind_are_kept(msp: Msp, source: InventorySource) -> None:
    names = {
        'O\'Brien "PC"': 'O\'Brien "PC"',
        "💻 ünïcode": "💻 ünïcode",
        "a\x00b\x1bc": "abc",
        "<script>alert(1)</script>": "<script>alert(1)</script>",
        "x'; DROP TABLE assets; --": "x'; DROP TABLE assets; --",
        "{}%s%(a)s": "{}%s%(a)s",
        "x" * 5000: "x" * 2000,
    }
    agents = dict(zip(msp.agents, names, strict=False))
    for agent, name in agents.items():
        msp.tactical.control.agents.edit(agent_id=agent, hostname=name, description=name)
    run = msp.import_fleet(inventory_source=source)
    assert counted(run) == {"seen": 24, "created": 24}
    assets = msp.assets()
    for agent, name in agents.items():
        assert assets[agent]["name"] == names[name]
        assert assets[agent]["description"]
    assert counted(msp.sync()) == {"seen": 24, "unchanged": 24}


@pytest.mark.one_database
def test_a_refresh_of_one_agent_creates_or_updates_it_alone(msp: Msp) -> None:
    msp.connect()
    msp.sync(SyncKind.ORGANIZATIONS)
    mapping.map_exact(create=True)
    agent = msp.agents[3]
    assert counted(msp.sync_agent(agent)) == {"seen": 1, "created": 1}
    assert counted(msp.sync_agent(agent)) == {"seen": 1, "unchanged": 1}
    msp.tactical.control.agents.edit(agent_id=agent, hostname="NEW")
    run = msp.sync_agent(agent)
    assert counted(run) == {"seen": 1, "updated": 1}
    assert [row["name"] for row in msp.assets().values()] == ["NEW"]
    assert counted(msp.sync()) == {"seen": 24, "created": 23, "unchanged": 1}


@pytest.mark.one_database
def test_a_refresh_of_an_agent_that_is_not_there_fails_in_words(msp: Msp) -> None:
    msp.import_fleet()
    agent = msp.agents[0]
    msp.tactical.control.agents.remove(agent_id=agent)
    run = msp.sync_agent(agent)
    assert run.status is RunStatus.FAILED
    assert agent in str(run.error)
    assert agent in msp.assets()


@pytest.mark.one_database
def test_newer_news_of_one_agent_outlives_the_older_page(
    msp: Msp, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A page was asked for, then the one agent changed and was refreshed, then it was written."""
    msp.import_fleet()
    agent = msp.agents[0]
    refreshed = datetime.now(UTC).timestamp() + 3600
    with time_machine.travel(refreshed, tick=False):
        msp.tactical.control.agents.edit(agent_id=agent, hostname="NEWER")
        msp.sync_agent(agent)
    msp.tactical.control.agents.edit(agent_id=agent, hostname="OLDER")
    run = msp.sync()
    assert counted(run) == {"seen": 24, "unchanged": 24}
    assert msp.assets()[agent]["name"] == "NEWER"
    with time_machine.travel(refreshed + 60, tick=False):
        assert counted(msp.sync()) == {"seen": 24, "updated": 1, "unchanged": 23}
    assert msp.assets()[agent]["name"] == "OLDER"
