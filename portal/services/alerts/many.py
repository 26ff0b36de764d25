"""What the portal itself does to more alerts than somebody waits for: asked for, and done some at a
time by a worker."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass
from datetime import datetime
from typing import Any, Final

from sqlalchemy.orm import Session

from portal.clock import utc_now
from portal.db import db
from portal.errors import NotFound
from portal.models import Errand
from portal.models.errands.errand import ErrandKind
from portal.models.undo.offer import UndoKind
from portal.services.alerts.acknowledging import acknowledge_held
from portal.services.alerts.assigning import assign_held, find_assignee
from portal.services.alerts.occurrences import Occurrence, hold_current
from portal.services.alerts.results import ActionResult, AlertAction
from portal.services.alerts.snoozing import check_end, hold_alone, snooze_held, unsnooze_held
from portal.services.alerts.taking import Taken
from portal.services.audit.actor import current_actor
from portal.services.errands.requests import request_errand
from portal.services.undo.offers import offer_undo
from portal.wording import plural

Wanted = Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class _Deed:
    """How the alerts are held, and what is done to those that are, in the caller's transaction."""

    undo: UndoKind
    hold: Callable[[Session, Sequence[int]], list[Occurrence]]
    do: Callable[[Session, Sequence[Occurrence], Wanted], Taken]


def request_many(action: AlertAction, alert_ids: Sequence[int], **details: Any) -> Errand:
    """Have a worker do it, in the name of whoever asks. `details`: `note` of an acknowledgement,
    `to` of an assignment (a membership, or None), `until` of a snooze (ISO 8601).

    Raises InvalidInput as the deed does, and TooManyWaiting.
    """
    deed, by = _DEEDS[action], asdict(current_actor())
    at = utc_now().isoformat()
    wanted: dict[str, Any] = {"deed": action, "alert_ids": alert_ids, "at": at, "by": by} | details
    nothing = deed.do(db.session(), [], wanted)  # says what is wrong with the details
    wanted["undo"] = offer_undo(deed.undo, {"alert_ids": []} | nothing.change)
    title = f"{action.verb} {plural(len(alert_ids), 'alert')}"
    return request_errand(ErrandKind.ACT_ON_ALERTS, title, wanted)


def take(
    session: Session, action: AlertAction, alert_ids: Sequence[int], wanted: Wanted
) -> tuple[ActionResult, dict[str, Any]]:
    """Of a few of them, in the caller's transaction. `wanted`: as `request_many` keeps it. Also
    returns what the offer to undo it has to know of these."""
    deed = _DEEDS[action]
    try:
        held = [each for each in deed.hold(session, alert_ids) if not each.is_over]
    except NotFound:
        held = []
    taken = deed.do(session, held, wanted)
    over = sorted(set(alert_ids) - {each.alert.id for each in held})
    result = ActionResult(action, taken.ids, taken.failures, over)
    return result, {"alert_ids": taken.ids} | taken.change


def _acknowledge(session: Session, held: Sequence[Occurrence], wanted: Wanted) -> Taken:
    at = datetime.fromisoformat(wanted["at"])
    return acknowledge_held(session, held, wanted["note"], at=at)


def _assign(session: Session, held: Sequence[Occurrence], wanted: Wanted) -> Taken:
    return assign_held(session, held, find_assignee(wanted["to"]))


def _snooze(session: Session, held: Sequence[Occurrence], wanted: Wanted) -> Taken:
    until = datetime.fromisoformat(wanted["until"])
    check_end(until)
    return snooze_held(session, held, until)


def _unsnooze(session: Session, held: Sequence[Occurrence], _wanted: Wanted) -> Taken:
    return unsnooze_held(session, held)


_DEEDS: Final = {
    AlertAction.ACKNOWLEDGE: _Deed(UndoKind.ACKNOWLEDGED, hold_current, _acknowledge),
    AlertAction.ASSIGN: _Deed(UndoKind.ASSIGNED, hold_current, _assign),
    AlertAction.SNOOZE_HERE: _Deed(UndoKind.SNOOZED, hold_alone, _snooze),
    AlertAction.UNSNOOZE_HERE: _Deed(UndoKind.UNSNOOZED, hold_alone, _unsnooze),
}
