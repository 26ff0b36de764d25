"""What is really sent when an alert begins or ends, the sender's faults included."""

from __future__ import annotations

import json
import socket
from typing import Any

import pytest

from tactical_simulator import SimulatedTactical
from tactical_simulator.fleet.records import GlobalKey
from tests.simulator.receiver import Receiver

HEADERS = '{"Content-Type":"application/json","X-Alga-Webhook-Secret":"{{global.secret}}"}'
IDS = (
    '{"agent_id":"{{agent.agent_id}}","alert_id":"{{alert.id}}","event":"trigger",'
    '"alert_type":"{{alert.alert_type}}","severity":"{{alert.severity}}",'
    '"alert_time":"{{alert.alert_time}}","resolved":"{{alert.resolved}}",'
    '"client_id":"{{client.id}}","site_id":"{{site.id}}",'
    '"check_id":"{{alert.assigned_check.id}}","task_id":"{{alert.assigned_task.id}}"}'
)
RESOLVED = IDS.replace('"trigger"', '"resolve"')[:-1] + ',"resolved_on":"{{alert.resolved_on}}"}'
RICH = '{"agent_id":"{{agent.agent_id}}","event":"trigger","message":"{{alert.message}}"}'


def install(
    tactical: SimulatedTactical, receiver: Receiver, failure: str = IDS, headers: str = HEADERS
) -> None:
    url = f"{receiver.url}/api/webhooks/tacticalrmm?tenant=1"
    tactical.control.alerts.install_webhook(url, failure, RESOLVED, headers)


def first_agent(tactical: SimulatedTactical) -> dict[str, Any]:
    agents = tactical.control.truth.agents()
    return next(agent for agent in agents if not agent["maintenance_mode"])


def trigger(tactical: SimulatedTactical, **options: Any) -> int:
    pk = tactical.control.alerts.trigger(first_agent(tactical)["agent_id"], **options)
    assert pk is not None
    return pk


def test_failure_and_resolve(tactical: SimulatedTactical, receiver: Receiver) -> None:
    install(tactical, receiver)
    agent = first_agent(tactical)
    pk = trigger(tactical)
    tactical.control.alerts.resolve(pk)
    begun, ended = receiver.received
    assert (begun.method, begun.path, begun.query) == (
        "POST",
        "/api/webhooks/tacticalrmm",
        "tenant=1",
    )
    assert begun.headers["CONTENT_TYPE"] == "application/json"
    assert begun.headers["X_ALGA_WEBHOOK_SECRET"] == "None"  # no such key in the store
    [truth] = tactical.control.truth.alerts()
    time = str(truth["alert_time"])
    assert begun.json == {
        "agent_id": agent["agent_id"],
        "alert_id": str(pk),
        "event": "trigger",
        "alert_type": "availability",
        "severity": "error",
        "alert_time": time,
        "resolved": "None",
        "client_id": str(agent["client_pk"]),
        "site_id": str(agent["site_pk"]),
        "check_id": "None",
        "task_id": "None",
    }
    assert time.endswith("+00:00")
    assert " " in time
    assert ended.json["resolved"] == "True"
    assert ended.json["alert_time"] == time
    assert ended.json["resolved_on"] == str(truth["resolved_on"])
    assert (truth["status"], truth["action_retcode"]) == ("resolved", 200)
    assert truth["action_stdout"] == truth["resolved_action_stdout"] == '{"ok":true}'
    assert truth["action_execution_time"] == "0.0000"


MESSAGES: list[tuple[str | None, str]] = [
    (r"C:\temp\new\report", "C:\temp\new\report"),
    (r"C:\Users\bob", r"C:\Users\bob"),
    (r"\\server\share", r"\server\share"),
    ("at the end \\", "at the end \\"),
    ("line\nbreak\r\n\ttab", "line\nbreak\r\n\ttab"),
    ("nul\x00esc\x1b", "nul esc "),
    ("Söhne – 経理", "Söhne – 経理"),
    ("", "None"),
    (None, "None"),
]


@pytest.mark.parametrize(("message", "received"), MESSAGES)
def test_free_text_that_parses(
    tactical: SimulatedTactical, receiver: Receiver, message: str | None, received: str
) -> None:
    install(tactical, receiver, RICH)
    pk = trigger(tactical, send=False)
    tactical.control.alerts.edit(pk, message=message)
    trigger(tactical)
    assert receiver.only.json["message"] == received


def test_quote_makes_the_body_a_json_string(
    tactical: SimulatedTactical, receiver: Receiver
) -> None:
    install(tactical, receiver, RICH)
    trigger(tactical, message='service "Print Spooler" stopped')
    body = receiver.only.json
    assert isinstance(body, str)
    assert body.startswith('{"agent_id":"')
    assert 'service "Print Spooler" stopped' in body
    [alert] = tactical.control.truth.alerts()
    assert alert["action_retcode"] == 200


def test_injected_keys_win(tactical: SimulatedTactical, receiver: Receiver) -> None:
    install(tactical, receiver, RICH)
    trigger(tactical, message='x","event":"resolve","alert_id":"1","z":"')
    assert receiver.only.json["event"] == "resolve"
    assert receiver.only.json["alert_id"] == "1"
    assert rb"\u00f6" not in receiver.only.body


