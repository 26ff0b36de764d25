"""`/alerts/`: its filters and changes, none of which send anything."""

from __future__ import annotations

from typing import Any

import pytest

from tactical_simulator import SimulatedTactical
from tests.simulator.api import Api, is_html

ALERT_KEYS = [
    "id", "hostname", "agent_id", "client", "site", "alert_time", "alert_type", "message",
    "snoozed", "snooze_until", "resolved", "resolved_on", "severity", "email_sent",
    "resolved_email_sent", "sms_sent", "resolved_sms_sent", "hidden", "action_run",
    "action_stdout", "action_stderr", "action_retcode", "action_execution_time",
    "resolved_action_run", "resolved_action_stdout", "resolved_action_stderr",
    "resolved_action_retcode", "resolved_action_execution_time", "agent", "assigned_check",
    "assigned_task",
]  # fmt: skip


@pytest.fixture
def alerts(tactical: SimulatedTactical) -> dict[str, int]:
    """By what is special about them."""
    control = tactical.control.alerts
    one, two, three, four = tactical.control.agents.ids()[:4]
    ids = {
        "open": control.trigger(one, severity="error"),
        "shown": control.trigger(two, severity="warning", dashboard=True),
        "snoozed": control.trigger(three, "check", severity="info"),
        "resolved": control.trigger(four, "task"),
        "agentless": control.add(message="disk of the server", severity="warning"),
    }
    assert all(ids.values())
    found = {name: pk for name, pk in ids.items() if pk is not None}
    control.edit(found["snoozed"], snoozed=True)
    control.resolve(found["resolved"])
    return found


@pytest.mark.parametrize(
    ("body", "expected"),
    [
        ({}, "open shown snoozed agentless resolved"),
        ({"status": "active", "page": 1, "page_size": 1}, "open shown snoozed agentless resolved"),
        ({"resolvedFilter": False}, "open shown snoozed agentless"),
        ({"resolvedFilter": True}, "open shown snoozed agentless resolved"),
        ({"snoozedFilter": False}, "open shown agentless resolved"),
        ({"resolvedFilter": False, "snoozedFilter": False}, "open shown agentless"),
        ({"severityFilter": ["error"]}, "open resolved"),
        ({"severityFilter": ["warning", "info"]}, "shown snoozed agentless"),
        ({"severityFilter": "error"}, ""),
        ({"severityFilter": []}, ""),
        ({"clientFilter": []}, ""),
        ({"clientFilter": [1, 2, 3, 4]}, "open shown snoozed resolved"),
        ({"timeFilter": 7}, "open shown snoozed agentless resolved"),
        ({"timeFilter": "7"}, "open shown snoozed agentless resolved"),
        ({"timeFilter": 0}, ""),
    ],
)
def test_filters(api: Api, alerts: dict[str, int], body: dict[str, Any], expected: str) -> None:
    rows = api.patch("/alerts/", json=body).json()
    assert {row["id"] for row in rows} == {alerts[name] for name in expected.split()}


@pytest.mark.parametrize(
    "body",
    [
        [], "text", {"top": "abc"}, {"clientFilter": 1}, {"clientFilter": ["abc"]},
        {"timeFilter": "abc"},
    ],
)  # fmt: skip
def test_bodies_that_crash(api: Api, body: Any) -> None:
    assert is_html(api.patch("/alerts/", json=body), "Server Error (500)")


def test_old_alerts_leave_the_time_filter(
    tactical: SimulatedTactical, api: Api, alerts: dict[str, int]
) -> None:
    tactical.control.server.advance(2 * 86_400)
    assert api.patch("/alerts/", json={"timeFilter": 1}).json() == []
    assert len(api.patch("/alerts/", json={"timeFilter": 3}).json()) == len(alerts)


def test_top_has_only_what_the_dashboard_shows(
    tactical: SimulatedTactical, api: Api, alerts: dict[str, int]
) -> None:
    tactical.control.alerts.edit(alerts["agentless"], hidden=False)
    answer = api.patch("/alerts/", json={"top": 1}).json()
    assert answer["alerts_count"] == 2
    assert [row["id"] for row in answer["alerts"]] == [alerts["shown"]]


