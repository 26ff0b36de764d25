"""Conflicts and merges from the command line."""

from __future__ import annotations

from tactical_simulator import SimulatedTactical
from tests.cli.conftest import TENANT, Portal


def test_conflicts_are_listed_and_settled_and_assets_merged(
    mapped: Portal, tactical: SimulatedTactical
) -> None:
    mapped("sync", "devices", *TENANT)
    assert mapped("conflicts", *TENANT).data == {"ok": True, "conflicts": []}
    unknown = mapped("conflicts", "settle", "77", "--as", "merge", *TENANT)
    assert (unknown.exit_code, unknown.data["message"]) == (1, "This conflict does not exist.")
    assert mapped("conflicts", "settle", "77", "--as", "gone", *TENANT).exit_code == 1
    assert mapped("conflicts", "reopen", "77", *TENANT).data["message"] == unknown.data["message"]

    assets = mapped("export", "assets", *TENANT).data
    keep = assets[0]
    other = next(each for each in assets[1:] if each["client"] == keep["client"])
    merged = mapped("assets", "merge", keep["rmm_device_id"], other["asset_id"], *TENANT).data
    assert list(merged) == ["ok", "run", "asset_id", "title"]
    assert merged["title"] == f"Merged {other['name']} into {keep['name']}"
    left = {row["asset_id"]: row for row in mapped("export", "assets", *TENANT).data}
    assert other["asset_id"] not in left
    agents = {keep["rmm_device_id"], other["rmm_device_id"]}
    row = left[keep["asset_id"]]
    assert {row["rmm_device_id"], *row["superseded_device_ids"]} == agents
    again = mapped("assets", "merge", keep["rmm_device_id"], other["asset_id"], *TENANT)
    assert again.exit_code == 1
