"""Alerts begin and end as on the server itself, which then really sends its webhooks."""

from __future__ import annotations

from typing import Any, Literal

from tactical_simulator.alerting.alerting import (
    Celery,
    begin_alert,
    end_alert,
    send_failure,
    send_resolved,
)
from tactical_simulator.alerting.things import alert_thing
from tactical_simulator.alerting.url_actions import run_action
from tactical_simulator.control.part import Part
from tactical_simulator.fleet.records import ActionRun, Alert, AlertTemplate, UrlAction
from tactical_simulator.state import State


class AlertsControl(Part):
    def __init__(self, state: State) -> None:
        super().__init__(state)
        self._celery = Celery()

    def trigger(
        self,
        agent_id: str,
        alert_type: Literal["availability", "check", "task"] = "availability",
        *,
        severity: Literal["error", "warning", "info"] = "error",
        message: str | None = None,
        source: int | None = None,
        dashboard: bool = False,
        send: bool = True,
        wait: bool = True,
    ) -> int | None:
        """The id of the alert; None of an agent in maintenance.

        An alert that is open for the same agent and `source` (the pk of a check or task) is
        returned and sends nothing again. Without `source` each check and task alert is new.
        `wait=False` sends from a thread, one after the other, as the real server's worker does.
        """
        agent = self._agent(agent_id)
        alert = begin_alert(self._state, agent, alert_type, severity, message, source, dashboard)
        if alert is None:
            return None
        if send:
            self._celery.run(lambda: send_failure(self._state, alert), wait=wait)
        return alert.pk

    def resolve(self, alert: int, *, send: bool = True, wait: bool = True) -> None:
        """As when the agent or check is well again: the resolved action is sent."""
        row = self._get(alert)
        end_alert(self._state, row)
        if send:
            self._celery.run(lambda: send_resolved(self._state, row), wait=wait)

    def resolve_unseen(self, agent_id: str, *, wait: bool = True) -> int | None:
        """An availability alert that is made and resolved at once: only a resolve is sent."""
        pk = self.trigger(agent_id, send=False)
        if pk is not None:
            self.resolve(pk, wait=wait)
        return pk

    def add(self, **columns: Any) -> int:
        """A row as it is given, and nothing sent; without `agent_id` an agentless custom alert."""
        agent_id = columns.pop("agent_id", None)
        if agent_id is None:
            columns.setdefault("alert_type", "custom")
        columns.setdefault("alert_time", self._state.clock.datetime())
        columns["agent"] = self._agent(agent_id).pk if agent_id else None
        row = Alert(self._state.alerts.next_pk(), **columns)
        self._state.alerts.add(row)
        return row.pk

    def edit(self, alert: int, **columns: Any) -> None:
        row = self._get(alert)
        for name, value in columns.items():
            if not hasattr(row, name):
                raise ValueError(f"An alert has no {name}.")
            setattr(row, name, value)
        self._state.alerts.touch(row)

    def remove(self, alert: int) -> None:
        """Without a webhook."""
        self._state.alerts.remove(alert)

    def send_again(self, alert: int, event: Literal["failure", "resolved"] = "failure") -> int:
        """What a crashed worker may do: the same request twice. Its status, 0 if none is set."""
        row = self._get(alert)
        template = self._template(row)
        action = self._action(template, event)
        if action is None:
            return 0
        return run_action(self._state, action, alert_thing(self._state, row))[1]

    def drain(self) -> None:
        """Returns when all that was triggered with `wait=False` has been sent."""
        self._celery.drain()

    def install_webhook(
        self, url: str, failure: str, resolved: str, headers: str, name: str = "Portal"
    ) -> int:
        """Two URL actions and an alert template, made the server's default; its pk."""
        state = self._state
        pks = []
        for event, text in (("failure", failure), ("resolved", resolved)):
            action = UrlAction(state.url_actions.next_pk(), f"{name} {event}", None, url, "rest")
            action.rest_body, action.rest_headers = text, headers
            pks.append(state.url_actions.add(action).pk)
        template = AlertTemplate(state.templates.next_pk(), name)
        template.action_type = template.resolved_action_type = "rest"
        template.action_rest, template.resolved_action_rest = pks
        state.settings.alert_template = state.templates.add(template).pk
        return template.pk

    def runs(self, alert: int) -> dict[str, ActionRun]:
        """What became of the alert's two actions."""
        row = self._get(alert)
        return {"failure": row.action, "resolved": row.resolved_action}

    def remove_check(self, check: int) -> None:
        """With its alerts, without a webhook."""
        self._state.remove_check(check)

    def _get(self, pk: int) -> Alert:
        alert = self._state.alerts.find(pk)
        if alert is None:
            raise ValueError(f"There is no alert {pk}.")
        return alert

    def _template(self, alert: Alert) -> AlertTemplate | None:
        state = self._state
        if alert.agent is None:
            return state.templates.find(state.settings.alert_template)
        return state.templates.find(state.template_of(state.agents.site_of(alert.agent)))

    def _action(self, template: AlertTemplate | None, event: str) -> UrlAction | None:
        if template is None:
            return None
        is_failure = event == "failure"
        pk = template.action_rest if is_failure else template.resolved_action_rest
        return self._state.url_actions.find(pk)
