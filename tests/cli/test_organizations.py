"""Organizations from the command line: mapped as suggested, or held because Tactical lists them no
more."""

from __future__ import annotations

from tactical_simulator import SimulatedTactical
from tests.cli.conftest import TENANT, Portal


def test_a_sync_that_is_held_exits_2_and_is_settled(
    mapped: Portal, tactical: SimulatedTactical
) -> None:
    assert mapped("organizations", *TENANT).data == {"ok": True, "organizations": []}
    limits = ("--url", tactical.url, "--brake-assets", "0")
    assert mapped("connect", *limits, *TENANT).exit_code == 0
    for pk in (1, 2):
        tactical.control.places.remove_client(pk=pk)
    held = mapped("sync", "organizations", *TENANT)
    assert (held.exit_code, held.data["status"]) == (2, "held")
    assert "no longer lists 2 of 3 organizations" in held.data["errors"][0]
    rows = mapped("organizations", *TENANT).data["organizations"]
    assert {row["external_organization_id"] for row in rows} == {"1", "2"}
    assert set(rows[0]) == {
        "external_organization_id",
        "external_organization_name",
        "held_since",
        "assets",
    }
    unknown = mapped("organizations", "settle", "3", "--as", "gone", *TENANT)
    assert (unknown.exit_code, unknown.data["ok"]) == (1, False)
    kept = mapped("organizations", "settle", "1", "--as", "keep", *TENANT).data
    assert (kept["ok"], kept["settled_as"]) == (True, "keep")
    gone = mapped("organizations", "settle", "--as", "gone", *TENANT)
    assert gone.data["title"].startswith("Marked ")
    assert mapped("organizations", "settle", "--as", "gone", *TENANT).exit_code == 1
    exported = mapped("export", "organizations", *TENANT).data
    gone_ids = {r["external_organization_id"] for r in exported if r["gone_since"]}
    assert gone_ids == {"2"}
    assert mapped("sync", "organizations", *TENANT).exit_code == 0


def test_what_is_suggested_is_shown_and_the_sure_is_accepted(
    connected: Portal,
) -> None:
    names = [
        row["external_organization_name"]
        for row in connected("export", "organizations", *TENANT).data
    ]
    sure, alike, _ = names
    connected("clients", "add", f"{sure.upper()}, Ltd.", *TENANT)
    connected("clients", "add", f"{alike} Worldwide", *TENANT)

    found = connected("map", "--suggest", *TENANT).data["suggestions"]
    assert [tuple(row) for row in found] == [
        ("external_id", "organization", "client", "score", "reason", "preselected")
    ] * 2
    by_name = {row["organization"]: (row["client"], row["preselected"]) for row in found}
    assert by_name == {sure: (f"{sure.upper()}, Ltd.", True), alike: (f"{alike} Worldwide", False)}
    accepted = connected("map", "--accept", *TENANT).data["mapped"]
    assert [row["external_organization_name"] for row in accepted] == [sure]
    assert connected("map", "--accept", *TENANT).data["mapped"] == []
    assert len(connected("map", "--suggest", *TENANT).data["suggestions"]) == 1
    assert connected("map", "1", "--suggest", *TENANT).exit_code == 1
    assert connected("map", "--accept", "--create", *TENANT).exit_code == 1
