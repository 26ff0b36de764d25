"""`/agents/` and what hangs below it, obeying the role's scope."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import msgspec
from flask import Flask, Response, request

from tactical_simulator.answers import (
    Crash,
    Row,
    answer,
    forbidden,
    missing,
    notify_error,
    rows_answer,
)
from tactical_simulator.api.agent_detail import detail_extras
from tactical_simulator.api.auth import caller
from tactical_simulator.api.checks import CheckCounts, check_json
from tactical_simulator.api.pace import AGENT, take_time
from tactical_simulator.api.routing import body, route
from tactical_simulator.api.rows import agent_detail_row
from tactical_simulator.fleet.agent import SETTABLE, Agent
from tactical_simulator.fleet.derive import served_facts
from tactical_simulator.fleet.status import shown_user, status_of
from tactical_simulator.state import State


def register(app: Flask, state: State) -> None:
    def options() -> Response:
        raise Crash("OPTIONS /agents/")

    def detail(agent_id: str) -> Response:
        agent = get_agent(state, agent_id)
        extra = detail_extras(state, agent, caller().user.username)
        return rows_answer([agent_detail_row(state, agent, extra)], b"", b"")

    def edit(agent_id: str) -> Response:
        agent = get_agent(state, agent_id)
        values = {name: value for name, value in body().items() if name in SETTABLE}
        state.agents.edit(agent.pk, values)
        return answer("The agent was updated successfully")

    def checks(agent_id: str) -> Response:
        agent = get_agent(state, agent_id)
        return answer([check_json(check) for check in state.checks if check.agent == agent.pk])

    listed = "can_list_agents"
    route(app, state, "/agents/", {
        "GET": (listed, lambda: list_agents(state)), "OPTIONS": (listed, options),
    })  # fmt: skip
    route(app, state, "/agents/<agent:agent_id>/", {
        "GET": (listed, detail), "PUT": ("can_edit_agent", edit),
    })  # fmt: skip
    route(app, state, "/agents/<agent:agent_id>/checks/", {"GET": ("can_list_checks", checks)})


def get_agent(state: State, agent_id: str) -> Agent:
    agent = state.agents.find(agent_id)
    if agent is None:
        raise missing("Agent")
    if not state.in_scope(agent.site, caller().scope):
        raise forbidden()
    return agent


def list_agents(state: State) -> Response:
    monitoring = request.args.get("monitoring_type")
    if monitoring not in (None, "server", "workstation"):
        raise notify_error("monitoring type does not exist")
    agents = _chosen(state, monitoring)
    if request.args.get("detail", "true") == "true":
        checks = CheckCounts(state)
        rows = [_table_row(state, agent, checks) for agent in agents]
        take_time(state, AGENT, len(rows))
        return rows_answer(rows)
    return rows_answer([_short_row(state, agent) for agent in agents])


def _chosen(state: State, monitoring: str | None) -> Iterator[Agent]:
    """`site` wins over `client`; what is no number crashes the real server."""
    try:
        site = int(request.args["site"]) if "site" in request.args else None
        client = int(request.args["client"]) if "client" in request.args else None
    except ValueError as error:
        raise Crash(str(error)) from None
    for agent in state.heap_agents(caller().scope):
        if site is not None and agent.site != site:
            continue
        if site is None and client is not None and state.sites[agent.site].client != client:
            continue
        if monitoring is None or agent.monitoring_type == monitoring:
            yield agent


def _short_row(state: State, agent: Agent) -> Row:
    site = state.sites[agent.site]
    row = {
        "id": agent.pk,
        "hostname": agent.hostname,
        "agent_id": agent.agent_id,
        "client": state.clients[site.client].name,
        "site": site.name,
    }
    return [msgspec.json.encode(row)]


def _table_row(state: State, agent: Agent, checks: CheckCounts) -> Row:
    status = status_of(agent, state.clock.datetime())
    username, italic = shown_user(agent, status)
    facts = served_facts(agent.is_posix, state.agents.wmi(agent))
    serial = facts.pop("serial_number")
    site = state.sites[agent.site]
    row: dict[str, Any] = {
        "agent_id": agent.agent_id,
        "alert_template": _template(state, agent),
        "hostname": agent.hostname,
        "site_name": site.name,
        "client_name": state.clients[site.client].name,
        "monitoring_type": agent.monitoring_type,
        "description": agent.description,
        "needs_reboot": agent.needs_reboot,
        "pending_actions_count": 0,
        "status": status,
        "overdue_text_alert": False,
        "overdue_email_alert": False,
        "overdue_dashboard_alert": agent.overdue_dashboard_alert,
        "last_seen": agent.last_seen,
        "boot_time": agent.boot_time,
        "checks": checks.of(agent.pk),
        "maintenance_mode": agent.maintenance_mode,
        "logged_username": username,
        "italic": italic,
        "block_policy_inheritance": agent.block_policy_inheritance,
        "plat": agent.plat,
        "goarch": agent.goarch,
        "has_patches_pending": False,
        "version": agent.version,
        "operating_system": agent.operating_system,
        "public_ip": agent.public_ip,
        **facts,
        "custom_fields": [],
        "serial_number": serial,
    }
    return [msgspec.json.encode(row)]


def _template(state: State, agent: Agent) -> dict[str, Any] | None:
    template = state.templates.find(state.template_of(agent.site))
    if template is None:
        return None
    return {
        "name": template.name,
        "always_email": template.values.get("agent_always_email"),
        "always_text": template.values.get("agent_always_text"),
        "always_alert": template.agent_always_alert,
    }
