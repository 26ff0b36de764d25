"""Installed software: two shapes of entries, and two types of answers."""

from __future__ import annotations

from tactical_simulator import FleetSpec, SimulatedTactical
from tests.simulator.api import Api

FULL = {
    "name", "version", "publisher", "install_date", "size", "source", "location", "uninstall",
}  # fmt: skip


def test_one_row_for_each_agent_that_reported(tactical: SimulatedTactical, api: Api) -> None:
    truth = tactical.control.truth.software()
    ids = {agent["pk"]: agent["agent_id"] for agent in tactical.control.truth.agents()}
    rows = {ids[row["agent"]]: row["software"] for row in api.rows("/software/")}
    assert rows == {agent_id: entries for agent_id, entries in truth.items() if entries}
    posix = [agent for agent in tactical.control.truth.agents() if agent["plat"] != "windows"]
    assert all(truth[agent["agent_id"]] is None for agent in posix)


def test_entries_are_as_met() -> None:
    with SimulatedTactical(FleetSpec(agents=60)) as tactical:
        lists = [entries for entries in tactical.control.truth.software().values() if entries]
    shapes = {frozenset(entry) for entries in lists for entry in entries}
    assert shapes == {frozenset(FULL), frozenset({"name", "version"})}
    flat = [entry for entries in lists for entry in entries]
    assert all(isinstance(value, str) for entry in flat for value in entry.values())
    full = [entry for entry in flat if len(entry) > 2]
    assert {"", "0 B"} & {entry["size"] for entry in full}
    assert "0001-01-01 00:00:00 +0000 UTC" in {entry["install_date"] for entry in full}
    assert "Not Found" in {entry["version"] for entry in flat}
    repeated = [
        entries
        for entries in lists
        if len({(entry["name"], entry["version"]) for entry in entries}) < len(entries)
    ]
    assert repeated
    mean = len(flat) / len(lists)
    assert 100 < mean < 140


def test_one_agent(tactical: SimulatedTactical, api: Api) -> None:
    agents = tactical.control.truth.agents()
    truth = tactical.control.truth.software()
    silent = next(agent for agent in agents if truth[agent["agent_id"]] is None)
    reported = next(agent for agent in agents if truth[agent["agent_id"]])
    assert api.rows(f"/software/{silent['agent_id']}/") == []
    row = api.rows(f"/software/{reported['agent_id']}/")
    assert row["agent"] == reported["pk"]
    assert row["software"] == truth[reported["agent_id"]]
    response = api.get(f"/software/{'x' * 40}/")
    assert (response.status_code, response.json()["detail"][:8]) == (404, "No Agent")


def test_changes(tactical: SimulatedTactical, api: Api) -> None:
    control = tactical.control.software
    agent_id = tactical.control.agents.ids()[0]
    control.set(agent_id, [{"name": "A", "version": "1"}])
    control.install(agent_id, name="B", version="2", publisher="Bee")
    assert [e["name"] for e in api.rows(f"/software/{agent_id}/")["software"]] == ["A", "B"]
    control.uninstall(agent_id, "A")
    assert [e["name"] for e in control.get(agent_id) or []] == ["B"]
    control.set(agent_id, [])
    assert api.rows(f"/software/{agent_id}/")["software"] == []
    control.set(agent_id, None)
    assert api.rows(f"/software/{agent_id}/") == []
