"""`/beta/v1/…`: complete rows in pages, by pk, and blind to the role's scope."""

from __future__ import annotations

from functools import partial
from typing import Any

import msgspec
from flask import Flask, Response, request

from tactical_simulator.answers import Crash, Refused, answer, forbidden, missing, rows_answer
from tactical_simulator.api.auth import caller
from tactical_simulator.api.beta_filters import agent_tests
from tactical_simulator.api.checks import CheckCounts
from tactical_simulator.api.pace import BETA_AGENT, take_time
from tactical_simulator.api.paging import Page
from tactical_simulator.api.routing import View, body, route
from tactical_simulator.api.rows import beta_detail_row, model_row
from tactical_simulator.clock import moment
from tactical_simulator.fleet.agent import SETTABLE, Agent
from tactical_simulator.fleet.derive import served_facts
from tactical_simulator.fleet.places import Client, Site
from tactical_simulator.fleet.status import status_of
from tactical_simulator.state import State

_ROOT = "/beta/v1"


def register(app: Flask, state: State) -> None:
    lists: tuple[tuple[str, str, View, View], ...] = (
        ("client", "can_list_clients", list_clients, client_detail),
        ("site", "can_list_sites", list_sites, site_detail),
        ("agent", "can_list_agents", list_agents, agent_detail),
    )
    for noun, permission, listed, detail in lists:
        route(app, state, f"{_ROOT}/{noun}/", {
            "GET": (permission, partial(listed, state)), "DELETE": (permission, _delete_list),
        })  # fmt: skip
        handlers: dict[str, tuple[str, View]] = {"GET": (permission, partial(detail, state))}
        if noun == "agent":
            handlers["PUT"] = ("can_edit_agent", partial(edit_agent, state))
        route(app, state, f"{_ROOT}/{noun}/<pk>/", handlers)


def _delete_list() -> Response:
    raise Crash("DELETE on a beta list")


def list_clients(state: State) -> Response:
    """Never paged, by name."""
    clients = sorted(state.clients.values(), key=lambda client: client.name)
    return rows_answer([[msgspec.json.encode(_client_json(client))] for client in clients])


def client_detail(state: State, pk: str) -> Response:
    client = state.clients.get(_pk(pk))
    if client is None:
        raise missing("Client")
    scope = caller().scope
    if scope is not None and client.pk not in scope.clients:
        raise forbidden()  # the one place of the beta API that looks at the scope
    return answer(_client_json(client))


def list_sites(state: State) -> Response:
    wanted = request.args.get("search", "").lower()
    sites = [site for site in state.sites.values() if wanted in site.name.lower()]
    sites.sort(key=lambda site: site.pk, reverse=request.args.get("ordering") == "-id")
    page = Page(len(sites), request.args)
    return page.answer([[msgspec.json.encode(_site_json(site))] for site in page.of(sites)])


def site_detail(state: State, pk: str) -> Response:
    site = state.sites.get(_pk(pk))
    if site is None:
        raise missing("Site")
    return answer(_site_json(site))


def list_agents(state: State) -> Response:
    if "agent_id" in request.args:
        _check_agent_scope(state, request.args["agent_id"])
    tests = agent_tests(state, request.args)
    pks = state.agents.pks()
    if tests:
        found = (agent for agent in state.agents.all(pks) if all(test(agent) for test in tests))
        pks = [agent.pk for agent in found]
    if request.args.get("ordering") == "-id":
        pks.reverse()
    page = Page(len(pks), request.args)
    rows = [model_row(state, agent) for agent in state.agents.all(page.of(pks))]
    take_time(state, BETA_AGENT, len(rows))
    return page.answer(rows)


def _check_agent_scope(state: State, agent_id: str) -> None:
    """A scoped key gets this far: then the filter crashes for it too."""
    scope = caller().scope
    if scope is None:
        return
    agent = state.agents.find(agent_id)
    if agent is None:
        raise missing("Agent")
    if not state.in_scope(agent.site, scope):
        raise forbidden()


def agent_detail(state: State, pk: str) -> Response:
    """By the integer pk only; the 40-letter `agent_id` is a JSON 404."""
    agent = _get_agent(state, pk)
    return rows_answer([beta_detail_row(state, agent, _detail_facts(state, agent))], b"", b"")


def edit_agent(state: State, pk: str) -> Response:
    agent = _get_agent(state, pk)
    values = {name: value for name, value in body().items() if name in SETTABLE}
    state.agents.edit(agent.pk, values)
    return agent_detail(state, pk)


def _detail_facts(state: State, agent: Agent) -> dict[str, Any]:
    return {
        "status": status_of(agent, state.clock.datetime()),
        "checks": CheckCounts(state).of(agent.pk),
        "pending_actions_count": 0,
        **served_facts(agent.is_posix, state.agents.wmi(agent)),
    }


def _get_agent(state: State, pk: str) -> Agent:
    try:
        return state.agents.get(_pk(pk))
    except KeyError:
        raise missing("Agent") from None


def _pk(text: str) -> int:
    if not text.isdecimal():
        raise Refused(404, {"detail": "Not found."})
    return int(text)


def _client_json(client: Client) -> dict[str, Any]:
    return {
        "id": client.pk,
        **_stamps(client.created),
        "name": client.name,
        "block_policy_inheritance": False,
        "failing_checks": {"error": False, "warning": False},
        "workstation_policy": None,
        "server_policy": None,
        "alert_template": client.alert_template,
    }


def _site_json(site: Site) -> dict[str, Any]:
    return {
        "id": site.pk,
        **_stamps(site.created),
        "name": site.name,
        "block_policy_inheritance": False,
        "failing_checks": {"error": False, "warning": False},
        "client": site.client,
        "workstation_policy": None,
        "server_policy": None,
        "alert_template": site.alert_template,
    }


def _stamps(created: float) -> dict[str, Any]:
    time = moment(created)
    return {"created_by": None, "created_time": time, "modified_by": None, "modified_time": time}
