"""The control, in this process and over HTTP, and the log of requests."""

from __future__ import annotations

import pytest

from tactical_simulator import FleetSpec, RemoteControl, SimulatedTactical
from tests.simulator.api import Api


def test_agents(tactical: SimulatedTactical, api: Api) -> None:
    control = tactical.control
    new = control.agents.add(3, hostname="NEU-01", total_ram=12)
    agent = control.truth.agent(new)
    assert (agent["pk"], agent["site_pk"], agent["hostname"]) == (61, 3, "NEU-01")
    control.agents.move(new, 5)
    control.agents.edit(new, description="moved", logged_in_username="eve", public_ip=None)
    agent = control.truth.agent(new)
    assert (agent["site_pk"], agent["description"], agent["logged_in_user"]) == (5, "moved", "eve")
    assert agent["public_ip"] is None
    control.agents.seen(new, 3 * 86_400)
    assert control.truth.agent(new)["status"] in ("overdue", "offline")
    control.agents.remove(new)
    assert new not in control.agents.ids()
    assert api.get(f"/agents/{new}/").status_code == 404
    with pytest.raises(ValueError):
        control.agents.edit(control.agents.ids()[0], nonsense=1)


def test_hardware(tactical: SimulatedTactical, api: Api) -> None:
    control = tactical.control
    agent = next(a for a in control.truth.agents() if a["plat"] == "windows")
    control.agents.edit(agent["agent_id"], wmi_patch={"bios": [[{"SerialNumber": "S-1"}]]})
    assert api.rows(f"/beta/v1/agent/{agent['pk']}/")["serial_number"] == "S-1"
    control.agents.edit(agent["agent_id"], wmi_detail={"cpu": 7}, services=[])
    row = api.rows(f"/beta/v1/agent/?id={agent['pk']}")["results"][0]
    assert (row["wmi_detail"], row["services"]) == ({"cpu": 7}, [])
    assert control.truth.agent(agent["agent_id"])["cpu_model"] == []


def test_places(tactical: SimulatedTactical, api: Api) -> None:
    places = tactical.control.places
    client = places.add_client("Neue & Co", "Zentrale")
    site = places.add_site(client, "Lager")
    agent_id = tactical.control.agents.add(site)
    places.rename_client(client, "Alte & Co")
    places.rename_site(site, "Keller")
    agent = tactical.control.truth.agent(agent_id)
    assert (agent["client"], agent["site"]) == ("Alte & Co", "Keller")
    [row] = [row for row in api.rows("/clients/") if row["id"] == client]
    assert [nested["agent_count"] for nested in row["sites"]] == [1, 0]
    places.remove_client(client)
    assert agent_id not in tactical.control.agents.ids()
    assert client not in {row["id"] for row in api.rows("/beta/v1/client/")}


def test_renaming_leaves_host_names(tactical: SimulatedTactical) -> None:
    before = [agent["hostname"] for agent in tactical.control.truth.agents()]
    for client in tactical.control.truth.clients():
        tactical.control.places.rename_client(client["pk"], f"Zzz {client['pk']}")
    assert [agent["hostname"] for agent in tactical.control.truth.agents()] == before


def test_over_http(tactical: SimulatedTactical, api: Api) -> None:
    remote = RemoteControl(tactical.url)
    ids = remote.agents.ids()
    assert ids == tactical.control.agents.ids()
    remote.agents.edit(agent_id=ids[0], description="remote")
    truth = remote.truth.agents()
    assert truth[0]["description"] == "remote"
    assert truth[0]["last_seen"].endswith("Z")
    assert api.rows("/_control/truth/clients") == tactical.control.truth.clients()
    fault = remote.faults.add(kind="status", path="/clients/", status=502)
    assert api.get("/clients/").status_code == 502
    assert remote.faults.list()[0]["id"] == fault
    remote.server.set(beta_enabled=False)
    assert remote.server.settings()["beta_enabled"] is False
    key = remote.access.add_key(clients=[1])
    with Api(tactical.url, key) as scoped:
        assert len(scoped.rows("/clients/")) == 1
    with pytest.raises(ValueError, match="There is no agent"):
        remote.agents.remove(agent_id="nobody")
    assert api.post("/_control/agents/nonsense/").status_code == 404
    assert api.post("/_control/agents/_agent/").status_code == 404


def test_only_from_this_machine(tactical: SimulatedTactical) -> None:
    browser = tactical.app.test_client()
    for address, status in (("127.0.0.1", 200), ("10.0.0.7", 404)):
        answer = browser.get("/_control/agents/ids/", environ_base={"REMOTE_ADDR": address})
        assert answer.status_code == status


def test_log(tactical: SimulatedTactical, api: Api) -> None:
    api.get("/clients/?x=1")
    api.get("/nope/")
    tactical.control.faults.add("drop", "/agents/")
    with pytest.raises(OSError):
        api.get("/agents/")
    first, second, third = tactical.control.log.entries()
    assert (first.method, first.path, first.query, first.status) == ("GET", "/clients/", "x=1", 200)
    assert first.bytes > 1000
    assert first.headers["X-Api-Key"] == "***"
    assert second.status == 404
    assert (third.status, third.fault) == (0, "drop")
    assert tactical.api_key not in repr(tactical.control.log.entries())
    assert len(tactical.control.log.entries("/nope")) == 1
    tactical.control.log.clear()
    assert tactical.control.log.entries() == []


def test_seeded_alerts() -> None:
    with SimulatedTactical(FleetSpec(agents=100, alerts=30)) as tactical:
        alerts = tactical.control.truth.alerts()
    assert len(alerts) == 30
    assert {alert["status"] for alert in alerts} == {"active", "resolved"}
    assert {alert["alert_type"] for alert in alerts} == {"availability", "check"}
