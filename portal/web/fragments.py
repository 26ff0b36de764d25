"""Answering a page whole, or only the region of it that htmx asked for."""

from __future__ import annotations

from typing import Any

from flask import Response, make_response, redirect, render_template, request
from flask.typing import ResponseReturnValue

from portal.extensions import htmx
from portal.web.errors import Undo, toast_trigger


def page_or_region(whole: str, regions: dict[str, str], /, **context: Any) -> ResponseReturnValue:
    """`regions`: id of the element that htmx replaces -> template of its content.

    On history moves the browser wants the whole page again.
    """
    region = regions.get(htmx.target or "") if htmx and not htmx.history_restore_request else None
    if region is None:
        return render_template(whole, **context)
    return render_template(region, fragment=True, **context)


def with_toast(
    text: str,
    message: str,
    category: str = "success",
    status: int = 200,
    undo: Undo | None = None,
) -> Response:
    """A fragment that also says what was done, and how to take it back."""
    response = make_response(text, status)
    response.headers["HX-Trigger"] = toast_trigger(message, category, undo)
    return response


def go(url: str) -> ResponseReturnValue:
    """To another page, by htmx or without."""
    return ("", 204, {"HX-Redirect": url}) if htmx else redirect(url)


def page_number() -> int:
    return request.args.get("page", 1, type=int)


def words(name: str) -> str:
    """A filter of the address."""
    return request.args.get(name, "").strip()[:200]
