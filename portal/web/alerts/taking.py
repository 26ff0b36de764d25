"""Acknowledging and assigning: of one alert on its page, of many in the list."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from flask import flash, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue

from portal.errors import InvalidInput, NotFound
from portal.extensions import htmx
from portal.models import Errand
from portal.services.accounts.permissions import Permission
from portal.services.alerts.acknowledging import acknowledge, unacknowledge
from portal.services.alerts.assigning import assign
from portal.services.alerts.choosing import MOST_BY_WORKER, MOST_MATCHING, Which, list_chosen
from portal.services.alerts.listing import get_alert
from portal.services.alerts.many import request_many
from portal.services.alerts.results import AlertAction
from portal.services.alerts.taking import Taken
from portal.services.errands.requests import TooManyWaiting
from portal.web.alerts.filters import read_chosen
from portal.web.alerts.views import alerts
from portal.web.errands.following import follow
from portal.web.fragments import find_way_back, flash_done, with_toast
from portal.web.guard import requires
from portal.web.input import to_id

NOBODY = "nobody"

Acted = tuple[Taken | None, list[Errand]]
"""What the portal did itself, and what a worker will do."""
Deed = Callable[[Which], Taken]
"""At once, while somebody waits."""


@alerts.post("/acknowledge")
@requires(Permission.ACT_ON_ALERTS)
def acknowledge_many() -> ResponseReturnValue:
    note = request.form.get("note", "")
    action = AlertAction.ACKNOWLEDGE
    return _of_many(lambda which: acknowledge(which, note), action, lambda: {"note": note})


@alerts.post("/assign")
@requires(Permission.ACT_ON_ALERTS)
def assign_many() -> ResponseReturnValue:
    action = AlertAction.ASSIGN
    return _of_many(lambda which: assign(which, _read_person()), action, _read_assignment)


@alerts.post("/<int:alert_id>/acknowledge")
@requires(Permission.ACT_ON_ALERTS)
def acknowledge_one(alert_id: int) -> ResponseReturnValue:
    return _of_one(alert_id, lambda which: acknowledge(which, request.form.get("note", "")))


@alerts.post("/<int:alert_id>/unacknowledge")
@requires(Permission.ACT_ON_ALERTS)
def unacknowledge_one(alert_id: int) -> ResponseReturnValue:
    return _of_one(alert_id, unacknowledge)


@alerts.post("/<int:alert_id>/assign")
@requires(Permission.ACT_ON_ALERTS)
def assign_one(alert_id: int) -> ResponseReturnValue:
    return _of_one(alert_id, lambda which: assign(which, _read_person()))


def _of_many(
    do: Deed, action: AlertAction, read_details: Callable[[], dict[str, Any]]
) -> ResponseReturnValue:
    """At once, or as `action` by a worker, with these details."""
    which = read_chosen()

    def act() -> Acted:
        ids = list_chosen(which, MOST_BY_WORKER)
        if len(ids) <= MOST_MATCHING:
            return do(which), []
        return None, [request_many(action, ids, **read_details())]

    return answer_many(act)


def answer_many(act: Callable[[], Acted]) -> ResponseReturnValue:
    """What was done is told, and the list reads itself again. What a worker does is shown as
    pending; with its outcome the list reads itself again. Without htmx it leads back."""
    back = find_way_back(url_for("alerts.index"))
    try:
        taken, errands = act()
    except (InvalidInput, NotFound, TooManyWaiting) as error:
        if htmx:
            raise
        flash(error.message, "error")
        return redirect(back)
    for errand in errands:
        follow(errand)
    if not htmx:
        if taken:
            flash_taken(taken)
        return redirect(back)
    shown = "".join(render_template("errands/_errand.html", errand=each) for each in errands)
    if taken is None:
        return shown
    text, category = _describe(taken)
    response = with_toast(shown, text, category, undo=taken.undo, triggers=["alerts-changed"])
    if not errands:  # what is shown of others stays
        response.headers["HX-Reswap"] = "none"
    return response


def flash_taken(taken: Taken) -> None:
    text, category = _describe(taken)
    flash_done(text, taken.undo, category)


def _of_one(alert_id: int, do: Deed) -> ResponseReturnValue:
    get_alert(alert_id)
    try:
        flash_taken(do([alert_id]))
    except InvalidInput as error:
        flash(error.message, "error")
    return redirect(url_for("alerts.show", alert_id=alert_id))


def _describe(taken: Taken) -> tuple[str, str]:
    """A sentence, with the reason if it is one; and its tone."""
    reasons = {failure.reason for failure in taken.failures}
    if not reasons:
        return taken.summary, "success"
    why = reasons.pop() if len(reasons) == 1 else ""
    text = f"{taken.summary} {why}" if taken.done else why or taken.summary
    return text.strip(), "success" if taken.done else "warning"


def _read_assignment() -> dict[str, Any]:
    return {"to": _read_person()}


def _read_person() -> int | None:
    """The membership that was chosen; None for nobody. Raises InvalidInput."""
    word = request.form.get("assigned_to", "")
    if word == NOBODY:
        return None
    try:
        return to_id(word)
    except ValueError as error:
        raise InvalidInput("Choose whom to assign.", field="assigned_to") from error
