"""Snoozing alerts in the portal alone, for hours: Tactical snoozes whole days, and is not told.

A snooze ends by the clock: whatever decides about alerts asks first which have ended.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime, time, timedelta
from zoneinfo import ZoneInfo

from sqlalchemy import ColumnElement, and_, select
from sqlalchemy.orm import Session

from portal.clock import iso_utc, utc_now
from portal.db import db, transaction
from portal.errors import InvalidInput
from portal.models import Alert
from portal.models.alerts.alert import AlertStatus
from portal.models.alerts.timeline import TimelineKind
from portal.models.events.event import EventType
from portal.models.undo.offer import UndoKind
from portal.scope import beyond_clients
from portal.services.alerts.choosing import MOST_MATCHING, Which, list_chosen
from portal.services.alerts.occurrences import Occurrence, check_ids, hold_current
from portal.services.alerts.taking import Deed, Taken, check_unchanged, offered, part, write_down
from portal.services.audit.actions import Action
from portal.services.audit.actor import current_actor
from portal.services.audit.values import Values
from portal.services.undo.offers import tell_undone
from portal.sync.alerts.locks import lock_alerts
from portal.wording import say_moment

LONGEST = timedelta(days=2)
"""What is longer is snoozed by days, in Tactical."""
MORNING = time(8)
OVER = "The alert is over, so there is nothing to snooze."
ENDED = "The snooze ended, so it is active again."
AT_ONCE = 200

_End = tuple[int, str]
"""The id of an alert, and when its snooze ends, as ISO 8601."""


def find_morning(zone: str) -> datetime:
    """Tomorrow at eight by the clocks of a time zone, UTC where that is not known."""
    try:
        place = ZoneInfo(zone or "UTC")
    except (ValueError, OSError, KeyError):
        place = ZoneInfo("UTC")
    tomorrow = utc_now().astimezone(place).date() + timedelta(days=1)
    return datetime.combine(tomorrow, MORNING, tzinfo=place).astimezone(ZoneInfo("UTC"))


def snooze(which: Which, until: datetime, by: str | None = None) -> Taken:
    """These alerts, in the portal alone. `by`: in words; None for the address of whoever acts.

    Those that are over, or that Tactical itself keeps quiet about, are left as they are. Raises
    InvalidInput, and NotFound if there are none of them.
    """
    ids = list_chosen(which)
    check_end(until)
    with transaction() as session:
        taken = snooze_held(session, hold_alone(session, ids), until, by)
    return offered(taken, UndoKind.SNOOZED)


def check_end(until: datetime) -> None:
    """Raises InvalidInput."""
    if not utc_now() < until <= utc_now() + LONGEST:
        raise InvalidInput(
            "The portal snoozes for two days at most, and not into the past. For longer, choose a "
            "number of days, which Tactical counts.",
            field="snooze_for",
        )


def snooze_held(
    session: Session, held: Sequence[Occurrence], until: datetime, by: str | None = None
) -> Taken:
    """Those that `hold_alone` holds, in the caller's transaction."""
    done, failures = part(held, _find_obstacle)
    change = {"until": until.isoformat(), "was": _read_ends(done)}
    _put_to_sleep(session, done, until, by or current_actor().name)
    return Taken("snoozed", done, failures, change)


def unsnooze(alert_ids: Sequence[int]) -> Taken:
    """Those of them that are snoozed in the portal alone. Raises as `snooze` does."""
    ids = check_ids(alert_ids, MOST_MATCHING)
    with transaction() as session:
        taken = unsnooze_held(session, hold_alone(session, ids))
    return offered(taken, UndoKind.UNSNOOZED)


def unsnooze_held(session: Session, held: Sequence[Occurrence]) -> Taken:
    """As `snooze_held`."""
    done, failures = part(held, _find_obstacle_to_waking)
    change = {"was": _read_ends(done)}
    _end_by_hand(session, done)
    return Taken("active again", done, failures, change)


def take_back_snoozing(alert_ids: Sequence[int], until: str, was: Sequence[_End]) -> str:
    """Undo `snooze`, of those that still sleep until that moment: what slept before does so until
    its own end."""
    then, ends = datetime.fromisoformat(until), _to_ends(was)
    with transaction() as session:
        held = hold_alone(session, alert_ids)
        done = [each for each in held if each.alert.snoozed_by and each.alert.snoozed_until == then]
        check_unchanged(done)
        _end_by_hand(session, [each for each in done if each.alert.id not in ends])
        for end, some in _by_end(done, ends).items():
            _put_to_sleep(session, some, end, current_actor().name)
    return tell_undone("snoozed", len(done), len(alert_ids), "alert")


def take_back_unsnoozing(alert_ids: Sequence[int], was: Sequence[_End]) -> str:
    """Undo `unsnooze`, of those that are active still and whose snooze would not have ended."""
    ends = _to_ends(was)
    with transaction() as session:
        held = hold_alone(session, alert_ids)
        done = [
            each for each in held if each.alert.status is AlertStatus.ACTIVE and not each.is_over
        ]
        groups = _by_end(done, ends)
        done = [each for some in groups.values() for each in some]
        check_unchanged(done)
        for end, some in groups.items():
            _put_to_sleep(session, some, end, current_actor().name)
    return tell_undone("made", len(done), len(alert_ids), "alert", " active")


