"""Previews, the brake, and what a person decides about a plan."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta
from typing import Any

import pytest
import time_machine
from sqlalchemy import event as hooks
from sqlalchemy import text

from portal.clock import utc_now
from portal.db import Base, db, transaction
from portal.errors import InvalidInput, NotFound, Refused
from portal.models import SyncPlan, SyncPlanRow
from portal.models.integrations.integration import InventorySource
from portal.models.runs.sync_plan import PlanAction, PlanStatus
from portal.models.runs.sync_run import RunStatus, SyncKind
from portal.scope import all_tenants
from portal.services.organizations.mapping import set_auto_sync
from portal.services.runs.plans import (
    apply_to_end,
    decline_plan,
    find_plan_of_run,
    get_plan,
    list_all_rows,
    list_rows,
)
from portal.sync.devices.plan_rows import PlanRow
from portal.sync.devices.writers.chosen import AS_IT_IS, CHANGED_SINCE, MAYBE_LISTED, UNSEEN
from portal.sync.runs.plans import IDS_AT_ONCE, add_rows, note_outcomes
from tests.support.msp import Msp, counted

pytestmark = pytest.mark.mainly("postgresql")

SOURCES = [InventorySource.BETA, InventorySource.DASHBOARD]
OF_A_PREVIEW = {"sync_runs", "sync_log_entries", "sync_plans", "sync_plan_rows", "audit_entries"}
"""And an event that it was asked for."""


def preview(msp: Msp) -> SyncPlan:
    run = msp.sync(SyncKind.PREVIEW)
    assert run.status is RunStatus.PLANNED
    plan = find_plan_of_run(run.id)
    assert plan is not None
    return plan


def rows_of(plan_id: int) -> dict[str, SyncPlanRow]:
    found = {row.agent_id: row for row in list_all_rows(plan_id)}
    db.session.rollback()
    return found


def actions_of(plan_id: int) -> dict[str, str]:
    return {agent_id: str(row.action) for agent_id, row in rows_of(plan_id).items()}


def outcomes_of(plan_id: int) -> dict[str, str | None]:
    return {agent_id: row.outcome for agent_id, row in rows_of(plan_id).items()}


def hash_tables() -> dict[str, str]:
    """Of every table but those that a preview writes."""
    hashes = {}
    with all_tenants(), db.engine.connect() as connection:
        for table in Base.metadata.sorted_tables:
            if table.name in OF_A_PREVIEW:
                continue
            query = f"SELECT * FROM {table.name}"  # noqa: S608
            if table.name == "events":
                query += " WHERE type <> 'audit.recorded'"
            rows = connection.execute(text(query))
            told = sorted(map(repr, rows))
            hashes[table.name] = hashlib.sha256("\n".join(told).encode()).hexdigest()
    return hashes


def change_one_of_each(msp: Msp) -> dict[str, str]:
    """Something of every kind happens in Tactical; agent_id to what a plan has to say."""
    agents = msp.tactical.control.agents
    renamed, moved, removed, back = msp.agents[:4]
    truth = msp.truth(back)
    agents.remove(agent_id=back)
    msp.sync()
    agents.add(site=truth["site_pk"], agent_id=back)
    agents.edit(agent_id=renamed, hostname="RENAMED")
    agents.move(agent_id=moved, site=msp.sites_of_others(moved)[0]["site_pk"])
    agents.remove(agent_id=removed)
    new = agents.add(site=truth["site_pk"])
    return {
        renamed: "update",
        moved: "move",
        removed: "missing",
        back: "returned",
        new: "create",
    }


@pytest.mark.parametrize("source", SOURCES)
def test_a_preview_tells_all_and_changes_nothing(msp: Msp, source: InventorySource) -> None:
    msp.import_fleet(inventory_source=source)
    expected = change_one_of_each(msp)
    before = hash_tables()
    plan = preview(msp)
    assert hash_tables() == before
    assert actions_of(plan.id) == expected
    renamed = next(row for row in rows_of(plan.id).values() if str(row.action) == "update")
    assert renamed.changes["name"][1] == "RENAMED"


@pytest.mark.one_database
def test_what_a_preview_told_is_what_a_sync_does(msp: Msp) -> None:
    msp.import_fleet()
    change_one_of_each(msp)
    plan = preview(msp)
    run = msp.sync()
    told = list(actions_of(plan.id).values())
    assert (run.created, run.moved, run.missing) == (1, 1, 1)
    assert run.updated == told.count("update") + told.count("returned")
    assert preview(msp).id != plan.id
    assert actions_of(preview(msp).id) == {}


def test_agents_of_unmapped_organizations_are_named_with_the_reason(msp: Msp) -> None:
    assert msp.connect().ok
    msp.sync(SyncKind.ORGANIZATIONS)
    rows = list_rows(preview(msp).id).items
    assert {str(row.action) for row in rows} == {"skipped"}
    assert all("is not mapped to a client" in str(row.reason) for row in rows)


def test_all_of_a_plan_or_only_some_of_it_is_applied(msp: Msp) -> None:
    msp.import_fleet()
    expected = change_one_of_each(msp)
    by_action = {action: agent_id for agent_id, action in expected.items()}
    plan = preview(msp)
    some = [by_action["create"], by_action["missing"]]
    run = apply_to_end(plan.id, some)
    assert run.status is RunStatus.SUCCESS
    assert (run.created, run.updated, run.moved, run.missing) == (1, 0, 0, 1)
    rest = preview(msp)
    assert set(actions_of(rest.id)) == set(expected) - set(some)
    run = apply_to_end(rest.id)
    assert run.moved == 1
    assert actions_of(preview(msp).id) == {}


@pytest.mark.one_database
def test_what_is_not_the_same_any_more_is_named_and_left(msp: Msp) -> None:
    msp.import_fleet()
    expected = change_one_of_each(msp)
    by_action = {action: agent_id for agent_id, action in expected.items()}
    plan = preview(msp)
    agents, gone = msp.tactical.control.agents, by_action["missing"]
    agents.edit(agent_id=by_action["update"], hostname="RENAMED AGAIN")
    agents.remove(agent_id=by_action["create"])
    truth = msp.truth(by_action["returned"])
    agents.add(site=truth["site_pk"], agent_id=gone)
    msp.sync_agent(by_action["move"])
    run = apply_to_end(plan.id)
    found = outcomes_of(plan.id)
    assert found[by_action["update"]] == CHANGED_SINCE
    assert found[by_action["create"]] == UNSEEN
    assert found[by_action["move"]] == AS_IT_IS
    assert found[gone] == MAYBE_LISTED
    assert found[by_action["returned"]] == "Applied."
    assert {entry.reason for entry in msp.log(run, "note")} >= {CHANGED_SINCE, UNSEEN, AS_IT_IS}


@pytest.mark.one_database
def test_a_plan_is_decided_once_and_in_time(msp: Msp) -> None:
    msp.import_fleet()
    change_one_of_each(msp)
    older, newer = preview(msp), preview(msp)
    with pytest.raises(Refused, match="There is a newer plan"):
        apply_to_end(older.id)
    with pytest.raises(InvalidInput, match="nothing to apply for the agent nobody"):
        apply_to_end(newer.id, ["nobody"])
    with (
        time_machine.travel(utc_now() + timedelta(hours=24, seconds=1), tick=False),
        pytest.raises(Refused, match="has expired"),
    ):
        apply_to_end(newer.id)
    assert decline_plan(newer.id).status is PlanStatus.DECLINED
    with pytest.raises(Refused, match="was declined"):
        apply_to_end(newer.id)
    with pytest.raises(NotFound):
        get_plan(newer.id + 1)


def move_away(msp: Msp, share: float) -> list[str]:
    """So many of the largest client's agents move to another one."""
    by_client: dict[int, list[str]] = {}
    for agent_id in msp.agents:
        by_client.setdefault(msp.truth(agent_id)["client_pk"], []).append(agent_id)
    largest = max(by_client.values(), key=len)
    site = msp.sites_of_others(largest[0])[0]["site_pk"]
    moved = largest[: int(len(largest) * share)]
    for agent_id in moved:
        msp.tactical.control.agents.move(agent_id=agent_id, site=site)
    return moved


