"""Resolving and snoozing: for hours in the portal alone, at once; the rest by a worker."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta

from flask import flash, redirect, request, url_for
from flask.typing import ResponseReturnValue

from portal.clock import utc_now
from portal.errors import InvalidInput
from portal.services.accounts.permissions import Permission
from portal.services.alerts.actions import request_action
from portal.services.alerts.choosing import MOST_BY_WORKER, MOST_MATCHING, Which, list_chosen
from portal.services.alerts.listing import get_alert
from portal.services.alerts.many import request_many
from portal.services.alerts.results import IN_TACTICAL, AlertAction
from portal.services.alerts.snoozing import find_morning, list_snoozed_here, snooze, unsnooze
from portal.services.errands.requests import TooManyWaiting
from portal.web.alerts.filters import read_chosen
from portal.web.alerts.taking import Acted, answer_many, flash_taken
from portal.web.alerts.views import alerts
from portal.web.errands.following import follow
from portal.web.guard import requires
from portal.web.input import to_number

HOURS = {"1h": 1, "4h": 4}
MORNING = "morning"


@alerts.post("/act")
@requires(Permission.ACT_ON_ALERTS)
def act_on_many() -> ResponseReturnValue:
    return answer_many(lambda: _do(read_chosen()))


@alerts.post("/<int:alert_id>/act")
@requires(Permission.ACT_ON_ALERTS)
def act(alert_id: int) -> ResponseReturnValue:
    get_alert(alert_id)
    try:
        taken, errands = _do([alert_id])
    except TooManyWaiting as error:
        flash(error.message, "error")
    else:
        for errand in errands:
            follow(errand)
        if taken:
            flash_taken(taken)
    return redirect(url_for("alerts.show", alert_id=alert_id))


def _do(which: Which) -> Acted:
    action, until = _read_action(), _read_end()
    ids = list_chosen(which, MOST_BY_WORKER)
    if action is AlertAction.SNOOZE and until is not None:
        if len(ids) <= MOST_MATCHING:
            return snooze(which, until), []
        return None, [request_many(AlertAction.SNOOZE_HERE, ids, until=until.isoformat())]
    here = list_snoozed_here(ids) if action is AlertAction.UNSNOOZE else []
    there = sorted(set(ids) - set(here))
    taken, errands = _wake(here) if here else (None, [])
    if there:
        errands.append(request_action(action, there, _read_days()))
    return taken, errands


def _wake(here: Sequence[int]) -> Acted:
    """Those that the portal itself snoozed."""
    if len(here) <= MOST_MATCHING:
        return unsnooze(here), []
    return None, [request_many(AlertAction.UNSNOOZE_HERE, here)]


def _read_action() -> AlertAction:
    word = request.form.get("action", "")
    if word not in IN_TACTICAL:
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
