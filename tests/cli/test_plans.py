"""Plans from the command line: made, shown, applied in part, declined."""

from __future__ import annotations

from tactical_simulator import SimulatedTactical
from tests.cli.conftest import TENANT, Portal


def test_a_dry_run_is_applied_in_part_then_as_a_whole(
    mapped: Portal, tactical: SimulatedTactical
) -> None:
    agents = tactical.control.agents.ids()
    planned = mapped("sync", "devices", "--dry-run", *TENANT)
    assert (planned.exit_code, planned.data["status"]) == (0, "planned")
    assert planned.data["counts"] == {"create": len(agents)}
    record = next(r for r in planned.data["records"] if r["agent_id"] == agents[0])
    assert (record["action"], record["reason"]) == ("create", None)
    assert record["changes"]["name"] == [None, record["name"]]
    plan = str(planned.data["plan"])

    shown = mapped("plans", "show", plan, *TENANT)
    assert shown.data["records"] == planned.data["records"]
    applied = mapped("plans", "apply", plan, "--only", agents[0], "--only", agents[1], *TENANT)
    assert (applied.data["status"], applied.data["counts"]["created"]) == ("success", 2)
    again = mapped("plans", "apply", plan, *TENANT)
    assert again.exit_code == 1
    assert "already been applied" in again.data["errors"][0]

    rest = mapped("sync", "devices", "--dry-run", *TENANT).data
    assert rest["counts"] == {"create": len(agents) - 2}
    assert mapped("plans", "decline", str(rest["plan"]), *TENANT).data["status"] == "declined"
    assert mapped("plans", "show", "99", *TENANT).exit_code == 1


def test_a_held_sync_says_so_and_names_its_plan(
    mapped: Portal, tactical: SimulatedTactical
) -> None:
    mapped("sync", "devices", *TENANT)
    for agent_id in tactical.control.agents.ids()[:8]:
        tactical.control.agents.remove(agent_id=agent_id)
    held = mapped("sync", "devices", *TENANT)
    assert (held.exit_code, held.data["status"]) == (2, "held")
    assert "a person decides" in held.data["errors"][0]
    applied = mapped("plans", "apply", str(held.data["plan"]), *TENANT)
    assert (applied.exit_code, applied.data["counts"]["missing"]) == (0, 8)
