"""Missing and retired assets from the command line."""

from __future__ import annotations

from tactical_simulator import SimulatedTactical
from tests.cli.conftest import TENANT, Portal


def test_an_asset_is_retired_restored_and_deleted(
    mapped: Portal, tactical: SimulatedTactical
) -> None:
    mapped("sync", "devices", *TENANT)
    agent, listed = tactical.control.agents.ids()[:2]
    tactical.control.agents.remove(agent_id=agent)
    assert mapped("missing", *TENANT).data == {"ok": True, "missing": []}
    mapped("sync", "devices", *TENANT)
    [row] = mapped("missing", *TENANT).data["missing"]
    assert list(row) == [
        *("device_id", "name", "client", "missing_since", "absent_runs", "proposed", "retired_at")
    ]
    assert (row["device_id"], row["absent_runs"], row["proposed"]) == (agent, 1, False)

    refused = mapped("assets", "retire", listed, *TENANT)
    assert (refused.exit_code, "agent is listed" in refused.data["message"]) == (1, True)
    retired = mapped("assets", "retire", agent, *TENANT).data
    assert retired["title"] == f"Retired {row['name']}"
    [row] = mapped("missing", *TENANT).data["missing"]
    assert row["retired_at"] is not None
    mapped("assets", "restore", retired["asset_id"], *TENANT)
    assert mapped("missing", *TENANT).data["missing"][0]["retired_at"] is None

    mapped("assets", "retire", agent, *TENANT)
    assert mapped("assets", "delete", agent, *TENANT).exit_code == 1  # without --yes
    deleted = mapped("assets", "delete", agent, "--yes", *TENANT).data
    assert deleted["title"] == f"Deleted {row['name']} for good"
    gone = mapped("assets", "restore", agent, *TENANT)
    assert (gone.exit_code, "no asset" in gone.data["message"]) == (1, True)
    exported = mapped("export", "assets", *TENANT).data
    assert agent not in {row["rmm_device_id"] for row in exported}
    assert {type(row["asset_id"]) for row in exported} == {str}
    assert {str(row["superseded_device_ids"]) for row in exported} == {"[]"}
    text = mapped("export", "assets", *TENANT[:2], "--format", "csv").out
    assert ",retired_at,asset_id,superseded_device_ids" in text.splitlines()[0]
