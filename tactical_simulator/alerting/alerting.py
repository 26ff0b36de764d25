"""How alerts begin and end on the server itself, and the webhooks that this sends."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime
from queue import Queue
from threading import Lock, Thread
from typing import Any

from tactical_simulator.alerting.things import alert_thing
from tactical_simulator.alerting.url_actions import run_action
from tactical_simulator.fleet.agent import Agent
from tactical_simulator.fleet.records import ActionRun, Alert, AlertTemplate, Check
from tactical_simulator.state import State

_SCRIPT_ACTIONS = {
    "availability": "agent_script_actions",
    "check": "check_script_actions",
    "task": "task_script_actions",
}
_ALWAYS_ALERT = {
    "availability": "agent_always_alert",
    "check": "check_always_alert",
    "task": "task_always_alert",
}


class Celery:
    """The real server's worker sends one request after the other; so does this."""

    def __init__(self) -> None:
        self._jobs: Queue[Callable[[], Any]] = Queue()
        self._lock = Lock()
        self._thread: Thread | None = None

    def run(self, job: Callable[[], Any], *, wait: bool) -> None:
        if wait:
            with self._lock:
                job()
            return
        self._jobs.put(job)
        if self._thread is None:
            self._thread = Thread(target=self._work, daemon=True, name="celery")
            self._thread.start()

    def drain(self) -> None:
        """Returns when everything that was put off has been sent."""
        self._jobs.join()

    def _work(self) -> None:
        while True:
            job = self._jobs.get()
            try:
                with self._lock:
                    job()
            finally:
                self._jobs.task_done()


def begin_alert(
    state: State,
    agent: Agent,
    alert_type: str,
    severity: str = "error",
    message: str | None = None,
    source: int | None = None,
    dashboard: bool = False,
) -> Alert | None:
    """The open alert of this condition, else a new one; none of an agent in maintenance.

    `source` is the pk of the check or task; a check that does not exist yet is made.
    """
    if agent.maintenance_mode:
        return None
    with state.lock:
        is_new = source is None and alert_type != "availability"
        if alert_type == "check":
            source = _check(state, agent, severity, source).pk
        elif alert_type == "task" and source is None:
            source = state.alerts.next_pk()
        alert = None if is_new else find_open(state, agent.pk, alert_type, source)
        if alert is None:
            alert = Alert(state.alerts.next_pk(), state.clock.datetime(), agent.pk, alert_type)
            alert.assigned_check = source if alert_type == "check" else None
            alert.assigned_task = source if alert_type == "task" else None
            alert.message = message or _message(state, agent, alert)
            state.alerts.add(alert)
        alert.severity = severity
        alert.hidden = not (dashboard or _is_shown(state, agent, alert_type))
    return alert


def find_open(state: State, agent_pk: int, alert_type: str, source: int | None) -> Alert | None:
    for alert in state.alerts:
        same_agent = alert.agent == agent_pk and alert.alert_type == alert_type
        same_source = source in (alert.assigned_check, alert.assigned_task)
        if same_agent and same_source and not alert.resolved:
            return alert
    return None


def end_alert(state: State, alert: Alert) -> None:
    with state.lock:
        resolve_row(alert, state.clock.datetime())
        check = state.checks.find(alert.assigned_check)
        if check is not None and check.result is not None:
            check.result["status"] = "passing"
        state.alerts.touch(alert)


def resolve_row(alert: Alert, now: datetime) -> None:
    alert.resolved, alert.resolved_on = True, now
    alert.snoozed, alert.snooze_until = False, None


def send_failure(state: State, alert: Alert) -> bool:
    """Once per alert; whether a request was tried."""
    template = _template(state, alert)
    if template is None or alert.action.run is not None or template.action_type != "rest":
        return False
    return _run(state, alert, template.action_rest, alert.action)


def send_resolved(state: State, alert: Alert) -> bool:
    template = _template(state, alert)
    if template is None or alert.resolved_action.run is not None:
        return False
    if template.resolved_action_type != "rest":
        return False
    return _run(state, alert, template.resolved_action_rest, alert.resolved_action)


def _run(state: State, alert: Alert, action_pk: int | None, kept: ActionRun) -> bool:
    action = state.url_actions.find(action_pk)
    if action is None or not _is_sent(state, alert):
        return False
    kept.stdout, kept.retcode = run_action(state, action, alert_thing(state, alert))
    # Stamped whatever came back, and only after the sending: nothing is ever tried again.
    kept.stderr, kept.execution_time, kept.run = "", "0.0000", state.clock.datetime()
    state.alerts.touch(alert)
    return True


def _is_sent(state: State, alert: Alert) -> bool:
    if alert.severity == "info":
        return state.settings.notify_on_info_alerts
    return alert.severity != "warning" or state.settings.notify_on_warning_alerts


def _template(state: State, alert: Alert) -> AlertTemplate | None:
    """The template in force, where it acts on alerts of this type; custom alerts never act."""
    flag = _SCRIPT_ACTIONS.get(alert.alert_type)
    if flag is None or alert.agent is None or alert.agent not in state.agents:
        return None
    template = state.templates.find(state.template_of(state.agents.site_of(alert.agent)))
    return template if template is not None and getattr(template, flag) else None


def _is_shown(state: State, agent: Agent, alert_type: str) -> bool:
    """Alerts that exist only because a template acts on them are hidden from the dashboard."""
    if alert_type == "availability" and agent.overdue_dashboard_alert:
        return True
    template = state.templates.find(state.template_of(agent.site))
    return template is not None and bool(getattr(template, _ALWAYS_ALERT[alert_type]))


def _check(state: State, agent: Agent, severity: str, pk: int | None) -> Check:
    check = state.checks.find(pk)
    if check is None:
        check = Check(pk or state.checks.next_pk(), agent.pk, alert_severity=severity)
        state.checks.add(check)
    check.result = {
        "id": check.pk,
        "status": "failing",
        "alert_severity": severity,
        "more_info": "Request timed out.",
        "last_run": state.clock.datetime(),
        "fail_count": 1,
        "stdout": "",
        "stderr": "",
        "retcode": 1,
        "history": [],
        "agent": agent.pk,
        "assigned_check": check.pk,
    }
    return check


def _message(state: State, agent: Agent, alert: Alert) -> str:
    if alert.alert_type == "availability":
        site = state.sites[agent.site]
        client = state.clients[site.client]
        return f"{agent.hostname} in {client.name}, {site.name} is overdue."
    if alert.alert_type == "task":
        return f"{agent.hostname} has task: Task {alert.assigned_task} that failed."
    check = state.checks.find(alert.assigned_check)
    kind, text = (check.check_type, check.readable_desc) if check else ("ping", "")
    return f"{agent.hostname} has a {kind} check: {text} that failed."
