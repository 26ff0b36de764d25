"""The endpoints of a one-click installation: URL actions, keys, templates, settings, the test."""

from __future__ import annotations

import socket
from typing import Any

import pytest

from tactical_simulator import SimulatedTactical
from tests.simulator.api import Api, is_html
from tests.simulator.receiver import Receiver

ACTION = {
    "name": "Portal: alert failed",
    "desc": "d",
    "pattern": "https://portal.example/hook",
    "action_type": "rest",
    "rest_method": "post",
    "rest_body": "{}",
    "rest_headers": "{}",
}


def only(rows: Any) -> Any:
    [row] = rows
    return row


def test_url_actions(api: Api) -> None:
    assert api.post("/core/urlaction/", json=ACTION).json() == "ok"
    row = only(api.rows("/core/urlaction/"))
    assert {name: row[name] for name in ACTION} == ACTION
    path = f"/core/urlaction/{row['id']}/"
    assert api.put(path, json={"pattern": "https://other/"}).json() == "ok"
    changed = only(api.rows("/core/urlaction/"))
    assert (changed["pattern"], changed["name"]) == ("https://other/", ACTION["name"])
    assert api.delete(path).json() == "ok"
    assert api.rows("/core/urlaction/") == []
    assert api.delete(path).status_code == 404


def test_empty_url_action(api: Api) -> None:
    assert api.post("/core/urlaction/", json={}).json() == "ok"
    row = only(api.rows("/core/urlaction/"))
    assert (row["name"], row["action_type"], row["rest_method"]) == ("", "web", "post")
    response = api.post("/core/urlaction/", json={"rest_method": "POST"})
    assert (response.status_code, response.json()) == (
        400,
        {"rest_method": ['"POST" is not a valid choice.']},
    )


def test_key_store(api: Api) -> None:
    assert api.post("/core/keystore/", json={"name": "n" * 25, "value": "v"}).json() == "ok"
    row = only(api.rows("/core/keystore/"))
    path = f"/core/keystore/{row['id']}/"
    assert api.put(path, json={"name": "portal", "value": "w"}).json() == "ok"
    assert only(api.rows("/core/keystore/")) == {**row, "name": "portal", "value": "w"}
    assert api.delete(path).json() == "ok"
    response = api.post("/core/keystore/", json={"name": "n" * 26, "value": "v"})
    text = "Ensure this field has no more than 25 characters."
    assert (response.status_code, response.json()) == (400, {"name": [text]})


@pytest.fixture
def template(api: Api) -> dict[str, Any]:
    for name in ("failure", "resolved"):
        api.post("/core/urlaction/", json={**ACTION, "name": name})
    first, second = (row["id"] for row in api.rows("/core/urlaction/"))
    body = {
        "name": "Portal",
        "action_type": "rest",
        "action_rest": first,
        "resolved_action_type": "rest",
        "resolved_action_rest": second,
        "agent_script_actions": True,
        "email_recipients": ["a@example.com"],
    }
    assert api.post("/alerts/templates/", json=body).json() == "ok"
    row: dict[str, Any] = only(api.rows("/alerts/templates/"))
    assert {name: row[name] for name in body} == body
    assert (row["action_name"], row["resolved_action_name"]) == ("failure", "resolved")
    return row


def test_template_for_a_client(api: Api, template: dict[str, Any]) -> None:
    pk = template["id"]
    path = f"/alerts/templates/{pk}/"
    applied = api.put("/clients/2/", json={"client": {"alert_template": pk}})
    assert applied.json() == "{client} was updated"
    assert api.rows("/clients/2/")["alert_template"] == pk
    assert [client["id"] for client in api.rows(path + "related/")["clients"]] == [2]
    assert api.rows(path)["applied_count"] == 1
    rows = [row for row in api.rows("/agents/?client=2") if row["alert_template"]]
    assert rows[0]["alert_template"]["name"] == "Portal"
    assert api.delete(path).json() == "ok"
    assert api.rows("/clients/2/")["alert_template"] is None
    assert api.get(path).status_code == 404


