"""Routes as the REST framework treats them: authentication, method, permission, then the view."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from typing import Any

from flask import Flask, Response, g, request
from werkzeug.routing import BaseConverter

from tactical_simulator.answers import Refused, answer, forbidden
from tactical_simulator.api.auth import authenticate
from tactical_simulator.state import State

METHODS = ("GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS")
ANYONE = None
"""No credentials needed."""
SIGNED_IN = ""
"""Any valid credentials, even of a role with no permission."""

View = Callable[..., Response]
Handlers = Mapping[str, tuple[str | None, View]]


class AgentIdConverter(BaseConverter):
    """`<agent:agent_id>`: shorter ones do not match the real route."""

    regex = "[^/]{21,}"
    part_isolating = True


def route(app: Flask, state: State, rule: str, handlers: Handlers) -> None:
    """`handlers`: method to (permission, view)."""
    public = all(permission is ANYONE for permission, _ in handlers.values())

    def view(**arguments: Any) -> Response:
        if not public:
            g.caller = authenticate(state, request)
        method = request.method
        if method == "HEAD" and not rule.startswith("/beta/"):
            method = "GET"
        if method == "OPTIONS" and method not in handlers and not rule.startswith("/beta/"):
            return answer({"name": rule, "renders": ["application/json"]})
        if method not in handlers:
            raise Refused(405, {"detail": f'Method "{request.method}" not allowed.'}, {
                "Allow": ", ".join(handlers)
            })  # fmt: skip
        permission, handler = handlers[method]
        if permission and not g.caller.may(permission):
            raise forbidden()
        return handler(**arguments)

    app.add_url_rule(rule, endpoint=rule, view_func=view, methods=METHODS)


def body() -> Any:
    """The request's data as the REST framework parses it; an absent body is an empty object."""
    raw = request.get_data()
    if not raw:
        return {}
    content_type = request.mimetype
    if content_type == "application/json":
        return _parsed(raw)
    if content_type in ("application/x-www-form-urlencoded", "multipart/form-data"):
        return request.form.to_dict()
    raise Refused(415, {"detail": f'Unsupported media type "{content_type}" in request.'})


def _parsed(raw: bytes) -> Any:
    try:
        return json.loads(raw)
    except ValueError as error:
        raise Refused(400, {"detail": f"JSON parse error - {error}"}) from None
