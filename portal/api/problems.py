"""Errors of the API as problem documents (RFC 9457)."""

from __future__ import annotations

import json

from flask import Response, current_app, request
from werkzeug.http import HTTP_STATUS_CODES

from portal.errors import InvalidInput
from portal.work_id import get_work_id

PREFIX = "/api/v1"
MIMETYPE = "application/problem+json"
UNAUTHORIZED = 401
REALM = 'Bearer realm="RMM Portal"'

DETAILS = {
    400: "The portal could not use this request.",
    404: "There is nothing at this address of the API.",
    405: "This address of the API is read by GET.",
    413: "This request is too large.",
    500: "The portal ran into an internal error. Its log has the details under the request_id.",
    503: "The database does not respond. Try again in a moment.",
}


def is_asked_for() -> bool:
    """Whether the request is the API's, be there a view for it or not."""
    return request.path == PREFIX or request.path.startswith(f"{PREFIX}/")


def make_problem(status: int, detail: str | None, error: Exception | None = None) -> Response:
    """The answer for an error; `parameter` names the one at fault."""
    document = {
        "type": "about:blank",
        "title": HTTP_STATUS_CODES.get(status, "Error"),
        "status": status,
        "detail": detail or DETAILS.get(status, DETAILS[400]),
        "request_id": get_work_id(),
    }
    if isinstance(error, InvalidInput) and error.field:
        document["parameter"] = error.field
    response = current_app.response_class(json.dumps(document), status, mimetype=MIMETYPE)
    response.headers["Cache-Control"] = "no-store"
    if status == UNAUTHORIZED:
        response.headers["WWW-Authenticate"] = REALM
    retry_after = getattr(error, "retry_after", None)
    if retry_after is not None:
        response.headers["Retry-After"] = str(retry_after)
    return response
