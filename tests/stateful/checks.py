"""What holds after any course of events. Each raises AssertionError with what it found."""

from __future__ import annotations

from collections import Counter, defaultdict
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
        assert len(_connect(groups, [*world.joined.values()])) == 1, (asset_id, its)


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
    assert _list_alerts(before) <= _list_alerts(after)
    assert _list_titles(before) <= _list_titles(after)
    lost = _count_history(before) - _count_history(after)
    assert not lost, lost
    there = {row["id"] for row in after["assets"].values()}
    heirs = {row["asset_id"] for row in after["removed_assets"].values()}
    for row in before["assets"].values():
        assert row["id"] in there | heirs, row


def _list_alerts(tables: Dump) -> set[int]:
    owned = {row["id"] for row in tables["rmm_alerts"].values() if row["asset_id"] is not None}
    return owned.union(*(each["alerts"] for each in _list_snapshots(tables)))


def _list_titles(tables: Dump) -> set[tuple[int, str]]:
    rows = [*tables["asset_software"].values()]
    rows += [row for each in _list_snapshots(tables) for row in each["software"]]
    return {(row["title_id"], row["version"]) for row in rows}


def _count_history(tables: Dump) -> Counter[str]:
    """By what it tells: an asset that comes back has its history under new ids."""
    columns = ("run_id", "column", "before", "after")
    rows = [*tables["asset_changes"].values()]
    for each in _list_snapshots(tables):  # of a merge they are with the other asset
        rows += [row for row in each["changes"] if isinstance(row, dict)]
    return Counter(f"{row['action']} {[row[name] for name in columns]}" for row in rows)


def _list_snapshots(tables: Dump) -> list[dict[str, Any]]:
    return [row["snapshot"] for row in tables["removed_assets"].values()]
