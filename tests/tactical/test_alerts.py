"""Alerts of a simulated server: all that it lists, and what changes them."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta
from typing import Any

import pytest

from portal.egress import ConnectionLost
from portal.tactical.alerts import TacticalAlert, TacticalAlerts, read_alert
from portal.tactical.errors import MissingPermission, NotFoundInTactical, UnexpectedAnswer
from portal.tactical.records import BadRecord
from tactical_simulator import SimulatedTactical
from tests.tactical.talking import talking

PATH = "/alerts/"


@pytest.fixture
def alerts(tactical: SimulatedTactical) -> Iterator[TacticalAlerts]:
    with talking(tactical, tactical.api_key) as api:
        yield api.alerts


@pytest.fixture
def pks(tactical: SimulatedTactical) -> dict[str, int]:
    """One of each kind."""
    agents = tactical.control.agents.ids()
    control = tactical.control.alerts
    past = tactical.state.clock.datetime() - timedelta(days=5)
    return {
        "open": control.add(agent_id=agents[0], severity="error", message='a "quoted" one'),
        "hidden": control.add(agent_id=agents[1], severity="warning", hidden=True),
        "snoozed": control.add(agent_id=agents[2], severity="info", snoozed=True),
        "resolved": control.add(agent_id=agents[3], severity="error", resolved=True),
        "old": control.add(agent_id=agents[4], severity="error", alert_time=past),
        "agentless": control.add(severity="error", message="of nobody"),
    }


def found(listed: Iterator[TacticalAlert | BadRecord]) -> dict[int, TacticalAlert]:
    return {alert.pk: alert for alert in listed if isinstance(alert, TacticalAlert)}


def test_all_that_is_not_resolved_is_listed(alerts: TacticalAlerts, pks: dict[str, int]) -> None:
    listed = found(alerts.list_unresolved())

    assert listed.keys() == set(pks.values()) - {pks["resolved"]}
    assert listed[pks["snoozed"]].snoozed
    assert listed[pks["open"]].message == 'a "quoted" one'


def test_the_last_days_hold_resolved_ones_too(alerts: TacticalAlerts, pks: dict[str, int]) -> None:
    assert found(alerts.list_since(1)).keys() == set(pks.values()) - {pks["old"]}


def test_an_alert_of_no_agent(alerts: TacticalAlerts, pks: dict[str, int]) -> None:
    alert = alerts.get(pks["agentless"])

    assert (alert.agent_id, alert.hostname, alert.organization_name) == (None, None, None)
    assert alert.alert_type == "custom"


def test_one_alert_is_as_in_the_list_and_as_the_server_knows_it(
    tactical: SimulatedTactical, alerts: TacticalAlerts, pks: dict[str, int]
) -> None:
    listed = found(alerts.list_since(30))
    for truth in tactical.control.truth.alerts():
        alert = alerts.get(truth["id"])
        assert alert == listed[truth["id"]]
        assert alert.agent_id == truth.get("agent_id")
        assert alert.organization_name == truth.get("client")
        assert alert.alert_time == truth["alert_time"]
        assert (alert.resolved, alert.snoozed) == (truth["resolved"], truth["snoozed"])


def test_resolving_and_snoozing(
    tactical: SimulatedTactical, alerts: TacticalAlerts, pks: dict[str, int]
) -> None:
    alerts.resolve([pks["open"]])
    alerts.resolve([pks["hidden"], pks["agentless"]])
    alerts.snooze([pks["old"]], days=2)
    alerts.unsnooze(pks["snoozed"])

    now = {alert["id"]: alert["status"] for alert in tactical.control.truth.alerts()}
    assert {name: now[pk] for name, pk in pks.items()} == {
        "open": "resolved",
        "hidden": "resolved",
        "snoozed": "active",
        "resolved": "resolved",
        "old": "snoozed",
        "agentless": "resolved",
    }


@pytest.mark.parametrize(
    "fault",
    [{"kind": "cut_json"}, {"kind": "html"}, {"kind": "empty"}, {"kind": "json", "body": {}}],
)
def test_what_is_no_list_is_never_taken_for_no_alerts(
    tactical: SimulatedTactical,
    alerts: TacticalAlerts,
    pks: dict[str, int],
    fault: dict[str, Any],
) -> None:
    tactical.control.faults.add(**fault, path=PATH, method="PATCH", times=2)
    assert len(found(alerts.list_unresolved())) == 5

    tactical.control.faults.add(**fault, path=PATH, method="PATCH", times=None)
    with pytest.raises(UnexpectedAnswer if fault["kind"] != "html" else Exception) as caught:
        alerts.list_unresolved()
    assert getattr(caught.value, "fault", "") == "unexpected_answer"


def test_a_change_is_sent_once(
    tactical: SimulatedTactical, alerts: TacticalAlerts, pks: dict[str, int]
) -> None:
    tactical.control.faults.add("drop", "/alerts/*", times=None)

    with pytest.raises(ConnectionLost):
        alerts.resolve([pks["open"]])

    assert len(tactical.control.log.entries(PATH)) == 1


def test_an_alert_that_is_gone(alerts: TacticalAlerts) -> None:
    with pytest.raises(NotFoundInTactical):
        alerts.get(99999)


@pytest.mark.parametrize(
    ("permission", "act"),
    [
        ("can_list_alerts", lambda alerts: alerts.list_unresolved()),
        ("can_list_alerts", lambda alerts: alerts.get(1)),
        ("can_manage_alerts", lambda alerts: alerts.resolve([1])),
        ("can_manage_alerts", lambda alerts: alerts.resolve([1, 2])),
    ],
)
def test_a_missing_permission_is_named(
    tactical: SimulatedTactical, pks: dict[str, int], permission: str, act: Any
) -> None:
    key = tactical.control.access.add_key(without=[permission])
    with talking(tactical, key) as api, pytest.raises(MissingPermission) as caught:
        act(api.alerts)

    assert caught.value.permission == permission


@pytest.mark.parametrize(
    "row",
    [
        b"null",
        b"17",
        b'"text"',
        b"[]",
        b"{}",
        b'{"id": null, "alert_time": "2026-11-23T03:41:26Z", "severity": "error"}',
        b'{"id": 1, "alert_time": "yesterday", "severity": "error"}',
        b'{"id": 1, "alert_time": "2026-11-23T03:41:26Z", "severity": "fatal"}',
        b'{"id": 1, "alert_time": "2026-11-23T03:41:26Z", "severity"',
    ],
)
def test_a_row_that_cannot_be_used_is_told(row: bytes) -> None:
    assert isinstance(read_alert(row), BadRecord)


def test_odd_values_in_a_row_cost_only_themselves() -> None:
    row = (
        b'{"id": 1, "alert_time": "2026-11-23T03:41:26Z", "severity": "error", '
        b'"message": "\\ud83d", "agent_id": [], "resolved": "yes", '
        b'"resolved_on": 3, "assigned_check": 1e300}'
    )
    alert = read_alert(row)

    assert isinstance(alert, TacticalAlert)
    assert (alert.message, alert.agent_id, alert.resolved) == ("\ufffd", None, False)
    assert (alert.resolved_on, alert.check_pk) == (None, None)
