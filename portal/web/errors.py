"""Errors to pages, once. A request by htmx gets words for a toast, the API a problem document,
others a whole page."""

from __future__ import annotations

import json
import logging
from collections.abc import Sequence
from typing import Any

from flask import (
    Flask,
    Response,
    current_app,
    flash,
    g,
    make_response,
    redirect,
    render_template,
    request,
    url_for,
)
from flask.typing import ResponseReturnValue
from flask_wtf.csrf import CSRFError
from sqlalchemy.exc import OperationalError
from werkzeug.exceptions import HTTPException
from werkzeug.routing import BuildError

from portal.api.problems import is_asked_for, make_problem
from portal.errors import NotFound, PermissionDenied, PortalError, Refused
from portal.extensions import htmx
from portal.models import User
from portal.services.accounts.throttle import TooManyAttempts
from portal.services.api.access import TokenForbidden, TokenRefused
from portal.services.api.rate import TooManyRequests
from portal.services.assets.removed import AssetMerged
from portal.services.errands.requests import TooManyWaiting
from portal.web.hosts import HostRefused
from portal.web.refusals import log_refusal

log = logging.getLogger(__name__)

FORBIDDEN = 403
NOT_FOUND = 404
TOO_MANY = 429

PAGES = (400, 403, 404, 405, 413, 429, 500, 503)
STATUS = {
    NotFound: 404,
    PermissionDenied: 403,
    Refused: 409,
    TooManyAttempts: 429,
    TooManyRequests: 429,
    TooManyWaiting: 429,
    TokenForbidden: 403,
    TokenRefused: 401,
}

REFUSED = {
    400: "it cannot be used as it is",
    413: "it is too large",
}
CONTROLS: dict[type[PortalError], str] = {
    HostRefused: "under a name that is not the portal's",
    TokenRefused: "without a valid token of the API",
    TooManyAttempts: "too many attempts",
    TooManyRequests: "too many requests",
}
"""Of all refusals those that say that somebody tried to get around something."""

MESSAGES = {
    400: "The portal could not use this request. Reload the page and try again.",
    404: "This was not found. It may have been deleted.",
    413: "This is too large. Send less and try again.",
    429: "Too many attempts. Wait a few minutes and try again.",
    500: "The portal ran into an internal error. Nothing was changed.",
    503: "The database does not respond. Try again in a moment.",
}
CSRF_MESSAGE = (
    "This page was open for too long or belongs to another sign-in. Reload it and try again."
)


def init_app(app: Flask) -> None:
    app.register_error_handler(CSRFError, _answer_csrf)
    app.register_error_handler(HTTPException, _answer_http)
    app.register_error_handler(PortalError, _answer_portal_error)
    app.register_error_handler(AssetMerged, _lead_on)
    app.register_error_handler(OperationalError, _answer_database_down)
    app.register_error_handler(500, _answer_mistake)


def _answer_csrf(_error: CSRFError) -> ResponseReturnValue:
    log_refusal("without a valid token of the form")
    return _answer(400, CSRF_MESSAGE)


def _answer_http(error: HTTPException) -> ResponseReturnValue:
    if error.response is not None or (error.code or 500) < 400:
        return error
    if error.code in REFUSED:
        log_refusal(REFUSED[error.code])
    response = _answer(error.code or 500, None)
    for name, value in error.get_headers():
        if name in ("Retry-After", "Allow"):
            response.headers[name] = value
    return response


def _answer_portal_error(error: PortalError) -> ResponseReturnValue:
    status = STATUS.get(type(error), 400)
    if status == FORBIDDEN:
        _log_refusal()
    elif type(error) in CONTROLS:
        log_refusal(CONTROLS[type(error)])
    return _answer(status, error.message, error)


def _log_refusal() -> None:
    """Of people and programs that are known: a stranger fills no log."""
    user: User | None = g.get("user")
    who = f"user {user.id}" if user else "a token of the API"
    log.warning("Refused %s: %s %s, not permitted.", who, request.method, request.url_rule)


def _lead_on(error: AssetMerged) -> ResponseReturnValue:
    """The pages of an asset that went into another one are those of that one. Not for good: a
    merge can be taken back."""
    if htmx or is_asked_for():
        return _answer(404, error.message)
    names = request.view_args or {}
    if request.method != "GET" or "asset_id" not in names:
        flash(error.message, "info")
        return redirect(url_for("assets.show", asset_id=error.into_id))
    path = url_for(str(request.endpoint), **names | {"asset_id": error.into_id})
    query = request.query_string.decode("ascii", "replace")
    return redirect(f"{path}?{query}" if query else path)


def _answer_database_down(error: OperationalError) -> ResponseReturnValue:
    log.error("The database does not answer: %s", error.orig)
    return _answer(503, None)


def _answer_mistake(_error: Exception) -> ResponseReturnValue:
    return _answer(500, None)


def _answer(status: int, message: str | None, error: Exception | None = None) -> Response:
    if is_asked_for():
        return make_problem(status, message, error)
    if htmx:
        return toast_response(message or MESSAGES.get(status, MESSAGES[400]), "error", status)
    heading = error.heading if isinstance(error, NotFound) else None
    return make_response(_render(status, message, heading), status)


def _render(status: int, message: str | None, heading: str | None) -> str:
    """With the menu, where the portal and its database answer; else the page needs nobody."""
    page = status if status in PAGES else 400 if status < 500 else 500
    if status >= 500 or status == TOO_MANY:
        g.user = None
    try:
        return render_template(
            f"errors/{page}.html",
            message=message,
            heading=heading,
            list_url=_find_list() if status == NOT_FOUND else None,
        )
    except Exception:
        # The page itself failed (a broken database, say): plain words still help.
        log.exception("The error page for %s failed at %s.", status, request.url_rule)
        if g.get("user") is None:
            return message or MESSAGES.get(status, MESSAGES[500])
    g.user = None
    return _render(status, message, heading)


def _find_list() -> str | None:
    """Of the area in which somebody looked for something that is not there."""
    endpoint = f"{request.blueprint}.index"
    try:
        return url_for(endpoint) if endpoint in current_app.view_functions else None
    except BuildError:  # outside of any tenant that they may see
        return None


def toast_response(message: str, category: str, status: int = 200) -> Response:
    """An answer to htmx that changes nothing on the page but shows `message`."""
    response = current_app.response_class("", status)
    response.headers["HX-Reswap"] = "none"
    response.headers["HX-Trigger"] = toast_trigger(message, category)
    return response


def toast_trigger(
    message: str, category: str, undo: int | None = None, triggers: Sequence[str] = ()
) -> str:
    """The value of an HX-Trigger header that shows a toast, and lets parts of the page know that
    something happened. `undo`: the number of the offer to take it back. ASCII, as headers must
    be."""
    toast: dict[str, Any] = {"message": message, "category": category}
    if undo is not None:
        toast["undo"] = {"id": undo, "url": url_for("undo.press", offer_id=undo)}
    return json.dumps({"toast": toast} | dict.fromkeys(triggers, ""))