def list_snoozed_here(alert_ids: Sequence[int]) -> list[int]:
    """Those of them that are snoozed in the portal alone."""
    snoozed = select(Alert.id).where(Alert.id.in_(alert_ids), Alert.snoozed_by.is_not(None))
    return list(db.session.scalars(snoozed))


def end_due_snoozes() -> None:
    """Make active again what has slept enough, of the scope's tenant."""
    ended = AT_ONCE
    while ended == AT_ONCE:
        query = select(Alert.id).where(_has_ended()).order_by(Alert.id).limit(AT_ONCE)
        ids = list(db.session.scalars(query))
        ended = len(ids)
        if ids:
            _end(ids)


def list_tenants_with_ended_snoozes() -> list[int]:
    """Across tenants."""
    return list(db.session.scalars(select(Alert.tenant_id).where(_has_ended()).distinct()))


def _end(alert_ids: Sequence[int]) -> None:
    with transaction() as session:
        now = utc_now()
        held = [each for each in hold_alone(session, alert_ids) if _is_over(each.alert, now)]
        _wake(held)
        kind, event = TimelineKind.SNOOZED, EventType.ALERT_UNSNOOZED
        write_down(session, held, Deed(kind, ENDED, None, {"unsnoozed_by": None}, event))


def _put_to_sleep(session: Session, done: Sequence[Occurrence], until: datetime, who: str) -> None:
    before = _read_sleep(done)
    for each in done:
        alert = each.alert
        alert.status, alert.snoozed_until, alert.snoozed_by = AlertStatus.SNOOZED, until, who
    _write_held(session)
    text = f"Snoozed in the portal until {say_moment(until)} by {who}."
    values = {"snoozed_until": iso_utc(until), "snoozed_by": who}
    action, event = Action.ALERTS_SNOOZED, EventType.ALERT_SNOOZED
    kind = TimelineKind.SNOOZED
    write_down(session, done, Deed(kind, text, action, values, event, before=before))


def _end_by_hand(session: Session, done: Sequence[Occurrence]) -> None:
    before = _read_sleep(done)
    _wake(done)
    _write_held(session)
    who = current_actor().name
    text, values = f"{who} ended the snooze.", {"unsnoozed_by": who}
    action, event = Action.ALERTS_UNSNOOZED, EventType.ALERT_UNSNOOZED
    kind = TimelineKind.SNOOZED
    write_down(session, done, Deed(kind, text, action, values, event, before=before))


def _read_sleep(held: Sequence[Occurrence]) -> list[Values]:
    """For the audit trail."""
    pairs = [(each.alert.snoozed_until, each.alert.snoozed_by) for each in held]
    return [{"snoozed_until": end and iso_utc(end), "snoozed_by": who} for end, who in pairs]


def _read_ends(held: Sequence[Occurrence]) -> list[_End]:
    """Of those that sleep in the portal, as an offer to undo keeps them."""
    ends = [(each.alert.id, each.alert.snoozed_until) for each in held if each.alert.snoozed_by]
    return [(alert_id, end.isoformat()) for alert_id, end in ends if end is not None]


def _to_ends(was: Sequence[_End]) -> dict[int, datetime]:
    """By alert, without those that have passed."""
    ends = {alert_id: datetime.fromisoformat(end) for alert_id, end in was}
    return {alert_id: end for alert_id, end in ends.items() if end > utc_now()}


def _by_end(
    held: Sequence[Occurrence], ends: Mapping[int, datetime]
) -> dict[datetime, list[Occurrence]]:
    """Those that slept, by when they would have woken."""
    groups: dict[datetime, list[Occurrence]] = {}
    for each in held:
        if each.alert.id in ends:
            groups.setdefault(ends[each.alert.id], []).append(each)
    return groups


def _has_ended() -> ColumnElement[bool]:
    return and_(Alert.snoozed_by.is_not(None), Alert.snoozed_until <= utc_now())


def _is_over(alert: Alert, now: datetime) -> bool:
    """By its row as it is held: it may have been snoozed anew."""
    until = alert.snoozed_until
    return alert.snoozed_by is not None and until is not None and until <= now


def hold_alone(session: Session, alert_ids: Sequence[int]) -> list[Occurrence]:
    """With the writers of alerts kept out, which take over what the row says."""
    theirs = select(Alert.integration_id).where(Alert.id.in_(alert_ids)).distinct()
    for integration_id in sorted(session.scalars(theirs)):
        lock_alerts(session, integration_id)
    return hold_current(session, alert_ids)


def _write_held(session: Session) -> None:
    """They are those of whoever asks; else nobody who is limited to some clients changes alerts."""
    with beyond_clients():
        session.flush()


def _wake(held: Sequence[Occurrence]) -> None:
    now = utc_now()
    for each in held:
        alert = each.alert
        alert.status, alert.snoozed_until, alert.snoozed_by = AlertStatus.ACTIVE, None, None
        if each.handling.over_at is None:
            each.handling.due_at = now  # what was put off goes on


def _find_obstacle(occurrence: Occurrence) -> str | None:
    alert = occurrence.alert
    if occurrence.is_over:
        return OVER
    if alert.status is AlertStatus.SNOOZED and alert.snoozed_by is None:
        return "The alert is snoozed in Tactical. Unsnooze it first."
    return None


def _find_obstacle_to_waking(occurrence: Occurrence) -> str | None:
    return None if occurrence.alert.snoozed_by else "The alert is not snoozed in the portal."
