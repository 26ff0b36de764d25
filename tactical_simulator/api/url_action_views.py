"""`/core/urlaction/` and `/core/keystore/`."""

from __future__ import annotations

from typing import Any

from flask import Flask, Response

from tactical_simulator.alerting.url_actions import IN_DEMO, find_thing, test_action
from tactical_simulator.answers import Crash, Refused, answer, invalid, missing, notify_error
from tactical_simulator.api.routing import body, route
from tactical_simulator.fleet.records import GlobalKey, UrlAction
from tactical_simulator.state import State

Json = dict[str, Any]

_METHODS = frozenset({"get", "post", "put", "delete", "patch"})
_COLUMNS = (
    "name", "desc", "pattern", "action_type", "rest_method", "rest_body", "rest_headers",
)  # fmt: skip
_TEST_FIELDS = (
    "pattern", "rest_body", "rest_headers", "rest_method", "run_instance_type", "run_instance_id",
)  # fmt: skip
NAME_LENGTH = 25


def register(app: Flask, state: State) -> None:
    _register_actions(app, state)
    _register_keys(app, state)


def _register_actions(app: Flask, state: State) -> None:
    def listed() -> Response:
        return answer([action_json(action) for action in state.url_actions])

    def create() -> Response:
        values = _checked(body())
        action = UrlAction(state.url_actions.next_pk(), **values)
        state.url_actions.add(action)
        return answer("ok")

    def edit(pk: int) -> Response:
        action = _get(state, pk)
        for name, value in _checked(body()).items():
            setattr(action, name, value)
        state.url_actions.touch(action)
        return answer("ok")

    def delete(pk: int) -> Response:
        _get(state, pk)
        remove_action(state, pk)
        return answer("ok")

    run, change = "can_run_urlactions", "can_edit_core_settings"
    path = "/core/urlaction/"
    route(app, state, path, {"GET": (run, listed), "POST": (change, create)})
    route(app, state, path + "<int:pk>/", {"PUT": (change, edit), "DELETE": (change, delete)})
    route(app, state, path + "run/test/", {"POST": (run, lambda: _test(state))})


def action_json(action: UrlAction) -> Json:
    stamps = {"created_by": None, "modified_by": None}
    return {"id": action.pk, **stamps, **{name: getattr(action, name) for name in _COLUMNS}}


def remove_action(state: State, pk: int) -> None:
    """Templates that used it have none now."""
    state.url_actions.remove(pk)
    for template in state.templates:
        if template.action_rest == pk:
            template.action_rest = None
        if template.resolved_action_rest == pk:
            template.resolved_action_rest = None


def _get(state: State, pk: int) -> UrlAction:
    action = state.url_actions.find(pk)
    if action is None:
        raise missing("URLAction")
    return action


def _checked(values: Json) -> Json:
    _check_method(values)
    if values.get("action_type", "web") not in ("web", "rest"):
        raise invalid("action_type", f'"{values["action_type"]}" is not a valid choice.')
    return {name: value for name, value in values.items() if name in _COLUMNS}


def _check_method(values: Json) -> None:
    method = values.get("rest_method", "post")
    if method not in _METHODS:
        raise invalid("rest_method", f'"{method}" is not a valid choice.')


def _test(state: State) -> Response:
    if state.settings.demo:
        raise notify_error(IN_DEMO)
    data = body()
    absent = [name for name in _TEST_FIELDS if name not in data]
    if absent:
        raise Refused(400, {name: ["This field is required."] for name in absent})
    blank = [name for name in ("pattern", "rest_body", "rest_headers") if not data[name].strip()]
    if blank:
        raise Refused(400, {name: ["This field may not be blank."] for name in blank})
    _check_method(data)
    kind = data["run_instance_type"]
    if kind not in ("agent", "client", "site", "none"):
        raise invalid("run_instance_type", f'"{kind}" is not a valid choice.')
    try:
        thing = find_thing(state, kind, data["run_instance_id"])
    except (KeyError, ValueError) as error:
        raise Crash(repr(error)) from None
    texts = {name: data[name] for name in ("pattern", "rest_body", "rest_headers", "rest_method")}
    result, url, sent = test_action(state, UrlAction(0, **texts), thing)
    return answer({"url": url, "result": result, "body": sent})


def _register_keys(app: Flask, state: State) -> None:
    def listed() -> Response:
        return answer([
            {"id": key.pk, "name": key.name, "value": key.value} for key in state.global_keys
        ])  # fmt: skip

    def create() -> Response:
        values = _checked_key(body())
        key = GlobalKey(state.global_keys.next_pk(), values["name"], values["value"])
        state.global_keys.add(key)
        return answer("ok")

    def edit(pk: int) -> Response:
        key, values = _get_key(state, pk), _checked_key(body())
        key.name, key.value = values["name"], values["value"]
        return answer("ok")

    def delete(pk: int) -> Response:
        _get_key(state, pk)
        state.global_keys.remove(pk)
        return answer("ok")

    see, change = "can_view_global_keystore", "can_edit_global_keystore"
    route(app, state, "/core/keystore/", {"GET": (see, listed), "POST": (change, create)})
    route(app, state, "/core/keystore/<int:pk>/", {
        "PUT": (change, edit), "DELETE": (change, delete),
    })  # fmt: skip


def _get_key(state: State, pk: int) -> GlobalKey:
    key = state.global_keys.find(pk)
    if key is None:
        raise missing("GlobalKVStore")
    return key


def _checked_key(values: Json) -> Json:
    for name in ("name", "value"):
        if name not in values:
            raise invalid(name, "This field is required.")
        if not values[name]:
            raise invalid(name, "This field may not be blank.")
    if len(values["name"]) > NAME_LENGTH:
        raise invalid("name", f"Ensure this field has no more than {NAME_LENGTH} characters.")
    return values
