"""Plans from the command line: made, shown, applied in part, declined."""

from __future__ import annotations

import pytest

from tactical_simulator import SimulatedTactical
from tests.cli.conftest import Portal

TENANT = ("--tenant", "acme", "--json")


@pytest.fixture
def connected(acme: Portal, tactical: SimulatedTactical) -> Portal:
    url = ("--url", tactical.url, "--api-key-stdin")
    assert acme("connect", *url, *TENANT, stdin=f"{tactical.api_key}\n").exit_code == 0
    acme("sync", "organizations", *TENANT)
    acme("map", "--exact", "--create", *TENANT)
    return acme


def test_a_dry_run_is_applied_in_part_then_as_a_whole(
    connected: Portal, tactical: SimulatedTactical
) -> None:
    agents = tactical.control.agents.ids()
    planned = connected("sync", "devices", "--dry-run", *TENANT)
    assert (planned.exit_code, planned.data["status"]) == (0, "planned")
    assert planned.data["counts"] == {"create": len(agents)}
    record = next(r for r in planned.data["records"] if r["agent_id"] == agents[0])
    assert (record["action"], record["reason"]) == ("create", None)
    assert record["changes"]["name"] == [None, record["name"]]
    plan = str(planned.data["plan"])

    shown = connected("plans", "show", plan, *TENANT)
    assert shown.data["records"] == planned.data["records"]
    applied = connected("plans", "apply", plan, "--only", agents[0], "--only", agents[1], *TENANT)
    assert (applied.data["status"], applied.data["counts"]["created"]) == ("success", 2)
    again = connected("plans", "apply", plan, *TENANT)
    assert again.exit_code == 1
    assert "already been applied" in again.data["errors"][0]

    rest = connected("sync", "devices", "--dry-run", *TENANT).data
    assert rest["counts"] == {"create": len(agents) - 2}
    assert connected("plans", "decline", str(rest["plan"]), *TENANT).data["status"] == "declined"
    assert connected("plans", "show", "99", *TENANT).exit_code == 1


def test_a_held_sync_says_so_and_names_its_plan(
    connected: Portal, tactical: SimulatedTactical
) -> None:
    connected("sync", "devices", *TENANT)
    for agent_id in tactical.control.agents.ids()[:8]:
        tactical.control.agents.remove(agent_id=agent_id)
    held = connected("sync", "devices", *TENANT)
    assert (held.exit_code, held.data["status"]) == (2, "held")
    assert "a person decides" in held.data["errors"][0]
    applied = connected("plans", "apply", str(held.data["plan"]), *TENANT)
    assert (applied.exit_code, applied.data["counts"]["missing"]) == (0, 8)