def held(msp: Msp) -> tuple[SyncPlan, list[str]]:
    msp.import_fleet(brake_assets=1)
    moved = move_away(msp, 0.8)
    run = msp.sync()
    assert run.status is RunStatus.HELD
    assert "move" in str(run.error)
    plan = find_plan_of_run(run.id)
    assert plan is not None
    assert plan.reason == run.error
    return plan, moved


def test_too_much_at_once_is_held_and_the_rest_is_written(msp: Msp) -> None:
    msp.import_fleet(brake_assets=1)
    moved = move_away(msp, 0.8)
    other = next(agent_id for agent_id in msp.agents if agent_id not in moved)
    msp.tactical.control.agents.edit(agent_id=other, hostname="RENAMED")
    before = msp.assets()
    run = msp.sync()
    after = msp.assets()
    assert run.status is RunStatus.HELD
    assert counted(run) == {"seen": len(msp.agents), "updated": 1, "unchanged": len(msp.agents) - 1}
    assert after[other]["name"] == "RENAMED"
    assert {after[each]["client"] for each in moved} == {before[moved[0]]["client"]}


@pytest.mark.one_database
def test_a_person_applies_what_was_held(msp: Msp) -> None:
    plan, moved = held(msp)
    assert set(actions_of(plan.id)) == set(moved)
    client = msp.assets()[moved[0]]["client"]
    run = apply_to_end(plan.id)
    assert (run.status, run.moved) == (RunStatus.SUCCESS, len(moved))
    assert all(msp.assets()[each]["client"] != client for each in moved)
    assert msp.sync().status is RunStatus.SUCCESS


