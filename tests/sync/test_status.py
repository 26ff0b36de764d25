"""The status sweep: what it refreshes, and all that it leaves alone."""

from __future__ import annotations

from typing import Any

import pytest

from portal.db import transaction
from portal.models.integrations.integration import InventorySource
from portal.models.runs.sync_run import RunStatus, SyncKind
from portal.services.organizations import mapping
from portal.sync.devices import run as devices
from portal.sync.devices import sweep
from portal.sync.devices.apply import apply_decisions
from tests.acceptance.truth import expected_assets, told
from tests.support.msp import Msp, counted
from tests.support.statements import counting

pytestmark = pytest.mark.mainly("postgresql")

SOURCES = [InventorySource.BETA, InventorySource.DASHBOARD]
STATUS = SyncKind.STATUS

LIVE: dict[str, Any] = {
    "logged_in_username": "ann",
    "public_ip": "203.0.113.99",
    "maintenance_mode": True,
    "needs_reboot": True,
    "boot_time": 1_780_000_000.0,
}
"""What a sweep reads of an agent, beside when it was seen."""


@pytest.mark.fleet(agents=60, clients=4, sites=9)
@pytest.mark.parametrize("source", SOURCES)
@pytest.mark.one_database
def test_it_tells_what_a_device_sync_would(msp: Msp, source: InventorySource) -> None:
    msp.import_fleet(inventory_source=source, page_size=25)
    for number, agent in enumerate(msp.agents):
        msp.tactical.control.agents.edit(agent_id=agent, **LIVE if number % 3 else {})
        msp.tactical.control.agents.seen(agent_id=agent, seconds_ago=number * 61)
    run = msp.sync(STATUS)
    assert (run.status, run.error) == (RunStatus.SUCCESS, None)
    assert run.seen == 60
    assert run.updated + run.unchanged == 60
    assert (run.done, run.total) == (60, 60)
    expected = expected_assets(msp.tactical, source)
    swept = {agent_id: told(row) for agent_id, row in msp.assets().items()}
    assert swept == expected
    assert {row["agent_status"] for row in swept.values()} == {"online", "offline", "overdue"}


@pytest.mark.one_database
def test_it_asks_for_nothing_heavy(msp: Msp) -> None:
    msp.import_fleet()
    msp.tactical.control.log.clear()
    msp.sync(STATUS)
    assert [entry.path for entry in msp.tactical.control.log.entries()] == ["/agents/"]


@pytest.mark.one_database
def test_again_it_changes_nothing_but_the_time(msp: Msp) -> None:
    msp.import_fleet()
    first = msp.assets()
    run = msp.sync(STATUS)
    assert counted(run) == {"seen": 24, "unchanged": 24}
    assert msp.log(run) == []
    after = msp.assets()
    assert [told(row) for row in after.values()] == [told(row) for row in first.values()]
    assert all(after[i]["status_as_of"] > row["status_as_of"] for i, row in first.items())
    assert all(after[i]["last_rmm_sync_at"] == row["last_rmm_sync_at"] for i, row in first.items())


@pytest.mark.parametrize("source", SOURCES)
@pytest.mark.one_database
def test_an_agent_that_died_since_turns_offline_and_then_overdue(
    msp: Msp, source: InventorySource
) -> None:
    agent = msp.agents[0]
    msp.tactical.control.agents.edit(agent_id=agent, offline_time=4, overdue_time=30)
    msp.tactical.control.agents.seen(agent_id=agent, seconds_ago=0)
    msp.import_fleet(inventory_source=source)
    found = [msp.assets()[agent]["agent_status"]]
    for minutes in (10, 60):
        msp.tactical.control.agents.seen(agent_id=agent, seconds_ago=minutes * 60)
        msp.sync(STATUS)
        found.append(msp.assets()[agent]["agent_status"])
    assert found == ["online", "offline", "overdue"]


@pytest.mark.one_database
def test_the_word_is_tactical_s_own(msp: Msp) -> None:
    """It knows limits that were changed since the last device sync; the portal does not."""
    agent = msp.agents[0]
    msp.import_fleet(inventory_source=InventorySource.BETA)
    msp.tactical.control.agents.edit(agent_id=agent, offline_time=600, overdue_time=1200)
    msp.tactical.control.agents.seen(agent_id=agent, seconds_ago=2 * 3600)
    msp.sync(STATUS)
    assert msp.assets()[agent]["agent_status"] == "online"


