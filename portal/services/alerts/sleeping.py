"""Undoing what was asked of Tactical: that alerts are snoozed for days, or are not any more."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta
from math import ceil

from sqlalchemy import select

from portal.chunks import chunked
from portal.clock import utc_now
from portal.db import db
from portal.errors import Refused
from portal.models import Alert, Errand
from portal.models.alerts.alert import AlertStatus
from portal.services.alerts.actions import request_action
from portal.services.alerts.occurrences import MOST_AT_ONCE
from portal.services.alerts.results import AlertAction
from portal.services.alerts.snoozing import LONGEST, snooze
from portal.services.undo.offers import CHANGED_SINCE, tell_undone

NOT_YET = "Tactical has not snoozed them yet, or they were changed since, so nothing was undone."
ABOUT = timedelta(hours=1)
"""The clocks of two servers and the work between them."""
DAY = timedelta(days=1)


def take_back_snoozing_days(alert_ids: Sequence[int], days: int, at: str) -> list[Errand]:
    """Those that Tactical snoozed for so many days from that moment are to be active again. Raises
    Refused for none."""
    until = datetime.fromisoformat(at) + timedelta(days=days)
    ids = db.session.scalars(
        select(Alert.id).where(
            Alert.id.in_(alert_ids),
            Alert.status == AlertStatus.SNOOZED,
            Alert.snoozed_by.is_(None),
            Alert.snoozed_until.between(until - ABOUT, until + ABOUT),
        )
    ).all()
    if not ids:
        raise Refused(NOT_YET)
    return [request_action(AlertAction.UNSNOOZE, ids)]


def take_back_waking(was: Sequence[tuple[int, str]]) -> str | list[Errand]:
    """Those that are active still are to sleep until the end that their snooze had: in the portal
    where that is soon, and else in Tactical, by whole days. Raises Refused for none."""
    now = utc_now()
    ends = {alert_id: datetime.fromisoformat(end) for alert_id, end in was}
    active = select(Alert.id).where(Alert.id.in_(list(ends)), Alert.status == AlertStatus.ACTIVE)
    ids = [each for each in db.session.scalars(active) if ends[each] > now]
    if not ids:
        raise Refused(CHANGED_SINCE)
    soon: dict[datetime, list[int]] = {}
    later: dict[int, list[int]] = {}
    for each in ids:
        if ends[each] <= now + LONGEST:
            soon.setdefault(ends[each], []).append(each)
        else:
            later.setdefault(ceil((ends[each] - now) / DAY), []).append(each)
    for until, ending in soon.items():
        for some in chunked(ending, MOST_AT_ONCE):
            snooze(some, until)
    asked = [request_action(AlertAction.SNOOZE, some, days) for days, some in later.items()]
    return asked or tell_undone("made", len(ids), len(was), "alert", " active")
