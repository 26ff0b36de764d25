"""What tests and demos change about a simulated server: in this process, or by `/_control/…`.

`control.agents.remove(agent_id=…)` here is `POST /_control/agents/remove {"agent_id": …}` there,
answered by what the method returns; `RemoteControl` calls it by the same names.
"""

from __future__ import annotations

import ipaddress
from typing import Any

import msgspec
from flask import Flask, Response, request

from tactical_simulator.answers import NoRoute, answer
from tactical_simulator.control.access import AccessControl
from tactical_simulator.control.agents import AgentsControl
from tactical_simulator.control.alerts import AlertsControl
from tactical_simulator.control.computers import ComputersControl
from tactical_simulator.control.faults import FaultsControl, LogControl
from tactical_simulator.control.places import PlacesControl
from tactical_simulator.control.server import ServerControl
from tactical_simulator.control.software import SoftwareControl
from tactical_simulator.control.truth import Truth
from tactical_simulator.state import State


class Control:
    def __init__(self, state: State) -> None:
        self.access = AccessControl(state)
        self.agents = AgentsControl(state)
        self.alerts = AlertsControl(state)
        self.computers = ComputersControl(state)
        self.faults = FaultsControl(state)
        self.log = LogControl(state)
        self.places = PlacesControl(state)
        self.server = ServerControl(state)
        self.software = SoftwareControl(state)
        self.truth = Truth(state)


def register_control(app: Flask, control: Control) -> None:
    def call(part: str, verb: str) -> Response:
        if not _is_local(request.remote_addr or ""):
            raise NoRoute
        method = _method(control, part, verb)
        arguments: dict[str, Any] = request.get_json(silent=True) or {}
        try:
            return answer(msgspec.to_builtins(method(**arguments)))
        except (KeyError, TypeError, ValueError, msgspec.ValidationError) as error:
            return answer({"error": f"{type(error).__name__}: {error}"}, 400)

    app.add_url_rule("/_control/<part>/<verb>/", view_func=call, methods=("GET", "POST"))


def _method(control: Control, part: str, verb: str) -> Any:
    if part.startswith("_") or verb.startswith("_"):
        raise NoRoute
    method = getattr(getattr(control, part, None), verb, None)
    if not callable(method):
        raise NoRoute
    return method


def _is_local(address: str) -> bool:
    try:
        return ipaddress.ip_address(address).is_loopback
    except ValueError:
        return False
