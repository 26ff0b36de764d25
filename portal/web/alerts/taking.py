"""Acknowledging and assigning: of one alert on its page, of many in the list."""

from __future__ import annotations

from collections.abc import Callable

from flask import flash, redirect, request, url_for
from flask.typing import ResponseReturnValue

from portal.errors import InvalidInput, NotFound
from portal.extensions import htmx
from portal.services.accounts.permissions import Permission
from portal.services.alerts.acknowledging import acknowledge, unacknowledge
from portal.services.alerts.assigning import assign
from portal.services.alerts.choosing import Which
from portal.services.alerts.listing import get_alert
from portal.services.alerts.taking import Taken
from portal.web.alerts.filters import read_chosen
from portal.web.alerts.views import alerts
from portal.web.fragments import find_way_back, flash_done, with_toast
from portal.web.guard import requires
from portal.web.input import to_id

NOBODY = "nobody"

Deed = Callable[[Which], Taken]


@alerts.post("/acknowledge")
@requires(Permission.ACT_ON_ALERTS)
def acknowledge_many() -> ResponseReturnValue:
    return _of_many(lambda which: acknowledge(which, request.form.get("note", "")))


@alerts.post("/assign")
@requires(Permission.ACT_ON_ALERTS)
def assign_many() -> ResponseReturnValue:
    return _of_many(lambda which: assign(which, _read_person()))


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


def _of_many(do: Deed) -> ResponseReturnValue:
    """With the answer the list reads itself again."""
    back = find_way_back(url_for("alerts.index"))
    try:
        taken = do(read_chosen())
    except (InvalidInput, NotFound) as error:
        if htmx:
            raise
        flash(error.message, "error")
        return redirect(back)
    return tell_many(taken, back)


def tell_many(taken: Taken, back: str, fragment: str = "") -> ResponseReturnValue:
    """What was done, and the list reads itself again. Without htmx it leads back."""
    text, category = _describe(taken)
    if not htmx:
        flash_done(text, taken.undo, category)
        return redirect(back)
    return with_toast(fragment, text, category, undo=taken.undo, triggers=["alerts-changed"])


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


def _read_person() -> int | None:
    """The membership that was chosen; None for nobody. Raises InvalidInput."""
    word = request.form.get("assigned_to", "")
    if word == NOBODY:
        return None
    try:
        return to_id(word)
    except ValueError as error:
        raise InvalidInput("Choose whom to assign.", field="assigned_to") from error
