"""Resolving and snoozing: for hours in the portal alone, at once; the rest by a worker."""

from __future__ import annotations

from datetime import datetime, timedelta

from flask import flash, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue

from portal.clock import utc_now
from portal.errors import InvalidInput, NotFound
from portal.extensions import htmx
from portal.models import Errand
from portal.services.accounts.permissions import Permission
from portal.services.alerts.actions import request_action
from portal.services.alerts.choosing import (
    MOST_IN_TACTICAL,
    MOST_MATCHING,
    Which,
    list_chosen,
)
from portal.services.alerts.listing import get_alert
from portal.services.alerts.results import AlertAction
from portal.services.alerts.snoozing import find_morning, list_snoozed_here, snooze, unsnooze
from portal.services.alerts.taking import Taken
from portal.services.errands.requests import TooManyWaiting
from portal.web.alerts.filters import read_chosen
from portal.web.alerts.taking import flash_taken, tell_many
from portal.web.alerts.views import alerts
from portal.web.errands.following import follow
from portal.web.fragments import find_way_back
from portal.web.guard import requires
from portal.web.input import to_number

HOURS = {"1h": 1, "4h": 4}
MORNING = "morning"


@alerts.post("/act")
@requires(Permission.ACT_ON_ALERTS)
def act_on_many() -> ResponseReturnValue:
    """What a worker does is shown as pending; with its outcome the list reads itself again."""
    back = find_way_back(url_for("alerts.index"))
    try:
        taken, errand = _do(read_chosen())
    except (InvalidInput, NotFound, TooManyWaiting) as error:
        if htmx:
            raise
        flash(error.message, "error")
        return redirect(back)
    shown = render_template("errands/_errand.html", errand=errand) if errand and htmx else ""
    return tell_many(taken, back, shown) if taken else shown or redirect(back)


@alerts.post("/<int:alert_id>/act")
@requires(Permission.ACT_ON_ALERTS)
def act(alert_id: int) -> ResponseReturnValue:
    get_alert(alert_id)
    try:
        taken, _errand = _do([alert_id])
    except TooManyWaiting as error:
        flash(error.message, "error")
    else:
        if taken:
            flash_taken(taken)
    return redirect(url_for("alerts.show", alert_id=alert_id))


def _do(which: Which) -> tuple[Taken | None, Errand | None]:
    """What the portal did itself, and what a worker will do."""
    action, until, taken = _read_action(), _read_end(), None
    if action is AlertAction.SNOOZE and until is not None:
        return snooze(which, until), None
    wakes = action is AlertAction.UNSNOOZE  # which the portal does itself where it snoozed
    ids = list_chosen(which, MOST_MATCHING if wakes else MOST_IN_TACTICAL)
    here = list_snoozed_here(ids) if wakes else []
    if here:
        taken = unsnooze(here)
        ids = sorted(set(ids) - set(here))
        if not ids:
            return taken, None
    errand = request_action(action, ids, _read_days())
    follow(errand)
    return taken, errand


def _read_action() -> AlertAction:
    word = request.form.get("action", "")
    if word not in list(AlertAction):
        raise InvalidInput("Choose what to do: resolve, snooze or unsnooze.")
    return AlertAction(word)


def _read_end() -> datetime | None:
    """Of a snooze in the portal; None for days, which are Tactical's."""
    word = request.form.get("snooze_for", "")
    if word == MORNING:
        return find_morning(request.form.get("zone", ""))
    return utc_now() + timedelta(hours=HOURS[word]) if word in HOURS else None


def _read_days() -> int | None:
    return to_number(request.form.get("snooze_for", "").removesuffix("d"))
