"""`/clients/` and `/agents/`: the lists that work without the beta API."""

from __future__ import annotations

from typing import Any

import pytest

from tactical_simulator import FleetSpec, SimulatedTactical
from tests.simulator.api import Api, is_html

TABLE_KEYS = [
    "agent_id", "alert_template", "hostname", "site_name", "client_name", "monitoring_type",
    "description", "needs_reboot", "pending_actions_count", "status", "overdue_text_alert",
    "overdue_email_alert", "overdue_dashboard_alert", "last_seen", "boot_time", "checks",
    "maintenance_mode", "logged_username", "italic", "block_policy_inheritance", "plat", "goarch",
    "has_patches_pending", "version", "operating_system", "public_ip", "cpu_model", "graphics",
    "local_ips", "make_model", "physical_disks", "custom_fields", "serial_number",
]  # fmt: skip


def test_short_list(tactical: SimulatedTactical, api: Api) -> None:
    truth = tactical.control.truth.agents()
    expected = [
        {
            "id": agent["pk"],
            "hostname": agent["hostname"],
            "agent_id": agent["agent_id"],
            "client": agent["client"],
            "site": agent["site"],
        }
        for agent in truth
    ]
    assert api.rows("/agents/?detail=false") == expected
    assert api.rows("/agents/?detail=yes") == expected


def test_table_row(api: Api) -> None:
    for path in ("/agents/", "/agents/?detail=true"):
        rows = api.rows(path)
        assert list(rows[0]) == TABLE_KEYS
        assert len(rows) == 60


def test_both_apis_derive_the_same_facts() -> None:
    fleet = FleetSpec(agents=400, frozen=True)
    facts = ("cpu_model", "graphics", "local_ips", "make_model", "physical_disks", "serial_number")
    with SimulatedTactical(fleet) as tactical, Api(tactical.url, tactical.api_key) as api:
        for row, pk in zip(api.rows("/agents/"), range(1, 401), strict=True):
            if row["plat"] == "windows" and pk % 8:
                continue
            detail = api.rows(f"/beta/v1/agent/{pk}/")
            assert detail["agent_id"] == row["agent_id"]
            assert {name: detail[name] for name in facts} == {name: row[name] for name in facts}


@pytest.mark.parametrize("adapters", [None, 7, True])
def test_an_agent_without_adapters_crashes_whatever_derives(
    tactical: SimulatedTactical, api: Api, adapters: Any
) -> None:
    truth = tactical.control.truth.agents()
    agent = next(each for each in truth if each["plat"] == "windows")
    tactical.control.agents.edit(agent["agent_id"], wmi_patch={"network_config": adapters})
    site, client = agent["site_pk"], agent["client_pk"]
    others = [each for each in truth if each["client_pk"] != client]
    for crashes in (
        "/agents/",
        f"/agents/?client={client}",
        f"/agents/?site={site}",
        f"/agents/{agent['agent_id']}/",
        f"/beta/v1/agent/{agent['pk']}/",
    ):
        assert api.get(crashes).status_code == 500
    assert len(api.rows("/agents/?detail=false")) == len(truth)
    assert api.get("/beta/v1/agent/").json()["count"] == len(truth)
    for sound in {each["client_pk"] for each in others}:
        assert api.get(f"/agents/?client={sound}").status_code == 200


def test_filters(tactical: SimulatedTactical, api: Api) -> None:
    truth = tactical.control.truth.agents()
    client, site = truth[0]["client_pk"], truth[0]["site_pk"]
    in_client = [agent for agent in truth if agent["client_pk"] == client]
    in_site = [agent for agent in truth if agent["site_pk"] == site]
    servers = [agent for agent in truth if agent["monitoring_type"] == "server"]
    assert len(api.rows(f"/agents/?client={client}")) == len(in_client)
    assert len(api.rows(f"/agents/?client={client}&detail=false")) == len(in_client)
    assert len(api.rows(f"/agents/?client=9999&site={site}")) == len(in_site)
    assert api.rows("/agents/?client=9999") == []
    assert len(api.rows("/agents/?monitoring_type=server")) == len(servers)
    response = api.get("/agents/?monitoring_type=x")
    assert (response.status_code, response.json()) == (400, "monitoring type does not exist")
    assert is_html(api.get("/agents/?client=abc"), "Server Error (500)")


