"""From an empty folder to synced assets by commands alone, as a script would do it."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from tactical_simulator import SimulatedTactical
from tests.acceptance.shell import TENANT, Shell
from tests.acceptance.truth import expected_assets, told

pytestmark = [pytest.mark.one_database, pytest.mark.servers]

ASSET_COLUMNS = [
    *("name", "asset_type", "client", "serial_number", "os_type", "os_version"),
    *("agent_version", "make_model", "cpu", "ram_gb", "current_user", "boot_time"),
    *("uptime_seconds", "lan_ip", "wan_ip", "description", "rmm_provider", "rmm_device_id"),
    *("rmm_organization_id", "site_id", "site_name", "agent_status", "status_as_of"),
    *("status_stale", "last_seen_at", "last_rmm_sync_at", "missing_since"),
    *("retired_at", "asset_id", "superseded_device_ids", "maintenance_mode", "tags"),
    *("note", "note_at"),
]

UNCHANGED = dict.fromkeys(
    [
        *("created", "updated", "moved", "relinked", "waiting", "conflicts", "retired"),
        *("removed", "missing", "skipped", "failed"),
    ],
    0,
)


@pytest.fixture
def shell(tmp_path: Path) -> Shell:
    return begin(Shell(tmp_path))


@pytest.fixture
def real_shell(tmp_path: Path) -> Shell:
    """Of which no command knows another's: each has its process, with streams of its own."""
    return begin(Shell(tmp_path, in_processes=True))


def begin(shell: Shell) -> Shell:
    said = shell.run("tenants", "add", "Acme MSP", "--slug", TENANT)
    assert said.exit_code == 0, said.err
    return shell


@pytest.mark.fleet(agents=1200, clients=12, sites=36)
@pytest.mark.parametrize("source", ["beta", "dashboard"])
def test_a_fleet_of_many_pages_becomes_assets_that_tell_the_truth(
    shell: Shell, tactical: SimulatedTactical, source: str
) -> None:
    shell.connect(tactical.url, tactical.api_key, "--source", source)
    organizations = shell.json("sync", "organizations")
    assert organizations["counts"] == {**UNCHANGED, "seen": 12, "created": 12, "unchanged": 0}
    assert len(shell.json("map", "--exact", "--create")["mapped"]) == 12

    first = shell.json("sync", "devices")
    assert first["status"] == "success"
    assert first["counts"] == {**UNCHANGED, "seen": 1200, "created": 1200, "unchanged": 0}
    assert first["errors"] == []
    assert first["seconds"] > 0

    rows = shell.export("assets")
    assert list(rows[0]) == ASSET_COLUMNS
    expected = expected_assets(tactical, source)
    pairs = [(told(row), expected[row["rmm_device_id"]]) for row in rows]
    assert [pair for pair in pairs if pair[0] != pair[1]] == []
    assert len(rows) == len(expected)

    second = shell.json("sync", "devices")
    assert second["counts"] == {**UNCHANGED, "seen": 1200, "unchanged": 1200}
    assert shell.json("sync", "organizations")["counts"]["unchanged"] == 12


def test_times_and_uptime_are_those_of_the_agent(shell: Shell, tactical: SimulatedTactical) -> None:
    shell.connect(tactical.url, tactical.api_key)
    shell.json("sync", "organizations")
    shell.json("map", "--exact", "--create")
    shell.json("sync", "devices")
    for row in shell.export("assets"):
        assert row["status_as_of"] == row["last_rmm_sync_at"]
        synced = datetime.fromisoformat(row["last_rmm_sync_at"])
        assert row["last_rmm_sync_at"].endswith("Z")
        assert datetime.now(UTC) - synced < timedelta(minutes=2)
        if row["agent_status"] == "online" and row["boot_time"]:
            up = datetime.now(UTC) - datetime.fromisoformat(row["boot_time"])
            assert abs(up.total_seconds() - row["uptime_seconds"]) < 120


def test_one_organization_is_mapped_and_the_others_are_skipped(
    shell: Shell, tactical: SimulatedTactical
) -> None:
    shell.connect(tactical.url, tactical.api_key)
    shell.json("sync", "organizations")
    organization = shell.export("organizations")[0]
    number = organization["external_organization_id"]
    assert organization["client"] is None
    shell.json("clients", "add", "Fabrikam")

    mapped = shell.json("map", number, "--client", "fabrikam")["mapped"]
    assert mapped[0]["client"] == "Fabrikam"
    counts = shell.json("sync", "devices")["counts"]
    agents = tactical.control.truth.agents()
    inside = sum(str(agent["client_pk"]) == number for agent in agents)
    assert counts["created"] == inside == organization["agent_count"]
    assert counts["skipped"] == len(agents) - inside

    shell.json("map", number, "--no-auto-sync")
    assert shell.json("sync", "devices")["counts"]["skipped"] == len(agents)
    assert len(shell.export("assets")) == inside