@pytest.mark.one_database
def test_what_is_declined_is_held_again_by_the_next_run(msp: Msp) -> None:
    plan, _moved = held(msp)
    decline_plan(plan.id)
    assert msp.sync().status is RunStatus.HELD


def test_many_that_are_gone_at_once_are_held(msp: Msp) -> None:
    msp.import_fleet(brake_assets=2)
    removed = msp.agents[:8]
    for agent_id in removed:
        msp.tactical.control.agents.remove(agent_id=agent_id)
    run = msp.sync()
    assert (run.status, run.missing) == (RunStatus.HELD, 0)
    assert all(row["missing_since"] is None for row in msp.assets().values())
    plan = find_plan_of_run(run.id)
    assert plan is not None
    assert actions_of(plan.id) == dict.fromkeys(removed, "missing")
    assert apply_to_end(plan.id).missing == 8


@pytest.mark.one_database
def test_a_brake_of_a_hundred_percent_holds_nothing(msp: Msp) -> None:
    msp.import_fleet(brake_percent=100, brake_assets=0)
    moved = move_away(msp, 1.0)
    run = msp.sync()
    assert (run.status, run.moved) == (RunStatus.SUCCESS, len(moved))


def test_a_move_to_an_organization_that_is_not_synced_waits_for_the_end_too(msp: Msp) -> None:
    msp.import_fleet()
    agent = msp.agents[0]
    elsewhere = msp.sites_of_others(agent)[0]
    set_auto_sync(msp.mapping_id(elsewhere["client_pk"]), False)
    msp.tactical.control.agents.move(agent_id=agent, site=elsewhere["site_pk"])
    before = msp.assets()[agent]
    run = msp.sync()
    after: dict[str, Any] = msp.assets()[agent]
    assert run.moved == 1
    assert after["client"] == before["client"]
    assert after["site_id"] != before["site_id"]


def test_outcomes_of_many_rows_are_noted_some_at_a_time(msp: Msp) -> None:
    """A statement takes only so many parameters; a plan may have 50,000 rows."""
    msp.import_fleet()
    plan_id = preview(msp).id
    many = [f"agent-{number}" for number in range(2 * IDS_AT_ONCE + 1)]
    with transaction() as session:
        add_rows(session, plan_id, (PlanRow(PlanAction.CREATE, a, a, None, {}) for a in many))
    sizes: list[int] = []
    with listening(sizes), transaction() as session:
        note_outcomes(session, plan_id, dict.fromkeys(((a, False) for a in many), UNSEEN))
    assert max(sizes) < IDS_AT_ONCE + 10
    assert set(outcomes_of(plan_id).values()) == {UNSEEN}


@contextmanager
def listening(sizes: list[int]) -> Iterator[None]:
    """How many parameters each statement has."""

    def note(_c: object, _cursor: object, _sql: str, parameters: Any, *_: object) -> None:
        sizes.append(len(parameters))

    hooks.listen(db.engine, "before_cursor_execute", note)
    try:
        yield
    finally:
        hooks.remove(db.engine, "before_cursor_execute", note)