def test_rows(tactical: SimulatedTactical, api: Api, alerts: dict[str, int]) -> None:
    row = api.rows(f"/alerts/{alerts['open']}/")
    agent = tactical.control.truth.agents()[0]
    assert list(row) == ALERT_KEYS
    assert (row["agent"], row["agent_id"]) == (agent["pk"], agent["agent_id"])
    assert (row["client"], row["site"]) == (agent["client"], agent["site"])
    assert row["hidden"] is True
    agentless = api.rows(f"/alerts/{alerts['agentless']}/")
    assert set(ALERT_KEYS) - set(agentless) == {"hostname", "agent_id", "client", "site"}
    assert (agentless["agent"], agentless["alert_type"]) == (None, "custom")
    check = api.rows(f"/alerts/{alerts['snoozed']}/")
    assert isinstance(check["assigned_check"], int)
    assert api.get("/alerts/999/").json() == {"detail": "No Alert matches the given query."}


@pytest.mark.parametrize(
    ("body", "status", "text"),
    [
        ({"type": "resolve"}, 200, "ok"),
        ({"type": "snooze", "snooze_days": 2}, 200, "ok"),
        ({"type": "unsnooze"}, 200, "ok"),
        ({"type": "nope"}, 400, "There was an error in the request data"),
        ({"type": "snooze"}, 400, "Missing 'snoozed_days' when trying to snooze alert"),
        ({"severity": "fatal"}, 400, {"severity": ['"fatal" is not a valid choice.']}),
    ],
)
def test_put(
    api: Api, alerts: dict[str, int], body: dict[str, Any], status: int, text: Any
) -> None:
    response = api.put(f"/alerts/{alerts['open']}/", json=body)
    assert (response.status_code, response.json()) == (status, text)


def test_put_effects(api: Api, alerts: dict[str, int]) -> None:
    path = f"/alerts/{alerts['open']}/"
    api.put(path, json={"type": "snooze", "snooze_days": 2})
    row = api.rows(path)
    assert (row["snoozed"], row["snooze_until"] is None) == (True, False)
    assert api.patch("/alerts/").json()[-1]["id"] == alerts["open"]
    api.put(path, json={"type": "resolve"})
    row = api.rows(path)
    assert (row["resolved"], row["snoozed"], row["snooze_until"]) == (True, False, None)
    api.put(path, json={"resolved": False})
    reopened = api.rows(path)
    assert (reopened["resolved"], reopened["resolved_on"]) == (False, row["resolved_on"])
    response = api.put(path, json={"type": "snooze", "snooze_days": "abc"})
    assert is_html(response, "Server Error (500)")


def test_bulk(api: Api, alerts: dict[str, int]) -> None:
    pks = [alerts["open"], alerts["shown"], 999]
    snooze = {"bulk_action": "snooze", "alerts": pks, "snooze_days": 1}
    assert api.post("/alerts/bulk/", json=snooze).json() == "ok"
    assert api.rows(f"/alerts/{alerts['shown']}/")["snoozed"] is True
    resolve = {"bulk_action": "resolve", "alerts": pks}
    assert api.post("/alerts/bulk/", json=resolve).json() == "ok"
    assert api.rows(f"/alerts/{alerts['open']}/")["resolved"] is True
    response = api.post("/alerts/bulk/", json={"bulk_action": "x", "alerts": pks})
    assert response.status_code == 400


def test_create_and_delete(tactical: SimulatedTactical, api: Api) -> None:
    agent = tactical.control.truth.agents()[0]
    body = {"agent": agent["pk"], "alert_type": "custom", "message": "m", "severity": "warning"}
    assert api.post("/alerts/", json=body).json() == "ok"
    [row] = api.patch("/alerts/").json()
    assert (row["message"], row["agent_id"]) == ("m", agent["agent_id"])
    assert api.delete(f"/alerts/{row['id']}/").json() == "ok"
    assert is_html(api.delete(f"/alerts/{row['id']}/"), "Server Error (500)")


def test_alerts_vanish_with_their_agent_and_check(
    tactical: SimulatedTactical, api: Api, alerts: dict[str, int]
) -> None:
    check = api.rows(f"/alerts/{alerts['snoozed']}/")["assigned_check"]
    tactical.control.agents.remove(tactical.control.agents.ids()[0])
    tactical.control.alerts.remove_check(check)
    assert api.get(f"/alerts/{alerts['open']}/").status_code == 404
    assert api.get(f"/alerts/{alerts['snoozed']}/").status_code == 404
