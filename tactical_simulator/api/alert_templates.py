"""Alert templates: which URL actions run when an alert begins and ends."""

from __future__ import annotations

from dataclasses import fields
from typing import Any

from flask import Flask, Response

from tactical_simulator.answers import answer, invalid, missing
from tactical_simulator.api.clients import client_json, site_json
from tactical_simulator.api.routing import body, route
from tactical_simulator.fleet.places import Client, Site
from tactical_simulator.fleet.records import AlertTemplate
from tactical_simulator.settings import Settings
from tactical_simulator.state import State

Json = dict[str, Any]

_TYPES = frozenset({"script", "server", "rest"})
_OWN = tuple(field.name for field in fields(AlertTemplate) if field.name not in ("pk", "values"))


def register(app: Flask, state: State) -> None:
    def listed() -> Response:
        return answer([template_json(state, template) for template in state.templates])

    def create() -> Response:
        values = _checked(state, body())
        template = AlertTemplate(state.templates.next_pk())
        _set(template, values)
        state.templates.add(template)
        return answer("ok")

    def one(pk: int) -> Response:
        return answer(template_json(state, _get(state, pk)))

    def edit(pk: int) -> Response:
        template = _get(state, pk)
        _set(template, _checked(state, body()))
        state.templates.touch(template)
        return answer("ok")

    def delete(pk: int) -> Response:
        _get(state, pk)
        remove_template(state, pk)
        return answer("ok")

    def related(pk: int) -> Response:
        return answer(related_json(state, _get(state, pk)))

    see, manage = "can_list_alerttemplates", "can_manage_alerttemplates"
    path = "/alerts/templates/"
    route(app, state, path, {"GET": (see, listed), "POST": (manage, create)})
    route(app, state, path + "<int:pk>/", {
        "GET": (see, one), "PUT": (manage, edit), "DELETE": (manage, delete),
    })  # fmt: skip
    route(app, state, path + "<int:pk>/related/", {"GET": (see, related)})


def template_json(state: State, template: AlertTemplate) -> Json:
    own = {name: getattr(template, name) for name in _OWN}
    used: list[Client | Site] = [*state.clients.values(), *state.sites.values()]
    return {
        "id": template.pk,
        "agent_settings": template.agent_always_alert is not None,
        "check_settings": template.check_always_alert is not None,
        "task_settings": template.task_always_alert is not None,
        "core_settings": state.settings.alert_template == template.pk,
        "default_template": state.settings.alert_template == template.pk,
        "action_name": _action_name(state, template.action_rest),
        "resolved_action_name": _action_name(state, template.resolved_action_rest),
        "applied_count": sum(place.alert_template == template.pk for place in used),
        "created_by": None,
        "modified_by": None,
        **own,
        "action": None,
        "resolved_action": None,
        "excluded_clients": [],
        "excluded_sites": [],
        "excluded_agents": [],
        **template.values,
    }


def related_json(state: State, template: AlertTemplate) -> Json:
    """Where the template is used."""
    counts = state.agents.counts_by_site()
    clients = [client for client in state.clients.values() if client.alert_template == template.pk]
    sites = [site for site in state.sites.values() if site.alert_template == template.pk]
    return {
        **template_json(state, template),
        "policies": [],
        "clients": [client_json(state, client, counts, None) for client in clients],
        "sites": [site_json(state, site) for site in sites],
    }


def remove_template(state: State, pk: int) -> None:
    """Wherever it was used, none is used now."""
    state.templates.remove(pk)
    places: list[Client | Site | Settings] = [*state.clients.values(), *state.sites.values()]
    for place in (*places, state.settings):
        if place.alert_template == pk:
            place.alert_template = None


def _action_name(state: State, pk: int | None) -> str:
    action = state.url_actions.find(pk)
    return action.name if action else ""


def _get(state: State, pk: int) -> AlertTemplate:
    template = state.templates.find(pk)
    if template is None:
        raise missing("AlertTemplate")
    return template


def _checked(state: State, values: Json) -> Json:
    for name in ("action_rest", "resolved_action_rest"):
        pk = values.get(name)
        if pk is not None and (not isinstance(pk, int) or state.url_actions.find(pk) is None):
            raise invalid(name, f'Invalid pk "{pk}" - object does not exist.')
    for name in ("action_type", "resolved_action_type"):
        if name in values and values[name] not in _TYPES:
            raise invalid(name, f'"{values[name]}" is not a valid choice.')
    if len(values.get("name", "")) > 100:
        raise invalid("name", "Ensure this field has no more than 100 characters.")
    return values


def _set(template: AlertTemplate, values: Json) -> None:
    for name, value in values.items():
        if name in _OWN:
            setattr(template, name, value)
        elif name != "id":
            template.values[name] = value