def test_edit_moves_the_row_to_the_end(tactical: SimulatedTactical, api: Api) -> None:
    agent_id = tactical.control.agents.ids()[0]
    response = api.put(f"/agents/{agent_id}/", json={"description": "édité"})
    assert response.json() == "The agent was updated successfully"
    assert api.rows("/agents/?detail=false")[-1]["agent_id"] == agent_id
    assert api.rows("/agents/")[-1]["description"] == "édité"
    assert api.rows("/beta/v1/agent/?page_size=1")["results"][0]["agent_id"] == agent_id


def test_detail_of_one_agent(tactical: SimulatedTactical, api: Api) -> None:
    agent = tactical.control.truth.agents()[0]
    row = api.rows(f"/agents/{agent['agent_id']}/")
    assert not {"id", "serial_number", "client_id"} & set(row)
    assert (row["site"], row["client"]) == (agent["site_pk"], agent["client"])
    assert row["status"] == agent["status"]
    assert len(row["all_timezones"]) == 599
    # The first reading wrote the policy, in the name of who read.
    assert row["effective_patch_policy"]["created_by"] == "apiuser"
    assert tactical.state.patch_policies == {agent["pk"]: "apiuser"}


@pytest.mark.parametrize("plat", ["windows", "linux", "darwin"])
def test_users_as_shown(tactical: SimulatedTactical, api: Api, plat: str) -> None:
    shown = {row["agent_id"]: row for row in api.rows("/agents/") if row["plat"] == plat}
    assert shown
    for agent in tactical.control.truth.agents():
        row = shown.get(agent["agent_id"])
        if row is None:
            continue
        is_nobody = row["italic"] or row["logged_username"] in (None, "-")
        assert agent["logged_in_user"] == ("" if is_nobody else row["logged_username"])


def test_clients_nest_their_sites(tactical: SimulatedTactical, api: Api) -> None:
    truth = {client["pk"]: client for client in tactical.control.truth.clients()}
    rows: list[dict[str, Any]] = api.rows("/clients/")
    assert [row["name"] for row in rows] == sorted(row["name"] for row in rows)
    for row in rows:
        assert row["agent_count"] == truth[row["id"]]["agents"]
        assert len(row["sites"]) == len(truth[row["id"]]["sites"])
        assert api.rows(f"/clients/{row['id']}/") == row
    assert sum(row["agent_count"] for row in rows) == 60
    assert "agent_count" not in api.rows("/clients/sites/")[0]
    assert api.get("/clients/99/").json() == {"detail": "No Client matches the given query."}


def test_notes(tactical: SimulatedTactical, api: Api) -> None:
    agent_id = tactical.control.agents.ids()[0]
    response = api.post("/agents/notes/", json={"agent_id": agent_id, "note": "Hallo"})
    assert response.json() == "Note added!"
    [note] = api.rows(f"/agents/{agent_id}/notes/")
    assert (note["note"], note["username"], note["agent_id"]) == ("Hallo", "apiuser", agent_id)
    api.delete(f"/agents/notes/{note['pk']}/")
    assert api.rows(f"/agents/{agent_id}/notes/") == []


def test_checks(tactical: SimulatedTactical, api: Api) -> None:
    agent_id = tactical.control.agents.ids()[0]
    assert api.rows(f"/agents/{agent_id}/checks/") == []
    tactical.control.alerts.trigger(agent_id, "check", send=False)
    [check] = api.rows(f"/agents/{agent_id}/checks/")
    assert check["check_result"]["status"] == "failing"
    [row] = [row for row in api.rows("/agents/") if row["agent_id"] == agent_id]
    assert row["checks"]["failing"] == 1
    assert row["checks"]["has_failing_checks"] is True


def test_no_updates_are_pending(tactical: SimulatedTactical, api: Api) -> None:
    assert api.rows(f"/winupdate/{tactical.control.agents.ids()[0]}/") == []