@pytest.mark.one_database
def test_it_makes_no_asset_moves_none_and_leaves_hardware_alone(msp: Msp) -> None:
    msp.import_fleet()
    before = msp.assets()
    agent = msp.agents[0]
    elsewhere = msp.sites_of_others(agent)[0]["site_pk"]
    agents = msp.tactical.control.agents
    new = agents.add(site=elsewhere)
    agents.move(agent_id=agent, site=elsewhere)
    agents.edit(agent_id=agent, hostname="NEW", version="9.9.9", operating_system="Windows 12")
    run = msp.sync(STATUS)
    assert counted(run) == {"seen": 25, "updated": 1, "unchanged": 23, "skipped": 1}
    [entry] = msp.log(run)
    assert (entry.external_id, list(entry.changes or ())) == (agent, ["lan_ip"])
    assert new not in msp.assets()
    same = ("name", "client", "agent_version", "os_version", "site")
    after = msp.assets()[agent]
    assert [after.get(name) for name in same] == [before[agent].get(name) for name in same]
    assert counted(msp.sync()) == {"seen": 25, "created": 1, "moved": 1, "unchanged": 23}


@pytest.mark.one_database
def test_assets_of_an_organization_that_does_not_sync_keep_what_they_have(msp: Msp) -> None:
    msp.import_fleet()
    agent = msp.agents[0]
    organization = msp.mapping_id(msp.truth(agent)["client_pk"])
    mapping.set_auto_sync(organization, False)
    before = told(msp.assets()[agent])
    msp.tactical.control.agents.edit(agent_id=agent, **LIVE)
    run = msp.sync(STATUS)
    assert run.skipped
    assert told(msp.assets()[agent]) == before


@pytest.mark.one_database
def test_a_user_who_signs_in_is_news(msp: Msp) -> None:
    msp.import_fleet()
    agent = msp.agents[0]
    msp.tactical.control.agents.edit(agent_id=agent, logged_in_username="ann")
    run = msp.sync(STATUS)
    assert counted(run) == {"seen": 24, "updated": 1, "unchanged": 23}
    [entry] = msp.log(run)
    assert (entry.action, entry.external_id) == ("updated", agent)
    assert entry.changes is not None
    assert entry.changes.keys() == {"current_user"}


# --- What goes wrong --------------------------------------------------------------------


@pytest.mark.one_database
def test_a_broken_answer_goes_on_where_it_broke(msp: Msp, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sweep, "AGENTS_AT_ONCE", 5)
    msp.import_fleet()
    msp.tactical.control.faults.add("reset", "/agents/")
    run = msp.sync(STATUS)
    assert (run.status, counted(run)) == (RunStatus.SUCCESS, {"seen": 24, "unchanged": 24})


@pytest.mark.parametrize("kind", ["html", "empty", "redirect", "cut_json", "status"])
@pytest.mark.one_database
def test_what_is_no_list_changes_nothing_and_is_an_error(msp: Msp, kind: str) -> None:
    msp.import_fleet(inventory_source=InventorySource.DASHBOARD)
    before = {i: told(row) for i, row in msp.assets().items()}
    values = {"status": 500} if kind == "status" else {"size": 1} if kind == "cut_json" else {}
    msp.tactical.control.faults.add(kind, "/agents/", times=None, **values)
    run = msp.sync(STATUS)
    assert run.status is RunStatus.FAILED
    assert run.error
    assert {i: told(row) for i, row in msp.assets().items()} == before


def test_rows_that_cannot_be_read_cost_themselves(msp: Msp) -> None:
    msp.import_fleet()
    msp.tactical.control.faults.add("bad_rows", "/agents/")
    run = msp.sync(STATUS)
    assert (run.status, run.seen, run.failed) == (RunStatus.PARTIAL, 24, 4)


