"""`/clients/` and `/clients/sites/`, which work with the beta API off and obey the role's scope."""

from __future__ import annotations

from collections import Counter
from typing import Any

import msgspec
from flask import Flask, Response

from tactical_simulator.answers import (
    answer,
    forbidden,
    invalid,
    missing,
    notify_error,
    rows_answer,
)
from tactical_simulator.api.auth import caller
from tactical_simulator.api.routing import body, route
from tactical_simulator.fleet.accounts import Role
from tactical_simulator.fleet.places import Client, Site
from tactical_simulator.state import State

Json = dict[str, Any]


def register(app: Flask, state: State) -> None:
    def listed() -> Response:
        scope, counts = caller().scope, state.agents.counts_by_site()
        clients = sorted(state.clients.values(), key=lambda client: client.name)
        seen = [client for client in clients if _sees_client(state, client, scope)]
        return rows_answer(
            [[msgspec.json.encode(client_json(state, client, counts, scope))] for client in seen]
        )

    def one(pk: int) -> Response:
        client = _get(state, pk)
        counts = state.agents.counts_by_site()
        return answer(client_json(state, client, counts, caller().scope))

    def edit(pk: int) -> Response:
        return _edit(state, _get(state, pk))

    def sites() -> Response:
        scope = caller().scope
        rows = sorted(state.sites.values(), key=lambda site: site.name)
        seen = [site for site in rows if state.in_scope(site.pk, scope)]
        return rows_answer([[msgspec.json.encode(site_json(state, site))] for site in seen])

    route(app, state, "/clients/", {"GET": ("can_list_clients", listed)})
    route(app, state, "/clients/sites/", {"GET": ("can_list_sites", sites)})
    route(
        app,
        state,
        "/clients/<int:pk>/",
        {"GET": ("can_list_clients", one), "PUT": ("can_manage_clients", edit)},
    )


def client_json(state: State, client: Client, counts: Counter[int], scope: Role | None) -> Json:
    sites = [
        {**site_json(state, site), "agent_count": counts[site.pk]}
        for site in sorted(state.sites.values(), key=lambda site: site.name)
        if site.client == client.pk and state.in_scope(site.pk, scope)
    ]
    return {
        "id": client.pk,
        "name": client.name,
        "server_policy": None,
        "workstation_policy": None,
        "alert_template": client.alert_template,
        "block_policy_inheritance": False,
        "sites": sites,
        "custom_fields": [],
        "agent_count": sum(site["agent_count"] for site in sites),
        "maintenance_mode": False,
        "failing_checks": {"error": False, "warning": False},
    }


def site_json(state: State, site: Site) -> Json:
    return {
        "id": site.pk,
        "name": site.name,
        "server_policy": None,
        "workstation_policy": None,
        "alert_template": site.alert_template,
        "client_name": state.clients[site.client].name,
        "client": site.client,
        "custom_fields": [],
        "maintenance_mode": False,
        "failing_checks": {"error": False, "warning": False},
        "block_policy_inheritance": False,
    }


def _sees_client(state: State, client: Client, scope: Role | None) -> bool:
    if scope is None or client.pk in scope.clients:
        return True
    return any(state.sites[pk].client == client.pk for pk in scope.sites)


def _get(state: State, pk: int) -> Client:
    client = state.clients.get(pk)
    if client is None:
        raise missing("Client")
    if not _sees_client(state, client, caller().scope):
        raise forbidden()
    return client


def _edit(state: State, client: Client) -> Response:
    """`{"client": {...}}`: the alert template, as the one-click set-up applies it, or the name."""
    values = body()["client"]
    template = values.get("alert_template", client.alert_template)
    if template is not None and state.templates.find(template) is None:
        raise invalid("alert_template", f'Invalid pk "{template}" - object does not exist.')
    if "|" in values.get("name", ""):
        raise notify_error("Client name cannot contain the | character")
    client.alert_template = template
    client.name = values.get("name", client.name)
    return answer("{client} was updated")
