"""`/alerts/`: lists by PATCH, one by GET, changes; none of these sends a webhook."""

from __future__ import annotations

from datetime import datetime, timedelta
from functools import partial
from typing import Any

import msgspec
from flask import Flask, Response

from tactical_simulator.alerting.alerting import resolve_row
from tactical_simulator.answers import (
    Crash,
    answer,
    forbidden,
    invalid,
    missing,
    notify_error,
    rows_answer,
)
from tactical_simulator.api.alert_filters import chosen_alerts, most_urgent
from tactical_simulator.api.auth import caller
from tactical_simulator.api.pace import ALERT, take_time
from tactical_simulator.api.routing import body, route
from tactical_simulator.fleet.accounts import Role
from tactical_simulator.fleet.records import ActionRun, Alert
from tactical_simulator.state import State

Json = dict[str, Any]

_SEVERITIES = ("info", "warning", "error")
_TYPES = ("availability", "check", "task", "custom")
_PLAIN = ("message", "severity", "alert_type", "snoozed", "resolved", "hidden")
_TIMES = ("snooze_until", "resolved_on")


def register(app: Flask, state: State) -> None:
    see, manage = "can_list_alerts", "can_manage_alerts"
    route(app, state, "/alerts/", {
        "PATCH": (see, partial(list_alerts, state)), "POST": (manage, partial(create, state)),
    })  # fmt: skip
    route(app, state, "/alerts/bulk/", {"POST": (manage, partial(bulk, state))})
    route(app, state, "/alerts/<int:pk>/", {
        "GET": (see, lambda pk: answer(alert_json(state, _get(state, pk)))),
        "PUT": (manage, partial(update, state)),
        "DELETE": (manage, partial(delete, state)),
    })  # fmt: skip


def list_alerts(state: State) -> Response:
    data = body()
    if not isinstance(data, dict):
        raise Crash("the body has no keys()")
    visible = [alert for alert in state.alerts if _sees(state, alert, caller().scope)]
    if "top" in data:
        count, alerts = most_urgent(visible, data["top"])
        take_time(state, ALERT, len(alerts))
        return answer({
            "alerts_count": count, "alerts": [alert_json(state, alert) for alert in alerts],
        })  # fmt: skip
    alerts = chosen_alerts(state, visible, data)
    take_time(state, ALERT, len(alerts))
    return rows_answer([[msgspec.json.encode(alert_json(state, alert))] for alert in alerts])


def alert_json(state: State, alert: Alert) -> Json:
    """An alert without an agent lacks four keys; they are not null but absent."""
    return {
        "id": alert.pk,
        **_place(state, alert),
        "alert_time": alert.alert_time,
        "alert_type": alert.alert_type,
        "message": alert.message,
        "snoozed": alert.snoozed,
        "snooze_until": alert.snooze_until,
        "resolved": alert.resolved,
        "resolved_on": alert.resolved_on,
        "severity": alert.severity,
        "email_sent": None,
        "resolved_email_sent": None,
        "sms_sent": None,
        "resolved_sms_sent": None,
        "hidden": alert.hidden,
        **_run_json("action", alert.action),
        **_run_json("resolved_action", alert.resolved_action),
        "agent": alert.agent,
        "assigned_check": alert.assigned_check,
        "assigned_task": alert.assigned_task,
    }


def _place(state: State, alert: Alert) -> Json:
    if alert.agent is None:
        return {}
    agent = state.agents.get(alert.agent)
    site = state.sites[agent.site]
    return {
        "hostname": agent.hostname,
        "agent_id": agent.agent_id,
        "client": state.clients[site.client].name,
        "site": site.name,
    }


def _run_json(prefix: str, run: ActionRun) -> Json:
    return {
        f"{prefix}_run": run.run,
        f"{prefix}_stdout": run.stdout,
        f"{prefix}_stderr": run.stderr,
        f"{prefix}_retcode": run.retcode,
        f"{prefix}_execution_time": run.execution_time,
    }


def _sees(state: State, alert: Alert, scope: Role | None) -> bool:
    if scope is None or alert.agent is None:
        return True
    return state.in_scope(state.agents.site_of(alert.agent), scope)


def _get(state: State, pk: int) -> Alert:
    alert = state.alerts.find(pk)
    if alert is None:
        raise missing("Alert")
    if not _sees(state, alert, caller().scope):
        raise forbidden()
    return alert


def update(state: State, pk: int) -> Response:
    alert, data = _get(state, pk), body()
    now = state.clock.datetime()
    action = data.get("type")
    if "type" not in data:
        _set_columns(alert, data)
    elif action == "resolve":
        resolve_row(alert, now)
    elif action == "snooze":
        if "snooze_days" not in data:
            raise notify_error("Missing 'snoozed_days' when trying to snooze alert")
        alert.snoozed, alert.snooze_until = True, now + _days(data["snooze_days"])
    elif action == "unsnooze":
        alert.snoozed, alert.snooze_until = False, None
    else:
        raise notify_error("There was an error in the request data")
    state.alerts.touch(alert)
    return answer("ok")


def _set_columns(alert: Alert, data: Json) -> None:
    """Raw columns are taken too: `{"resolved": false}` re-opens and leaves `resolved_on`."""
    for name, choices in (("severity", _SEVERITIES), ("alert_type", _TYPES)):
        if name in data and data[name] not in choices:
            raise invalid(name, f'"{data[name]}" is not a valid choice.')
    for name in _PLAIN:
        if name in data:
            setattr(alert, name, data[name])
    for name in _TIMES:
        if name in data:
            value = data[name]
            setattr(alert, name, None if value is None else datetime.fromisoformat(value))


def _days(value: Any) -> timedelta:
    try:
        return timedelta(days=int(value))
    except (TypeError, ValueError) as error:
        raise Crash(str(error)) from None


def create(state: State) -> Response:
    """The new id is not told."""
    data = body()
    agent = data.get("agent")
    if agent is not None and agent not in state.agents:
        raise invalid("agent", f'Invalid pk "{agent}" - object does not exist.')
    alert = Alert(state.alerts.next_pk(), state.clock.datetime(), agent, hidden=False)
    alert.severity = "info"  # the column's default
    _set_columns(alert, data)
    state.alerts.add(alert)
    return answer("ok")


def bulk(state: State) -> Response:
    data, now = body(), state.clock.datetime()
    action = data.get("bulk_action")
    is_snooze = action == "snooze" and "snooze_days" in data
    if action != "resolve" and not is_snooze:
        raise notify_error("The request was invalid")
    until = now + _days(data["snooze_days"]) if is_snooze else None
    for pk in data["alerts"]:
        alert = state.alerts.find(pk)
        if alert is None:
            continue
        if is_snooze:
            alert.snoozed, alert.snooze_until = True, until
        else:
            resolve_row(alert, now)
        state.alerts.touch(alert)
    return answer("ok")


def delete(state: State, pk: int) -> Response:
    if state.alerts.find(pk) is None:
        raise Crash("Alert matching query does not exist")
    state.alerts.remove(pk)
    return answer("ok")
