"""Maintenance windows: the list, one window, the calendar; ended and deleted."""

from __future__ import annotations

from flask import flash, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue

from portal.clock import utc_now
from portal.errors import InvalidInput, Refused
from portal.services.accounts.permissions import Permission
from portal.services.windows import editing
from portal.services.windows.calendar import list_weeks
from portal.services.windows.drafts import list_zones
from portal.services.windows.kept_back import count_kept_back, list_kept_back
from portal.services.windows.listing import (
    find_usual_zone,
    list_ahead,
    list_over,
    view_window,
)
from portal.services.windows.occurrences import list_next
from portal.web.fragments import flash_done, page_number, words
from portal.web.guard import is_safe_target, requires, tenant_blueprint
from portal.web.input import to_id

windows = tenant_blueprint("windows", __name__, "/maintenance")

NEXT_SHOWN = 5


@windows.get("/")
@requires(Permission.READ_RULES)
def index() -> ResponseReturnValue:
    return render_template("windows/list.html", ahead=list_ahead(), over=list_over(page_number()))


@windows.get("/<int:window_id>")
@requires(Permission.READ_RULES)
def show(window_id: int) -> ResponseReturnValue:
    view, now = view_window(window_id), utc_now()
    coming = [] if view.row.deleted_at else list_next(view.terms, now, NEXT_SHOWN)
    return render_template(
        "windows/detail.html",
        view=view,
        coming=coming,
        kept=list_kept_back(window_id, page_number()),
        counts=count_kept_back(window_id),
    )


@windows.get("/calendar")
@requires(Permission.READ_RULES)
def calendar() -> ResponseReturnValue:
    zone = words("zone")
    if zone not in list_zones():
        zone = find_usual_zone()
    ahead = list_ahead()
    views = [*ahead.in_force, *ahead.coming]
    return render_template(
        "windows/calendar.html",
        weeks=list_weeks([view.terms for view in views], utc_now(), zone),
        zone=zone,
        zones=list_zones(),
    )


@windows.post("/<int:window_id>/end")
@requires(Permission.CHANGE_RULES)
def end(window_id: int) -> ResponseReturnValue:
    try:
        row = editing.end_window(window_id)
    except (InvalidInput, Refused) as error:
        flash(error.message, "error")
    else:
        flash(f"Ended {row.name}. What is still active is acted on now.", "success")
    return redirect(_find_target(url_for("windows.show", window_id=window_id)))


@windows.post("/<int:window_id>/delete")
@requires(Permission.CHANGE_RULES)
def delete(window_id: int) -> ResponseReturnValue:
    return _delete([window_id], "The list of what it kept back stays.")


@windows.post("/delete")
@requires(Permission.CHANGE_RULES)
def delete_many() -> ResponseReturnValue:
    chosen = request.form.getlist("window", type=to_id)
    return _delete(chosen, "What was kept back stays in the lists.")


def _delete(window_ids: list[int], rest: str) -> ResponseReturnValue:
    try:
        deleted, undo = editing.delete_windows(window_ids)
    except (InvalidInput, Refused) as error:
        flash(error.message, "error")
    else:
        flash_done(f"Deleted {deleted}. {rest}", undo)
    return redirect(url_for("windows.index"))


def _find_target(otherwise: str) -> str:
    """The page that the button stood on."""
    target = request.form.get("next")
    return target if target and is_safe_target(target) else otherwise
