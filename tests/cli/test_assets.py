"""Missing and retired assets from the command line."""

from __future__ import annotations

from tactical_simulator import SimulatedTactical
from tests.cli.conftest import Portal
from tests.cli.test_plans import TENANT, connected

__all__ = ["connected"]


def test_an_asset_is_retired_restored_and_deleted(
    connected: Portal, tactical: SimulatedTactical
) -> None:
    connected("sync", "devices", *TENANT)
    agent, listed = tactical.control.agents.ids()[:2]
    tactical.control.agents.remove(agent_id=agent)
    assert connected("missing", *TENANT).data == {"ok": True, "missing": []}
    connected("sync", "devices", *TENANT)
    [row] = connected("missing", *TENANT).data["missing"]
    assert list(row) == [
        *("device_id", "name", "client", "missing_since", "absent_runs", "proposed", "retired_at")
    ]
    assert (row["device_id"], row["absent_runs"], row["proposed"]) == (agent, 1, False)

    refused = connected("assets", "retire", listed, *TENANT)
    assert (refused.exit_code, "agent is listed" in refused.data["message"]) == (1, True)
    retired = connected("assets", "retire", agent, *TENANT).data
    assert retired["title"] == f"Retired {row['name']}"
    [row] = connected("missing", *TENANT).data["missing"]
    assert row["retired_at"] is not None
    connected("assets", "restore", retired["asset_id"], *TENANT)
    assert connected("missing", *TENANT).data["missing"][0]["retired_at"] is None

    connected("assets", "retire", agent, *TENANT)
    assert connected("assets", "delete", agent, *TENANT).exit_code == 1  # without --yes
    deleted = connected("assets", "delete", agent, "--yes", *TENANT).data
    assert deleted["title"] == "Deleted 1 asset for good"
    gone = connected("assets", "restore", agent, *TENANT)
    assert (gone.exit_code, "no asset" in gone.data["message"]) == (1, True)
    exported = connected("export", "assets", *TENANT).data
    assert agent not in {row["rmm_device_id"] for row in exported}
    assert {type(row["asset_id"]) for row in exported} == {str}
    assert {str(row["superseded_device_ids"]) for row in exported} == {"[]"}
    text = connected("export", "assets", *TENANT[:2], "--format", "csv").out
    assert ",retired_at,asset_id,superseded_device_ids" in text.splitlines()[0]
