"""The OpenAPI document, made from the routes, the schemas and the docstrings of the views."""

from __future__ import annotations

from collections.abc import Callable
from functools import wraps
from typing import Any

from flask import Flask, current_app
from flask_smorest import Api, Blueprint
from flask_smorest.utils import prepare_response
from marshmallow import RAISE, Schema
from webargs.flaskparser import FlaskParser
from werkzeug.http import HTTP_STATUS_CODES

from portal.api.authentication import add_rate, authenticate, leave
from portal.api.fields import ListArguments, list_of
from portal.api.problems import MIMETYPE, PREFIX
from portal.api.schemas import Problem
from portal.errors import InvalidInput

EXTENSION = "api_document"
NOT_MODIFIED, LOWEST_ERROR = 304, 400
PROBLEMS = (400, 401, 403, 429)
"""What every address may answer."""

INFO = """The records of one tenant, to be read by programs.

Send a token in the header `Authorization`, as `Bearer rmmp_…`. Ids are text, times are ISO 8601 in
UTC, and what is not known is null. Lists answer `items` and `next`: ask again with `cursor` set to
`next`, and with the same filters, until `next` is null."""

SPEC: dict[str, Any] = {
    "title": "RMM Portal",
    "version": "1",
    "openapi_version": "3.0.3",
    "info": {"description": INFO},
    "security": [{"token": []}],
    "components": {"securitySchemes": {"token": {"type": "http", "scheme": "bearer"}}},
}


class Documented(Api):  # type: ignore[misc]
    """Leaves errors to the portal's one handler, and describes what that answers."""

    DEFAULT_ERROR_RESPONSE_NAME = None

    def _register_error_handlers(self) -> None:
        pass

    def _register_responses(self) -> None:
        for status, phrase in HTTP_STATUS_CODES.items():
            response: dict[str, Any] = {"description": phrase}
            if status >= LOWEST_ERROR:
                response["schema"] = Problem
            prepare_response(response, self.spec, MIMETYPE)
            self.spec.components.response(name_of(status), response, lazy=True)


class Reader(FlaskParser):
    """Of arguments. What cannot be used is an error like every other one of the portal's."""

    DEFAULT_VALIDATION_STATUS = 400
    DEFAULT_UNKNOWN_BY_LOCATION = {"query": RAISE}  # noqa: RUF012  # as its base

    def handle_error(self, error: Any, *_args: Any, **_options: Any) -> Any:
        """Raises InvalidInput for the first argument at fault."""
        problems = error.messages_dict.get("query", error.messages_dict)
        name, messages = next(iter(problems.items()))
        what = messages[0] if isinstance(messages, list) else "This cannot be used."
        raise InvalidInput(f"{name}: {what}", field=name)


class Room(Blueprint):  # type: ignore[misc]
    """The addresses of a noun. Each is read by GET, with a token."""

    ARGUMENTS_PARSER = Reader()

    def __init__(self, name: str, import_name: str, description: str) -> None:
        super().__init__(f"api_{name}", import_name, url_prefix=PREFIX, description=description)
        self.tag = name
        self.before_request(authenticate)
        self.after_request(add_rate)
        self.teardown_request(leave)

    def lists(
        self, rule: str, record: type[Schema], arguments: type[ListArguments], *problems: int
    ) -> Callable[[Callable[..., Any]], Callable[..., Any]]:
        """A view that gets its arguments as a dict, and answers a part of a list."""

        def add(view: Callable[..., Any]) -> Callable[..., Any]:
            described = self._describe(view, list_of(record), PROBLEMS + problems)
            self.route(rule, tags=[self.tag])(
                self.arguments(arguments, location="query")(described)
            )
            return view

        return add

    def shows(
        self, rule: str, record: type[Schema], arguments: type[Schema] | None = None
    ) -> Callable[[Callable[..., Any]], Callable[..., Any]]:
        """A view that answers one record; with arguments, it gets these as a dict first."""

        def add(view: Callable[..., Any]) -> Callable[..., Any]:
            described = self._describe(view, record, (*PROBLEMS, 404))
            if arguments is not None:
                described = self.arguments(arguments, location="query")(described)
            self.route(rule, tags=[self.tag])(described)
            return view

        return add

    def _describe(
        self, view: Callable[..., Any], schema: type[Schema], problems: tuple[int, ...]
    ) -> Callable[..., Any]:
        @wraps(view)
        def called(*args: Any, **kwargs: Any) -> Any:
            return view(*args, **kwargs)

        described: Callable[..., Any] = self.response(200, schema)(called)
        for status in problems:
            described = self.alt_response(status, name_of(status))(described)
        add_unchanged: Callable[..., Callable[..., Any]]
        add_unchanged = self.alt_response(NOT_MODIFIED, name_of(NOT_MODIFIED), success=True)
        return add_unchanged(described)


def name_of(status: int) -> str:
    """By which the document refers to the answer: `NOT_FOUND`."""
    return HTTP_STATUS_CODES[status].upper().replace(" ", "_")


def init_app(app: Flask, rooms: list[Room]) -> None:
    documented = Documented(app, spec_kwargs=SPEC)
    for room in rooms:
        documented.register_blueprint(room)
    app.extensions[EXTENSION] = documented.spec.to_dict()


def get_document() -> dict[str, Any]:
    document: dict[str, Any] = current_app.extensions[EXTENSION]
    return document
