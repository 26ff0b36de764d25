"""The host root, versions and the server's settings."""

from __future__ import annotations

from flask import Flask, Response, request

from tactical_simulator.answers import Crash, Refused, answer, invalid
from tactical_simulator.api.routing import ANYONE, SIGNED_IN, body, route
from tactical_simulator.settings import SERVER_VERSION, WEB_VERSION
from tactical_simulator.state import State

_MESH = ("mesh_token", "mesh_username", "mesh_site")


def register(app: Flask, state: State) -> None:
    """`/` is unauthenticated: it tells the API host from the dashboard's."""
    version = {"trmm_version": SERVER_VERSION, "latest_trmm_ver": "error", "dark_mode": True}
    settings = {
        "GET": ("can_view_core_settings", lambda: answer(_settings_json(state))),
        "PUT": ("can_edit_core_settings", lambda: _put_settings(state)),
    }
    route(app, state, "/", {"GET": (ANYONE, lambda: answer({"status": "ok"}))})
    route(app, state, "/core/version/", {"GET": (SIGNED_IN, lambda: answer(WEB_VERSION))})
    route(app, state, "/core/dashinfo/", {"GET": (SIGNED_IN, lambda: answer(version))})
    route(app, state, "/core/settings/", settings)
    route(app, state, "/core/v2/status/", {"GET": (ANYONE, _monitoring)})
    empty = {"GET": ("can_view_customfields", lambda: answer([]))}
    route(app, state, "/core/customfields/", empty)


def _monitoring() -> Response:
    """Has a token of its own, which this server never set."""
    sent = "X-Mon-Token" in request.headers
    text = "Not authenticated" if sent else "Missing X-Mon-Token header"
    return Response(text, 401, content_type="text/plain; charset=utf-8")


def _settings_json(state: State) -> dict[str, object]:
    """Secrets in plain text, as on the real server: nobody who needs none should ask for this."""
    return {
        "id": 1,
        "alert_template": state.settings.alert_template,
        "notify_on_info_alerts": state.settings.notify_on_info_alerts,
        "notify_on_warning_alerts": state.settings.notify_on_warning_alerts,
        "smtp_host_password": "demo smtp password",
        "mesh_token": "demo mesh token",
        "twilio_auth_token": "demo twilio token",
        "open_ai_token": "demo open ai token",
    }


def _put_settings(state: State) -> Response:
    values = body()
    if state.settings.hosted and any(name not in values for name in _MESH):
        raise Crash("KeyError: mesh_token")
    if not isinstance(values, dict):
        raise Refused(400, {"non_field_errors": ["Invalid data. Expected a dictionary."]})
    template = values.get("alert_template")
    if template is not None and state.templates.find(template) is None:
        raise invalid("alert_template", f'Invalid pk "{template}" - object does not exist.')
    for name in ("alert_template", "notify_on_info_alerts", "notify_on_warning_alerts"):
        if name in values:
            setattr(state.settings, name, values[name])
    return answer("ok")
