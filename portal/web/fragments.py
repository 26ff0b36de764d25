"""Answering a page whole, or only the region of it that htmx asked for."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from flask import Response, flash, make_response, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue

from portal.extensions import htmx
from portal.web.errors import toast_trigger
from portal.web.guard import is_safe_target

Query = Mapping[str, str]


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
    undo: int | None = None,
    triggers: Sequence[str] = (),
) -> Response:
    """A fragment that also says what was done, and how to take it back; see `toast_trigger`."""
    response = make_response(text, status)
    response.headers["HX-Trigger"] = toast_trigger(message, category, undo, triggers)
    return response


def flash_done(message: str, undo: int | None = None, category: str = "success") -> None:
    """On the next page: what was done, and how to take it back. `undo`: the number of the offer."""
    if undo is None:
        flash(message, category)
    else:  # as an address: a page of no tenant could not make it. Sessions keep any JSON.
        url = url_for("undo.press", offer_id=undo)
        flash({"message": message, "undo": url}, category)  # type: ignore[arg-type]


def find_way_back(otherwise: str) -> str:
    """Where a form without scripts leads back to."""
    back = request.form.get("next")
    return back if back and is_safe_target(back) else otherwise


def go(url: str) -> ResponseReturnValue:
    """To another page, by htmx or without."""
    return ("", 204, {"HX-Redirect": url}) if htmx else redirect(url)


def page_number() -> int:
    return request.args.get("page", 1, type=int)


def words(name: str, query: Query | None = None) -> str:
    """A filter of the address, or of what stands for one."""
    return (request.args if query is None else query).get(name, "").strip()[:200]
