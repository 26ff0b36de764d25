"""`map`, `sync` and `export`: what they print."""

from __future__ import annotations

import csv
import io

import pytest

from portal.services.export import ASSET_COLUMNS, ORGANIZATION_COLUMNS, SOFTWARE_COLUMNS
from tactical_simulator import SimulatedTactical
from tests.cli.conftest import Portal, Said

COUNTS = [
    *("seen", "created", "updated", "unchanged", "moved", "relinked", "waiting", "conflicts"),
    *("retired", "removed", "missing", "skipped", "failed"),
]


@pytest.fixture
def connected(acme: Portal, tactical: SimulatedTactical) -> Portal:
    words = ("connect", "--tenant", "acme", "--url", tactical.url, "--api-key-stdin")
    assert acme(*words, stdin=tactical.api_key).exit_code == 0

    def call(*words: str, stdin: str = "") -> Said:
        return acme(*words, "--tenant", "acme", stdin=stdin)

    return call


def test_a_sync_tells_its_counts(connected: Portal) -> None:
    said = connected("sync", "organizations", "--json")
    assert said.exit_code == 0
    assert {"status", "counts", "errors", "seconds"} <= said.data.keys()
    assert list(said.data["counts"]) == COUNTS
    assert said.data["status"] == "success"
    assert said.data["counts"]["created"] == said.data["counts"]["seen"] == 3
    assert said.data["errors"] == []
    assert isinstance(said.data["seconds"], float)
    again = connected("sync", "organizations")
    assert again.out.startswith("organizations success in ")
    assert "3 unchanged" in again.out


def test_a_partial_sync_exits_2(connected: Portal, tactical: SimulatedTactical) -> None:
    connected("sync", "organizations")
    tactical.control.faults.add(kind="bad_rows", path="/beta/v1/agent/")
    said = connected("sync", "devices", "--json")
    assert (said.exit_code, said.data["status"]) == (2, "partial")
    assert said.data["counts"]["failed"] == len(said.data["errors"]) > 0
    assert said.err.count("portal: ") == len(said.data["errors"])


def test_a_failed_sync_exits_1(connected: Portal, tactical: SimulatedTactical) -> None:
    tactical.control.access.remove_key(key=tactical.api_key)
    said = connected("sync", "organizations", "--json")
    assert (said.exit_code, said.data["status"]) == (1, "failed")
    assert said.data["fault"] == "wrong_key"
    assert said.data["errors"] == [said.err.removeprefix("portal: ").strip()]


def test_an_organization_is_mapped(connected: Portal, tactical: SimulatedTactical) -> None:
    connected("sync", "organizations")
    number = str(tactical.control.truth.clients()[0]["pk"])
    missing = connected("map", number, "--client", "Fabrikam", "--json")
    assert (missing.exit_code, "--create" in missing.data["message"]) == (1, True)
    made = connected("map", number, "--client", "Fabrikam", "--create", "--json")
    assert made.data["mapped"][0]["client"] == "Fabrikam"
    assert made.data["mapped"][0]["auto_sync_assets"] is True
    connected("sync", "devices")
    moved = connected(
        *("map", number, "--client", "Contoso", "--create", "--no-auto-sync", "--json")
    ).data["mapped"][0]
    assert moved["moved_assets"] == tactical.control.truth.clients()[0]["agents"]
    assert (moved["client"], moved["auto_sync_assets"]) == ("Contoso", False)
    switched = connected("map", number, "--auto-sync", "--json").data["mapped"][0]
    assert (switched["client"], switched["auto_sync_assets"]) == ("Contoso", True)
    unknown = connected("map", "4711", "--client", "Contoso", "--json")
    assert (unknown.exit_code, "4711" in unknown.data["message"]) == (1, True)


def test_exact_names_are_mapped_together(connected: Portal, tactical: SimulatedTactical) -> None:
    connected("sync", "organizations")
    first, second = (client["name"] for client in tactical.control.truth.clients()[:2])
    connected("clients", "add", first.upper())
    assert len(connected("map", "--exact", "--json").data["mapped"]) == 1
    assert connected("map", "--exact").out == "There is nothing to map.\n"
    created = connected("map", "--exact", "--create", "--json").data["mapped"]
    assert len(created) == 2
    assert second in {row["client"] for row in created}


def test_an_empty_export_is_an_empty_array_and_a_heading(acme: Portal) -> None:
    for what in ("assets", "organizations", "alerts", "deliveries"):
        words = ("export", what, "--tenant", "acme")
        assert acme(*words).data == []
        assert acme(*words, "--format", "json").exit_code == 0
        assert acme(*words, "--format", "csv").out.count("\n") == 1


def test_an_export_is_plain_values(connected: Portal, tactical: SimulatedTactical) -> None:
    agent = tactical.control.agents.ids()[0]
    tactical.control.agents.edit(
        agent_id=agent, hostname='=cmd|"x"!A1', description="", last_seen=None, total_ram=None
    )
    connected("sync", "organizations")
    assert list(connected("export", "organizations").data[0]) == list(ORGANIZATION_COLUMNS)
    connected("map", "--exact", "--create")
    connected("sync", "devices")
    rows = connected("export", "assets", "--format", "json").data
    assert [list(row) for row in rows] == [list(ASSET_COLUMNS)] * 24
    row = next(row for row in rows if row["rmm_device_id"] == agent)
    assert row["name"] == '=cmd|"x"!A1'
    assert (row["description"], row["last_seen_at"], row["ram_gb"]) == (None, None, None)
    assert row["agent_status"] == "offline"
    for each in rows:
        assert isinstance(each["rmm_organization_id"], str)
        assert isinstance(each["site_id"], str)
        assert each["last_rmm_sync_at"].endswith("Z")
        assert each["asset_type"] in ("workstation", "server")
    said = connected("export", "assets", "--format", "csv")
    lines = list(csv.DictReader(io.StringIO(said.out)))
    line = next(line for line in lines if line["rmm_device_id"] == agent)
    assert line["name"] == '\'=cmd|"x"!A1'
    assert line["description"] == ""
    assert len(lines) == 24


def test_software_is_synced_and_exported(connected: Portal, tactical: SimulatedTactical) -> None:
    connected("sync", "organizations")
    connected("map", "--exact", "--create")
    connected("sync", "devices")
    said = connected("sync", "software", "--json")
    assert (said.exit_code, said.data["status"]) == (0, "success")
    assert said.data["counts"]["created"] > 0
    rows = connected("export", "software", "--format", "json").data
    assert len(rows) == said.data["counts"]["created"]
    assert all(list(row) == list(SOFTWARE_COLUMNS) for row in rows)
    reported = tactical.control.truth.software()
    assert {row["rmm_device_id"] for row in rows} == {a for a in reported if reported[a]}
    assert {row["removed_at"] for row in rows} == {None}
    lines = list(
        csv.DictReader(io.StringIO(connected("export", "software", "--format", "csv").out))
    )
    assert [line["name"] for line in lines] == [row["name"] for row in rows]
    again = connected("sync", "software")
    assert again.exit_code == 0
    assert f"{len(rows)} unchanged" in again.out
