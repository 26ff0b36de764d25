"""The simulated server as a WSGI application."""

from __future__ import annotations

import logging
import traceback
from typing import Any, ClassVar

from flask import Flask, Response, request
from werkzeug.exceptions import HTTPException
from werkzeug.routing import Map

from tactical_simulator.answers import (
    Crash,
    NoRoute,
    Refused,
    answer,
    crash_page,
    html,
    not_found_page,
)
from tactical_simulator.api import (
    agents,
    alert_templates,
    alerts,
    beta,
    clients,
    core,
    live,
    notes,
    signin,
    software_views,
    url_action_views,
)
from tactical_simulator.api.routing import AgentIdConverter
from tactical_simulator.control import Control, register_control
from tactical_simulator.fleet.fleet import FleetSpec
from tactical_simulator.settings import EXTENSION
from tactical_simulator.state import State
from tactical_simulator.transport.breakage import CONTROL, Breakage

log = logging.getLogger(__name__)

_NOUNS = (
    core,
    signin,
    clients,
    beta,
    agents,
    live,
    notes,
    alerts,
    alert_templates,
    url_action_views,
    software_views,
)


class Tactical(Flask):
    """Its addresses are compiled once for all servers of a process, which have the same."""

    _compiled: ClassVar[Map | None] = None
    _known: ClassVar[set[str]] = set()

    def __init__(self) -> None:
        super().__init__(__name__, static_folder=None)
        self.url_map.converters["agent"] = AgentIdConverter
        # The real server's own redirect comes below; Werkzeug's would be absolute and a 308.
        self.url_map.strict_slashes = False
        self.url_map.merge_slashes = False
        if Tactical._compiled is None:
            Tactical._compiled = self.url_map
        self.url_map = Tactical._compiled

    def add_url_rule(
        self, rule: str, endpoint: str | None = None, view_func: Any = None, *rest: Any, **more: Any
    ) -> None:
        name = endpoint or rule
        if name not in self._known:
            super().add_url_rule(rule, name, view_func, *rest, **more)
            self._known.add(name)
        self.view_functions[name] = view_func


def create_tactical(fleet: FleetSpec | None = None, *, state: State | None = None) -> Flask:
    """Behaves as a live Tactical RMM 1.5.1, its oddities included.

    The state is in `app.extensions["tactical"]`. It starts without users: `Control` of it, or
    `POST /_control/…` from this machine, adds them.
    """
    state = state or State(fleet or FleetSpec())
    app = Tactical()
    app.extensions[EXTENSION] = state
    for noun in _NOUNS:
        noun.register(app, state)
    register_control(app, Control(state))
    app.before_request(lambda: _before(state))
    app.after_request(lambda response: _after(state, response))
    app.register_error_handler(Refused, _refused)
    app.register_error_handler(Exception, lambda error: _failed(state, error))
    app.wsgi_app = Breakage(app.wsgi_app, state)  # type: ignore[method-assign]
    return app


def _before(state: State) -> Response | None:
    hosts = state.settings.allowed_hosts
    if hosts and request.host.partition(":")[0] not in hosts:
        return html("Bad Request (400)", "", 400)
    is_hidden = request.path.startswith("/beta/") and not state.settings.beta_enabled
    if is_hidden or "//" in request.path:  # Werkzeug's rules would match a doubled slash
        raise NoRoute
    is_control = request.path.startswith(CONTROL)
    if request.url_rule is not None and not request.path.endswith("/") and not is_control:
        return _slash_appended()
    return None


def _slash_appended() -> Response:
    query = request.query_string.decode()
    location = request.path + "/" + (f"?{query}" if query else "")
    response = Response(status=301, content_type="text/html; charset=utf-8")
    response.autocorrect_location_header = False
    response.headers["Location"] = location
    return response


def _after(state: State, response: Response) -> Response:
    response.headers["Vary"] = "origin"
    response.date = state.clock.datetime()
    return response


def _refused(error: Refused) -> Response:
    return answer(error.body, error.status, error.headers)


def _failed(state: State, error: Exception) -> Response:
    if isinstance(error, NoRoute) or (isinstance(error, HTTPException) and error.code == 404):
        return not_found_page()
    if not isinstance(error, Crash):
        state.crashes.append("".join(traceback.format_exception(error)))
        log.exception("The simulator itself failed", exc_info=error)
    return crash_page()


def state_of(app: Flask) -> State:
    state: Any = app.extensions[EXTENSION]
    assert isinstance(state, State)
    return state