@pytest.mark.one_database
def test_an_agent_that_is_not_listed_keeps_its_word_and_ages(msp: Msp) -> None:
    gone, other = msp.agents[:2]
    for each in (gone, other):
        msp.tactical.control.agents.seen(agent_id=each, seconds_ago=0)
    msp.import_fleet()

    def looks() -> dict[str, tuple[str, str]]:
        return {i: (row["agent_status"], row["status_as_of"]) for i, row in msp.assets().items()}

    before = looks()
    msp.tactical.control.faults.add("json", "/agents/", body=[])
    msp.sync(STATUS)
    assert looks() == before  # an empty list tells nothing
    msp.tactical.control.agents.remove(agent_id=gone)
    msp.sync(STATUS)
    assert looks()[gone] == before[gone]
    assert looks()[other] > before[other]


def test_it_goes_on_during_a_device_sync_and_its_newer_news_stay(
    msp: Msp, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The sync has its page; the agent falls silent, and a sweep is the first to tell."""
    msp.import_fleet()
    agent = msp.agents[0]
    msp.tactical.control.agents.edit(agent_id=agent, hostname="RENAMED", logged_in_username="old")
    msp.tactical.control.agents.seen(agent_id=agent, seconds_ago=0)
    apply_page = devices.apply_page

    def sweep_first(*args: Any) -> None:
        monkeypatch.setattr(devices, "apply_page", apply_page)
        msp.tactical.control.agents.edit(agent_id=agent, logged_in_username="newer")
        msp.tactical.control.agents.seen(agent_id=agent, seconds_ago=3600)
        assert msp.sync(STATUS).status is RunStatus.SUCCESS
        apply_page(*args)

    monkeypatch.setattr(devices, "apply_page", sweep_first)
    assert msp.sync().status is RunStatus.SUCCESS
    found = msp.assets()[agent]
    assert found["agent_status"] == msp.truth(agent)["status"] != "online"
    assert found["current_user"] == "newer"
    assert found["name"] == "RENAMED"
    assert found["last_rmm_sync_at"] < found["status_as_of"]


@pytest.mark.one_database
def test_what_was_read_after_the_sweep_began_is_newer(
    msp: Msp, monkeypatch: pytest.MonkeyPatch
) -> None:
    msp.import_fleet()
    agent = msp.agents[0]
    apply = sweep._apply

    def refresh_first(*args: Any) -> None:
        """The sweep has its rows; the agent changes, and a webhook refreshes it."""
        msp.tactical.control.agents.edit(agent_id=agent, logged_in_username="newer")
        msp.sync_agent(agent)
        apply(*args)

    monkeypatch.setattr(sweep, "_apply", refresh_first)
    msp.sync(STATUS)
    assert msp.assets()[agent]["current_user"] == "newer"


@pytest.mark.parametrize("source", SOURCES)
@pytest.mark.parametrize("changes_facts", [False, True])
def test_a_plan_that_was_overtaken_writes_nothing_over_what_is_newer(
    msp: Msp, source: InventorySource, changes_facts: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Whatever made the plan old, the statements themselves compare the times."""
    msp.import_fleet(inventory_source=source)
    agent = msp.agents[0]
    msp.tactical.control.agents.seen(agent_id=agent, seconds_ago=3600)
    if changes_facts:
        msp.tactical.control.agents.edit(agent_id=agent, logged_in_username="old")
    plans: list[Any] = []
    monkeypatch.setattr(sweep, "write_decisions", lambda *plan: plans.append(plan))
    msp.sync(STATUS)
    msp.tactical.control.agents.seen(agent_id=agent, seconds_ago=0)
    msp.sync_agent(agent)
    newer = told(msp.assets()[agent])
    assert newer["agent_status"] == "online"
    with transaction() as session:
        for _, integration_id, decisions, _run_log in plans:
            apply_decisions(session, integration_id, decisions)
    assert told(msp.assets()[agent]) == newer


def test_statements_do_not_grow_with_the_fleet(msp: Msp) -> None:
    msp.import_fleet()
    for number, agent in enumerate(msp.agents):
        msp.tactical.control.agents.seen(agent_id=agent, seconds_ago=number)
    with counting() as statements:
        msp.sync(STATUS)
    assert len(statements) < 60, "\n".join(statements)
