"""Runs from the command line: listed, shown, undone."""

from __future__ import annotations

import pytest

from tactical_simulator import SimulatedTactical
from tests.cli.conftest import TENANT, Portal


@pytest.fixture
def connected(mapped: Portal) -> Portal:
    mapped("sync", "devices", *TENANT)
    return mapped


def test_a_run_is_found_shown_and_undone(connected: Portal, tactical: SimulatedTactical) -> None:
    agent_id = tactical.control.agents.ids()[0]
    before = tactical.control.truth.agent(agent_id=agent_id)["hostname"]
    tactical.control.agents.edit(agent_id=agent_id, hostname="RENAMED")
    connected("sync", "devices", *TENANT)
    listed = connected("runs", *TENANT).data["runs"]
    assert [run["kind"] for run in listed[:2]] == ["devices", "devices"]
    assert connected("runs", "--kind", "organizations", *TENANT).data["runs"][0]["kind"] == (
        "organizations"
    )
    run = str(listed[0]["id"])
    [record] = connected("runs", "show", run, *TENANT).data["records"]
    assert (record["agent_id"], record["changes"]["name"]) == (agent_id, [before, "RENAMED"])

    planned = connected("runs", "revert", run, "--dry-run", *TENANT)
    assert (planned.data["status"], planned.data["counts"]) == ("planned", {"updated": 1})
    assert planned.data["records"][0]["changes"] == {"name": ["RENAMED", before]}
    undone = connected("runs", "revert", run, *TENANT)
    assert (undone.exit_code, undone.data["status"]) == (0, "success")
    assert connected("runs", "show", run, *TENANT).data["reverted_by"] == undone.data["id"]
    names = {
        row["name"]
        for row in connected("export", "assets", "--format", "json", "--tenant", "acme").data
    }
    assert before in names
    assert "RENAMED" not in names
    again = connected("runs", "revert", run, *TENANT)
    assert again.exit_code == 1
    assert "undone already" in again.data["errors"][0]


@pytest.mark.parametrize(
    "words",
    [
        ("runs", "show"),
        ("runs", "revert"),
        ("plans", "show"),
        ("plans", "apply"),
        ("plans", "decline"),
        ("conflicts", "settle", "--as", "merge"),
    ],
)
def test_a_number_that_no_database_holds_is_nobodys(acme: Portal, words: tuple[str, ...]) -> None:
    for number in ("9" * 25, "0"):
        said = acme(*words, number, *TENANT)
        assert said.exit_code == 1
        assert f"Nothing has the number {number}." in said.out
        assert "Traceback" not in said.err


def test_a_run_that_does_not_exist_is_named(connected: Portal) -> None:
    said = connected("runs", "show", "999", *TENANT)
    assert (said.exit_code, said.data["message"]) == (1, "This sync run does not exist.")
