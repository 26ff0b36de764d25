"""Acknowledging alerts: a person says that they know, and reminders of the present occurrence end.
Tactical hears nothing of it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from datetime import datetime
from typing import Any

from sqlalchemy.orm import Session

from portal.clock import iso_utc, utc_now
from portal.db import transaction
from portal.errors import InvalidInput, Refused
from portal.models import AlertHandling
from portal.models.alerts.timeline import TimelineKind
from portal.models.events.event import EventType
from portal.models.undo.offer import UndoKind
from portal.services.alerts.choosing import Which, list_chosen
from portal.services.alerts.links import invalid_link
from portal.services.alerts.occurrences import Occurrence, hold_current
from portal.services.alerts.taking import Deed, Taken, check_unchanged, offered, part, write_down
from portal.services.audit.actions import Action
from portal.services.audit.actor import Actor, current_actor
from portal.services.audit.values import gathered
from portal.services.undo.offers import tell_undone

LONGEST_NOTE = 1000
OVER = "The alert is over, so there is nothing to acknowledge any more."
_NOTHING: dict[str, Any] = {"acknowledged_at": None, "acknowledged_by": None, "note": None}


@dataclass(frozen=True, slots=True)
class _Acknowledgement:
    """As an offer to undo keeps it. `at`: ISO 8601."""

    handling_id: int
    at: str
    by: str | None
    note: str | None

    @classmethod
    def read(cls, occurrence: Occurrence) -> _Acknowledgement:
        handling = occurrence.handling
        at = handling.acknowledged_at or utc_now()
        who, note = handling.acknowledged_by, handling.acknowledgement
        return cls(handling.id, at.isoformat(), who, note)

    @property
    def facts(self) -> dict[str, Any]:
        """As the audit trail has it."""
        at = iso_utc(datetime.fromisoformat(self.at))
        return dict(zip(_NOTHING, (at, self.by, self.note), strict=True))


def acknowledge(
    which: Which, note: str = "", by: str | None = None, actor: Actor | None = None
) -> Taken:
    """The present occurrences of these alerts. `by`: in words; None for the address of whoever
    acts.

    Those that are over or acknowledged already are left as they are. Raises InvalidInput, and
    NotFound if there are none of them.
    """
    ids = list_chosen(which)
    with transaction() as session:
        taken = acknowledge_held(session, hold_current(session, ids), note, by, actor)
    return offered(taken, UndoKind.ACKNOWLEDGED)


def acknowledge_linked(handling_id: int, by: str | None, note: str, actor: Actor | None) -> Taken:
    """The occurrence that a link was made for. Acknowledged already, it stays as it is.

    Raises InvalidInput, NotFound for one that is not there any more, and Refused once it is over.
    """
    with transaction() as session:
        handling = session.get(AlertHandling, handling_id)
        if handling is None:
            raise invalid_link()
        held = hold_current(session, [handling.alert_id])
        if held[0].handling.id != handling_id or held[0].is_over:
            raise Refused(OVER)
        return acknowledge_held(session, held, note, by, actor)


def unacknowledge(which: Which) -> Taken:
    """Take it back. Raises as `acknowledge` does."""
    ids = list_chosen(which)
    with transaction() as session:
        done, failures = part(hold_current(session, ids), _obstacle_to_taking_back)
        was = [_Acknowledgement.read(each) for each in done]
        _unacknowledge(session, done)
    change = {"was": [asdict(each) for each in was]}
    taken = Taken("not acknowledged any more", done, failures, change)
    return offered(taken, UndoKind.UNACKNOWLEDGED)


def take_back_acknowledging(alert_ids: Sequence[int], at: str) -> str:
    """Undo `acknowledge`, of those whose acknowledgement is still that of this moment."""
    then = datetime.fromisoformat(at)
    with transaction() as session:
        held = hold_current(session, alert_ids)
        done = [each for each in held if each.handling.acknowledged_at == then]
        check_unchanged(done)
        _unacknowledge(session, done)
    return tell_undone("acknowledged", len(done), len(alert_ids), "alert")


def take_back_unacknowledging(alert_ids: Sequence[int], was: Sequence[dict[str, Any]]) -> str:
    """Undo `unacknowledge`, of those that nobody has acknowledged since, and that are not over."""
    known = {each["handling_id"]: _Acknowledgement(**each) for each in was}
    with transaction() as session:
        held = hold_current(session, alert_ids)
        done = [each for each in held if each.handling.id in known and not _obstacle(each)]
        check_unchanged(done)
        for each in done:
            its = known[each.handling.id]
            each.handling.acknowledged_at = datetime.fromisoformat(its.at)
            each.handling.acknowledged_by, each.handling.acknowledgement = its.by, its.note
        text = f"{current_actor().name} left the acknowledgement as it was."
        kind, action = TimelineKind.ACKNOWLEDGED, Action.ALERTS_ACKNOWLEDGED
        before = [_NOTHING] * len(done)
        values = gathered((each.alert.id, known[each.handling.id].facts) for each in done)
        write_down(session, done, Deed(kind, text, action, values, before=before))
    number = len(alert_ids)
    return tell_undone("took the acknowledgement of", len(done), number, "alert", " back")


def _unacknowledge(session: Session, done: Sequence[Occurrence]) -> None:
    now, who = utc_now(), current_actor().name
    before = [_Acknowledgement.read(each).facts for each in done]
    for each in done:
        handling = each.handling
        handling.acknowledged_at = handling.acknowledged_by = handling.acknowledgement = None
        handling.due_at = now  # what was planned goes on
    text, action = f"{who} took the acknowledgement back.", Action.ALERTS_UNACKNOWLEDGED
    write_down(
        session, done, Deed(TimelineKind.ACKNOWLEDGED, text, action, _NOTHING, before=before)
    )


def _clean_note(note: str) -> str:
    """Without outer blanks. Raises InvalidInput for one that is too long."""
    note = note.strip()
    if len(note) > LONGEST_NOTE:
        raise InvalidInput(f"Use at most {LONGEST_NOTE} characters for the note.", field="note")
    return note


def acknowledge_held(
    session: Session,
    held: Sequence[Occurrence],
    note: str,
    by: str | None = None,
    actor: Actor | None = None,
    at: datetime | None = None,
) -> Taken:
    """Those that are held, in the caller's transaction. `at`: when it was asked for, if not now.
    Raises InvalidInput."""
    note = _clean_note(note)
    done, failures = part(held, _obstacle)
    at, who = at or utc_now(), by or current_actor().name
    for each in done:
        each.handling.acknowledged_at, each.handling.acknowledged_by = at, who
        each.handling.acknowledgement = note or None
    values: dict[str, Any] = {"acknowledged_at": iso_utc(at), "acknowledged_by": who}
    values |= {"note": note or None}
    text = f"Acknowledged by {who}: {note}" if note else f"Acknowledged by {who}."
    kind, action = TimelineKind.ACKNOWLEDGED, Action.ALERTS_ACKNOWLEDGED
    before, event = [_NOTHING] * len(done), EventType.ALERT_ACKNOWLEDGED
    deed = Deed(kind, text, action, values, event, actor, before)
    write_down(session, done, deed)
    return Taken("acknowledged", done, failures, {"at": at.isoformat()})


def _obstacle(occurrence: Occurrence) -> str | None:
    if occurrence.is_over:
        return OVER
    if occurrence.handling.acknowledged_at is not None:
        return f"The alert is acknowledged already, by {occurrence.handling.acknowledged_by}."
    return None


def _obstacle_to_taking_back(occurrence: Occurrence) -> str | None:
    return None if occurrence.handling.acknowledged_at else "The alert is not acknowledged."