def test_template_as_the_default(
    tactical: SimulatedTactical, api: Api, template: dict[str, Any]
) -> None:
    pk = template["id"]
    assert template["default_template"] is False
    assert api.put("/core/settings/", json={"alert_template": pk}).json() == "ok"
    assert only(api.rows("/alerts/templates/"))["default_template"] is True
    assert api.rows("/beta/v1/agent/?page_size=1")["results"][0]["alert_template"] == pk
    tactical.control.server.set(hosted=True)
    response = api.put("/core/settings/", json={"alert_template": None})
    assert is_html(response, "Server Error (500)")


def test_deleted_action_leaves_the_template(api: Api, template: dict[str, Any]) -> None:
    api.delete(f"/core/urlaction/{template['action_rest']}/")
    row = api.rows(f"/alerts/templates/{template['id']}/")
    assert (row["action_rest"], row["resolved_action_rest"]) == (
        None,
        template["resolved_action_rest"],
    )


def test_unknown_pks_are_refused(api: Api, template: dict[str, Any]) -> None:
    text = 'Invalid pk "99999" - object does not exist.'
    path = f"/alerts/templates/{template['id']}/"
    for response in (
        api.post("/alerts/templates/", json={"action_rest": 99999}),
        api.put(path, json={"action_rest": 99999}),
    ):
        assert (response.status_code, response.json()) == (400, {"action_rest": [text]})
    for response in (
        api.put("/clients/1/", json={"client": {"alert_template": 99999}}),
        api.put("/core/settings/", json={"alert_template": 99999}),
    ):
        assert (response.status_code, response.json()) == (400, {"alert_template": [text]})


def run_body(receiver: Receiver, **changes: Any) -> dict[str, Any]:
    return {
        "pattern": receiver.url + "/hook",
        "rest_body": '{"id":"{{alert.id}}","message":"{{alert.message}}"}',
        "rest_headers": '{"Content-Type":"application/json"}',
        "rest_method": "post",
        "run_instance_type": "none",
        "run_instance_id": None,
        **changes,
    }


TEST = "/core/urlaction/run/test/"


def test_test_run_without_instance(api: Api, receiver: Receiver) -> None:
    receiver.status = "401 Unauthorized"
    response = api.post(TEST, json=run_body(receiver))
    assert response.status_code == 200
    assert response.json() == {
        "url": receiver.url + "/hook",
        "result": '{"ok":true}',
        "body": '{"id": "{{alert.id}}", "message": "{{alert.message}}"}',
    }


def test_test_run_against_an_agent(
    tactical: SimulatedTactical, api: Api, receiver: Receiver
) -> None:
    agent = tactical.control.truth.agents()[4]
    body = run_body(receiver, run_instance_type="agent", run_instance_id=agent["agent_id"])
    api.post(TEST, json=body)
    assert receiver.only.json == {"id": str(agent["pk"]), "message": agent["hostname"]}


def test_test_run_refusals(tactical: SimulatedTactical, api: Api, receiver: Receiver) -> None:
    blank = ["This field may not be blank."]
    for changes, expected in (
        ({"rest_headers": ""}, {"rest_headers": blank}),
        ({"rest_body": " "}, {"rest_body": blank}),
        ({"rest_method": "POST"}, {"rest_method": ['"POST" is not a valid choice.']}),
    ):
        response = api.post(TEST, json=run_body(receiver, **changes))
        assert (response.status_code, response.json()) == (400, expected)
    body = run_body(receiver)
    del body["run_instance_id"]
    assert api.post(TEST, json=body).json() == {"run_instance_id": ["This field is required."]}
    unknown = run_body(receiver, run_instance_type="agent", run_instance_id="x" * 40)
    assert is_html(api.post(TEST, json=unknown), "Server Error (500)")
    tactical.control.server.set(demo=True)
    response = api.post(TEST, json=run_body(receiver))
    assert (response.status_code, response.json()) == (400, "Not available in demo")


def test_test_run_that_does_not_connect(api: Api, receiver: Receiver) -> None:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        url = f"http://127.0.0.1:{listener.getsockname()[1]}/hook"
    answer = api.post(TEST, json=run_body(receiver, pattern=url)).json()
    assert "refused" in answer["result"]
    assert answer["url"] == url
