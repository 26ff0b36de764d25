"""URL actions: requests that Tactical makes when an alert begins or ends."""

from __future__ import annotations

import json
from contextlib import suppress
from typing import Any

import requests
from requests.utils import requote_uri

from tactical_simulator.alerting.render import Thing, render, sanitize
from tactical_simulator.alerting.things import agent_thing, client_thing, site_thing
from tactical_simulator.fleet.places import Client, Site
from tactical_simulator.fleet.records import UrlAction
from tactical_simulator.state import State

TIMEOUT = 8
IN_DEMO = "Not available in demo"


def send(state: State, action: UrlAction, thing: Thing | None) -> requests.Response:
    """One attempt, certificates checked, redirects followed (a 302 turns the POST into a GET)."""
    url = requote_uri(_filled(state, action.pattern, thing))
    body: Any = sanitize(_filled(state, action.rest_body, thing))
    headers: Any = _filled(state, action.rest_headers, thing)
    # What does not parse stays text: a body is then sent as a JSON string, headers fail below.
    with suppress(ValueError):
        body = json.loads(body, strict=False)
    with suppress(ValueError):
        headers = json.loads(headers, strict=False)
    with requests.Session() as session:
        session.trust_env = False  # a proxy of this machine is none of the simulated server's
        if action.rest_method in ("get", "delete"):
            return session.request(action.rest_method, url, headers=headers)
        return session.request(
            action.rest_method, url, data=json.dumps(body), headers=headers, timeout=TIMEOUT
        )


def run_action(state: State, action: UrlAction, thing: Thing) -> tuple[str, int]:
    """What is kept of it: the response's text and status, or the exception's text and 500."""
    if state.settings.demo:
        return IN_DEMO, 200
    try:
        response = send(state, action, thing)
        return response.text, response.status_code
    except Exception as error:  # as broad as the real server
        return str(error), 500


def test_action(state: State, action: UrlAction, thing: Thing | None) -> tuple[str, str, Any]:
    """The result, URL and body of Tactical's test button: no status, whatever came back."""
    try:
        response = send(state, action, thing)
    except requests.exceptions.ConnectionError as error:
        request = error.request
        return str(error), str(getattr(request, "url", "")), str(getattr(request, "body", ""))
    except Exception as error:  # as broad as the real server
        return str(error), str(error), str(error)
    return response.text, str(response.request.url), response.request.body


def find_thing(state: State, kind: str, key: Any) -> Thing | None:
    """What a test renders against; KeyError where there is no such record."""
    if kind == "none" or not key:
        return None
    if kind == "agent":
        agent = state.agents.find(key)
        if agent is None:
            raise KeyError(key)
        return agent_thing(state, agent)
    if kind == "client":
        client: Client = state.clients[int(key)]
        return client_thing(client)
    site: Site = state.sites[int(key)]
    return site_thing(state, site)


def _filled(state: State, text: str | None, thing: Thing | None) -> str:
    if text is None:
        raise TypeError("expected string or bytes-like object, got 'NoneType'")

    def find_global(name: str) -> str | None:
        return next((key.value for key in state.global_keys if key.name == name), None)

    return render(text, thing, find_global)