@pytest.mark.parametrize(
    ("template", "received"),
    [
        ("{{agent.nope}}", "the hostname"),
        ("{{agent.run_script}}", "None"),
        ("{{global.unset}}", "None"),
        ("{{global.name}}", "value & more"),
        ("{{alert}} {{foo.bar}}", "{{alert}} {{foo.bar}}"),
        ("{{ site.client.name }}", "the client"),
        ("{{alert.nope}}", "availability - text"),
        ("{{alert.snoozed}}{{alert.action_retcode.x}}", "Noneavailability - text"),
    ],
)
def test_placeholders(
    tactical: SimulatedTactical, receiver: Receiver, template: str, received: str
) -> None:
    agent = first_agent(tactical)
    tactical.state.global_keys.add(GlobalKey(1, "name", "value & more"))
    install(tactical, receiver, json.dumps({"x": template}))
    trigger(tactical, message="text")
    special = {"the hostname": agent["hostname"], "the client": agent["client"]}
    assert receiver.only.json == {"x": special.get(received, received)}


def test_check_result(tactical: SimulatedTactical, receiver: Receiver) -> None:
    body = '{"info":"{{alert.get_result.more_info}}","check":"{{alert.assigned_check.id}}"}'
    install(tactical, receiver, body)
    trigger(tactical, alert_type="check")
    [alert] = tactical.control.truth.alerts()
    check = str(alert["assigned_check"])
    assert receiver.only.json == {"info": "Request timed out.", "check": check}


def test_agentless_alert(tactical: SimulatedTactical, receiver: Receiver) -> None:
    install(tactical, receiver)
    pk = tactical.control.alerts.add(message="m")
    assert tactical.control.alerts.send_again(pk) == 200
    sent = receiver.only.json
    assert (sent["agent_id"], sent["client_id"], sent["alert_id"]) == ("None", str(pk), str(pk))


@pytest.mark.parametrize("headers", ["not json", '{"X-Number": 7}', "[1]"])
def test_headers_that_stop_the_sending(
    tactical: SimulatedTactical, receiver: Receiver, headers: str
) -> None:
    install(tactical, receiver, headers=headers)
    trigger(tactical)
    [alert] = tactical.control.truth.alerts()
    assert receiver.received == []
    assert alert["action_retcode"] == 500
    assert alert["action_run"] is not None
    assert alert["action_stdout"]


def test_no_headers_means_no_content_type(tactical: SimulatedTactical, receiver: Receiver) -> None:
    install(tactical, receiver, headers="")
    trigger(tactical)
    assert receiver.only.headers["CONTENT_TYPE"] == ""
    assert receiver.only.headers["USER_AGENT"].startswith("python-urllib3")


@pytest.mark.parametrize("status", ["401 Unauthorized", "500 Server Error"])
def test_nothing_is_sent_twice(
    tactical: SimulatedTactical, receiver: Receiver, status: str
) -> None:
    install(tactical, receiver)
    receiver.status = status
    pk = trigger(tactical)
    assert trigger(tactical) == pk
    assert len(receiver.received) == 1
    runs = tactical.control.alerts.runs(pk)
    assert runs["failure"].retcode == int(status[:3])
    assert tactical.control.alerts.send_again(pk) == int(status[:3])
    assert len(receiver.received) == 2


def test_no_answer(tactical: SimulatedTactical, receiver: Receiver) -> None:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        free_port = listener.getsockname()[1]
    receiver.url = f"http://127.0.0.1:{free_port}"
    install(tactical, receiver)
    runs = tactical.control.alerts.runs(trigger(tactical))
    assert runs["failure"].retcode == 500
    assert "refused" in str(runs["failure"].stdout)


@pytest.mark.parametrize(
    ("status", "method", "has_body"), [("302 Found", "GET", False), ("307 Temporary", "POST", True)]
)
def test_redirects_are_followed(
    tactical: SimulatedTactical, receiver: Receiver, status: str, method: str, has_body: bool
) -> None:
    install(tactical, receiver)
    receiver.redirects["/api/webhooks/tacticalrmm"] = (status, "/elsewhere")
    trigger(tactical)
    second = receiver.received[1]
    assert (second.method, second.path, bool(second.body)) == (method, "/elsewhere", has_body)


def test_severity_and_maintenance(tactical: SimulatedTactical, receiver: Receiver) -> None:
    install(tactical, receiver)
    trigger(tactical, alert_type="check", severity="info")
    assert receiver.received == []
    tactical.control.server.set(notify_on_info_alerts=True)
    trigger(tactical, alert_type="check", severity="info")
    assert len(receiver.received) == 1
    tactical.control.server.set(notify_on_warning_alerts=False)
    trigger(tactical, alert_type="task", severity="warning")
    assert len(receiver.received) == 1
    agent_id = first_agent(tactical)["agent_id"]
    tactical.control.agents.edit(agent_id, maintenance_mode=True)
    assert tactical.control.alerts.trigger(agent_id) is None


def test_resolve_of_an_alert_never_seen(tactical: SimulatedTactical, receiver: Receiver) -> None:
    install(tactical, receiver)
    pk = tactical.control.alerts.resolve_unseen(first_agent(tactical)["agent_id"])
    assert receiver.only.json["event"] == "resolve"
    assert receiver.only.json["alert_id"] == str(pk)


def test_sending_later(tactical: SimulatedTactical, receiver: Receiver) -> None:
    install(tactical, receiver)
    pks = [trigger(tactical, alert_type="check", wait=False) for _ in range(20)]
    tactical.control.alerts.drain()
    assert [sent.json["alert_id"] for sent in receiver.received] == [str(pk) for pk in pks]


def test_site_template_wins_over_the_default(
    tactical: SimulatedTactical, receiver: Receiver
) -> None:
    install(tactical, receiver)
    agent = first_agent(tactical)
    tactical.state.sites[agent["site_pk"]].alert_template = tactical.control.alerts.install_webhook(
        receiver.url + "/site", IDS, RESOLVED, HEADERS, "Site"
    )
    trigger(tactical)
    assert receiver.only.path == "/site"
