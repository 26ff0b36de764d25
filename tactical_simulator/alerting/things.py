"""Records as URL-action templates see them."""

from __future__ import annotations

from typing import Any

from tactical_simulator.alerting.render import Thing
from tactical_simulator.fleet.agent import Agent
from tactical_simulator.fleet.places import Client, Site
from tactical_simulator.fleet.records import Alert
from tactical_simulator.fleet.status import status_of
from tactical_simulator.state import State

_AGENT_METHODS = frozenset({"run_script", "nats_cmd", "save", "delete", "get_patch_policy"})
_METHODS = frozenset({"save", "delete", "full_clean"})


def client_thing(client: Client) -> Thing:
    members = {"id": client.pk, "pk": client.pk, "name": client.name}
    return Thing("client", client.name, members, _METHODS)


def site_thing(state: State, site: Site) -> Thing:
    client = client_thing(state.clients[site.client])
    members = {"id": site.pk, "pk": site.pk, "name": site.name, "client": client}
    return Thing("site", site.name, members, _METHODS)


def agent_thing(state: State, agent: Agent) -> Thing:
    site = site_thing(state, state.sites[agent.site])
    columns = {name: getattr(agent, name) for name in agent.__struct_fields__}
    members: dict[str, Any] = {
        **columns,
        "id": agent.pk,
        "status": status_of(agent, state.clock.datetime()),
        "site": site,
        "client": site.members["client"],
        "is_posix": agent.is_posix,
    }
    return Thing("agent", agent.hostname, members, _AGENT_METHODS)


def alert_thing(state: State, alert: Alert) -> Thing:
    members: dict[str, Any] = {
        name: getattr(alert, name)
        for name in (
            "pk", "alert_time", "alert_type", "severity", "message", "snoozed", "snooze_until",
            "resolved", "resolved_on", "hidden",
        )
    }  # fmt: skip
    members |= {
        "id": alert.pk,
        "agent": None,
        "assigned_check": _check(state, alert),
        "assigned_task": _numbered("task", alert.assigned_task),
        "get_result": _result(state, alert),
    }
    # An alert without an agent has no site and no client: looking them up fails, so templates
    # see the alert itself in their place.
    if alert.agent is not None:
        agent = agent_thing(state, state.agents.get(alert.agent))
        members |= {"agent": agent, "assigned_agent": agent}
        members |= {"site": agent.members["site"], "client": agent.members["client"]}
    return Thing("alert", f"{alert.alert_type} - {alert.message}", members, _METHODS | {"resolve"})


def _check(state: State, alert: Alert) -> Thing | None:
    check = state.checks.find(alert.assigned_check)
    if check is None:
        return _numbered("check", alert.assigned_check)
    members = {
        "id": check.pk,
        "pk": check.pk,
        "readable_desc": check.readable_desc,
        "check_type": check.check_type,
        "alert_severity": check.alert_severity,
    }
    return Thing("check", check.readable_desc, members, _METHODS)


def _numbered(kind: Any, pk: int | None) -> Thing | None:
    return None if pk is None else Thing(kind, f"{kind} {pk}", {"id": pk, "pk": pk}, _METHODS)


def _result(state: State, alert: Alert) -> Thing | None:
    check = state.checks.find(alert.assigned_check)
    if check is None or check.result is None:
        return None
    return Thing("result", f"{check.readable_desc} result", dict(check.result), _METHODS)
