"""The filters of `PATCH /alerts/`; any other key of its body is ignored."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

from tactical_simulator.answers import Crash
from tactical_simulator.fleet.records import Alert
from tactical_simulator.state import State


def most_urgent(alerts: list[Alert], limit: Any) -> tuple[int, list[Alert]]:
    """`top`, for the bell of the dashboard: the oldest first, hidden ones never."""
    shown = [alert for alert in alerts if not (alert.resolved or alert.snoozed or alert.hidden)]
    shown.sort(key=lambda alert: alert.alert_time)
    try:
        return len(shown), shown[: int(limit)]
    except (TypeError, ValueError) as error:
        raise Crash(str(error)) from None


def chosen_alerts(state: State, alerts: list[Alert], data: dict[str, Any]) -> list[Alert]:
    """Without a filter: every alert ever. `true` for resolved or snoozed is no filter either."""
    if not data.get("resolvedFilter", True):
        alerts = [alert for alert in alerts if not alert.resolved]
    if not data.get("snoozedFilter", True):
        alerts = [alert for alert in alerts if not alert.snoozed]
    if "severityFilter" in data:
        severities = data["severityFilter"]
        # A plain string is taken letter by letter, so that nothing matches.
        alerts = [alert for alert in alerts if alert.severity in list(severities)]
    if "clientFilter" in data:
        alerts = _of_clients(state, alerts, data["clientFilter"])
    if "timeFilter" in data:
        alerts = _of_days(state, alerts, data["timeFilter"])
    return alerts


def _of_clients(state: State, alerts: list[Alert], clients: Any) -> list[Alert]:
    try:
        pks = {int(pk) for pk in clients}
    except (TypeError, ValueError) as error:
        raise Crash(str(error)) from None
    return [
        alert
        for alert in alerts
        if alert.agent is not None and state.sites[state.agents.site_of(alert.agent)].client in pks
    ]


def _of_days(state: State, alerts: list[Alert], days: Any) -> list[Alert]:
    now = state.clock.datetime()
    try:
        start = now - timedelta(days=int(days))
    except (TypeError, ValueError) as error:
        raise Crash(str(error)) from None
    return [alert for alert in alerts if start < alert.alert_time <= now]