def test_an_agent_that_moves_moves_its_asset(shell: Shell, tactical: SimulatedTactical) -> None:
    shell.connect(tactical.url, tactical.api_key)
    shell.json("sync", "organizations")
    shell.json("map", "--exact", "--create")
    shell.json("sync", "devices")
    agent, other = _agent_and_foreign_site(tactical)
    tactical.control.agents.move(agent_id=agent, site=other["site_pk"])

    counts = shell.json("sync", "devices")["counts"]
    assert counts["moved"] == 1
    row = next(row for row in shell.export("assets") if row["rmm_device_id"] == agent)
    assert (row["client"], row["site_name"]) == (other["client"], other["site"])


def test_one_agent_is_refreshed_alone(shell: Shell, tactical: SimulatedTactical) -> None:
    shell.connect(tactical.url, tactical.api_key)
    shell.json("sync", "organizations")
    shell.json("map", "--exact", "--create")
    agent = tactical.control.agents.ids()[0]
    assert shell.json("sync", "agent", agent)["counts"]["created"] == 1
    tactical.control.agents.edit(agent_id=agent, description="moved to the attic")
    assert shell.json("sync", "agent", agent)["counts"]["updated"] == 1
    assert [row["description"] for row in shell.export("assets")] == ["moved to the attic"]
    unknown = shell.json("sync", "agent", "x" * 40, exit_code=1)
    assert unknown["status"] == "failed"


def test_a_record_that_cannot_be_used_makes_a_run_partial(
    shell: Shell, tactical: SimulatedTactical
) -> None:
    shell.connect(tactical.url, tactical.api_key)
    shell.json("sync", "organizations")
    shell.json("map", "--exact", "--create")
    tactical.control.faults.add(kind="bad_rows", path="/beta/v1/agent/")
    partial = shell.json("sync", "devices", exit_code=2)
    assert partial["status"] == "partial"
    assert partial["counts"]["failed"] >= 1
    assert partial["errors"]


def test_failures_are_told_on_both_channels(real_shell: Shell, tactical: SimulatedTactical) -> None:
    said = real_shell.run(
        *("connect", "--tenant", TENANT, "--url", tactical.url, "--api-key-stdin", "--json"),
        stdin="wrong\n",
    )
    assert said.exit_code == 1
    assert said.data["ok"] is False
    assert said.data["fault"] == "wrong_key"
    assert said.data["message"] in said.err
    assert said.data["beta_api"] is None
    refused = real_shell.json("sync", "devices", exit_code=1)
    assert refused["status"] == "failed"
    assert "test" in refused["errors"][0]


def test_a_wrong_call_is_told_as_json_too(shell: Shell) -> None:
    said = shell.run("sync", "devices", "--json")
    assert said.exit_code == 1
    assert said.data["ok"] is False
    assert "--tenant" in said.err


def test_csv_has_the_same_columns(shell: Shell, tactical: SimulatedTactical) -> None:
    shell.connect(tactical.url, tactical.api_key)
    said = shell.run("export", "assets", "--tenant", TENANT, "--format", "csv")
    assert said.out.splitlines() == [",".join(ASSET_COLUMNS)]


def test_a_password_and_a_totp_secret_come_by_standard_input(
    real_shell: Shell, tactical: SimulatedTactical
) -> None:
    credentials = tactical.credentials
    connected = real_shell.json(
        *("connect", "--url", tactical.url, "--username", credentials.admin),
        *("--password-stdin", "--totp-secret-stdin"),
        stdin=f"{credentials.admin_password}\n{credentials.totp_secret}\n",
    )
    assert connected["ok"] is True
    assert connected["beta_api"] is True
    assert real_shell.json("test-connection")["ok"] is True


def _agent_and_foreign_site(tactical: SimulatedTactical) -> tuple[str, dict[str, Any]]:
    agents = tactical.control.truth.agents()
    first = agents[0]
    other = next(agent for agent in agents if agent["client_pk"] != first["client_pk"])
    return first["agent_id"], other
