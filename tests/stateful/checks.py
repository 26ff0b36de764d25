"""What holds after any course of events. Each raises AssertionError with what it found."""

from __future__ import annotations

from collections import defaultdict
from typing import Any

from portal.models import SyncRun
from portal.models.runs.sync_run import RunStatus
from portal.services.runs.plans import find_plan_of_run, list_all_rows
from tests.stateful.tables import OF_RUNS, Dump, differences, dump
from tests.stateful.world import World


def check_covered(world: World, run: SyncRun) -> None:
    """Each listed agent of a synced organization has one asset, waits, is superseded, or is held
    back until a person decides."""
    tables = dump(world.msp.id)
    owned = {row["rmm_device_id"] for row in tables["assets"].values()}
    superseded = {
        row["agent_id"] for row in tables["superseded_agents"].values() if row["revived_at"] is None
    }
    assert not owned & superseded
    synced = {
        row["external_organization_id"]
        for row in tables["rmm_organization_mappings"].values()
        if row["client_id"] is not None and row["auto_sync_assets"]
    }
    excused = superseded | _waiting(world, run) | _held_back(tables)
    for agent in world.control.truth.agents():
        if str(agent["client_pk"]) in synced:
            assert agent["agent_id"] in owned | excused, agent


def _waiting(world: World, run: SyncRun) -> set[str]:
    waiting = {entry.external_id for entry in world.msp.log(run, "waiting")}
    if run.status is RunStatus.HELD and (plan := find_plan_of_run(run.id)):
        waiting |= {row.agent_id for row in list_all_rows(plan.id)}
    return waiting


def _held_back(tables: Dump) -> set[str]:
    return {
        row["agent_id"]
        for row in tables["asset_conflicts"].values()
        if row["kind"] == "reverted" and row["settled_at"] is None
    }


def check_repeat(world: World) -> None:
    """A sync of what was just synced writes nothing."""
    before = dump(world.msp.id, OF_RUNS)
    world.sync()
    if told := differences(before, dump(world.msp.id, OF_RUNS)):
        raise AssertionError("The repeat wrote:\n" + "\n".join(told))


def check_not_merged(world: World) -> None:
    """The agents of an asset are of one computer, but for what a person joined."""
    agents: dict[int, set[str]] = defaultdict(set)
    tables = dump(world.msp.id)
    for row in tables["assets"].values():
        agents[row["id"]].add(row["rmm_device_id"])
    for row in tables["superseded_agents"].values():
        agents[row["asset_id"]].add(row["agent_id"])
    for asset_id, its in agents.items():
        groups = [set(world.computers(agent_id)) for agent_id in its]
        assert len(_connect(groups, world.joined)) == 1, (asset_id, its)


def _connect(groups: list[set[str]], joined: list[set[str]]) -> list[set[str]]:
    """The groups, with those in one that share a member, or have members that were joined."""
    apart: list[set[str]] = []
    for group in [*groups, *joined]:
        touching = [each for each in apart if each & group]
        apart = [each for each in apart if not each & group]
        apart.append(set().union(group, *touching))
    members = set().union(*groups)
    return [each for each in apart if each & members]


def check_kept(before: Dump, after: Dump) -> None:
    """No asset lost an alert, a title or a line of its history: each is still there, with an
    asset, or in the snapshot of an asset that was removed."""
    assets = {row["id"] for row in after["assets"].values()}
    snapshots = [row["snapshot"] for row in after["removed_assets"].values()]
    kept_alerts = {alert_id for each in snapshots for alert_id in each["alerts"]}
    kept_changes = {change_id for each in snapshots for change_id in each["changes"]}
    for (alert_id,), row in before["rmm_alerts"].items():
        if row["asset_id"] is not None and alert_id not in kept_alerts:
            assert after["rmm_alerts"][alert_id,]["asset_id"] in assets, row
    for (change_id,), row in before["asset_changes"].items():
        if change_id not in kept_changes:
            assert after["asset_changes"][change_id,]["asset_id"] in assets, row
    _check_software(before, after, snapshots)


def _check_software(before: Dump, after: Dump, snapshots: list[dict[str, Any]]) -> None:
    def titles(rows: Any) -> set[tuple[int, str]]:
        return {(row["title_id"], row["version"]) for row in rows}

    there = titles(after["asset_software"].values())
    for snapshot in snapshots:
        there |= titles(snapshot["software"])
    assert titles(before["asset_software"].values()) <= there
    heirs = {row["asset_id"]: row["into_asset_id"] for row in after["removed_assets"].values()}
    assets = {row["id"] for row in after["assets"].values()}
    for row in before["asset_software"].values():
        assert row["asset_id"] in assets or row["asset_id"] in heirs, row
