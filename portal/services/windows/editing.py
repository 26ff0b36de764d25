"""Maintenance windows: made, changed, ended before their time, deleted.

What a window kept back before stays as it was. What it keeps back now is looked at anew.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

from sqlalchemy import Select, func, select, update
from sqlalchemy.orm import Session

from portal.clock import utc_now
from portal.db import db, transaction
from portal.errors import InvalidInput, NotFound, Refused
from portal.models import AlertHandling, MaintenanceWindow, Tenant
from portal.models.alerts.handling import HandlingState
from portal.models.undo.offer import UndoKind
from portal.scope import get_tenant_id
from portal.services.audit.actions import Action
from portal.services.audit.record import Target, record
from portal.services.audit.values import differing
from portal.services.lists.ticked import check_ticked
from portal.services.text import LONGEST_LINE
from portal.services.undo.offers import CHANGED_SINCE, offer_undo
from portal.services.windows.loading import select_ahead
from portal.services.windows.occurrences import find_current, find_end
from portal.services.windows.terms import Scope, Window, as_plain, read_window
from portal.wording import plural

MOST_AHEAD = 500
HOURS = (1, 2, 4, 8)
"""That a page offers for maintenance that begins at once."""


def add_window(window: Window, by: str) -> MaintenanceWindow:
    """`by`: the address of a person, or the name of a command. Raises InvalidInput, Refused."""
    with transaction() as session:
        # One at a time; who only adds rows of the tenant does not wait.
        session.get_one(Tenant, get_tenant_id(), with_for_update={"key_share": True})
        row = insert_window(session, window, by)
        if row is None:
            raise InvalidInput("This window would be over already.", field="ends")
        record(Action.WINDOW_ADDED, _target(row), after=describe_window(row))
    return row


def insert_window(session: Session, window: Window, by: str) -> MaintenanceWindow | None:
    """`add_window` inside another service's transaction, which holds the tenant and records it.
    None for a window that would be over already."""
    now = utc_now()
    ahead = select(func.count()).select_from(select_ahead(now).subquery())
    if (session.scalar(ahead) or 0) >= MOST_AHEAD:
        raise Refused(
            f"There are already {MOST_AHEAD} windows in force or to come, which is the most "
            "allowed. Delete some first."
        )
    row = MaintenanceWindow(created_by=by)
    _write(row, window)
    if row.over_at is not None and row.over_at <= now:
        return None
    session.add(row)
    session.flush()
    return row


def begin_maintenance(name: str, scope: Scope, hours: int, by: str) -> MaintenanceWindow:
    """From now on, for some hours. Raises InvalidInput, Refused."""
    if hours not in HOURS:
        offered = ", ".join(map(str, HOURS))
        raise InvalidInput(f"Choose one of these numbers of hours: {offered}.", field="hours")
    starts = utc_now().replace(second=0, microsecond=0, tzinfo=None)
    title = f"Maintenance of {name}"[:LONGEST_LINE]
    window = Window(name=title, zone="UTC", starts=starts, minutes=hours * 60, scope=scope)
    return add_window(window, by)


def change_window(window_id: int, window: Window) -> MaintenanceWindow:
    """Raises NotFound, and Refused for one that was deleted."""
    with transaction() as session:
        row = _lock(session, window_id)
        was, became = update_window(session, row, window)
        if became:
            record(Action.WINDOW_CHANGED, _target(row), was, became)
    return row


def update_window(
    session: Session, row: MaintenanceWindow, window: Window
) -> tuple[dict[str, Any], dict[str, Any]]:
    """`change_window` inside another service's transaction, which records it: what changed, before
    and after."""
    before = describe_window(row)
    _write(row, window)
    was, became = differing(before, describe_window(row))
    if became:
        row.changed_at = utc_now()
        _look_anew(session, row)
    return was, became


def end_window(window_id: int) -> MaintenanceWindow:
    """Its occurrence that is in force; of one that repeats, the next comes all the same.

    Raises NotFound, and Refused when it is not in force.
    """
    now = utc_now()
    with transaction() as session:
        row = _lock(session, window_id)
        if find_current(read_window(row), now) is None:
            raise Refused("This window is not in force now, so there is nothing to end.")
        was = row.ended_at
        row.ended_at = now
        row.over_at = find_end(read_window(row))
        record(Action.WINDOW_ENDED, _target(row), {"ended_at": was}, {"ended_at": now})
        _look_anew(session, row)
    return row


def delete_windows(window_ids: Iterable[int]) -> tuple[str, int | None]:
    """They keep nothing back from now on; the lists of what they kept back stay. What was deleted,
    in words, and the number of the offer to undo it.

    Raises InvalidInput for none, NotFound, and Refused where one is deleted already.
    """
    ids = sorted(check_ticked(window_ids, "window", MOST_AHEAD))
    with transaction() as session:
        rows = [_lock(session, each) for each in ids]
        for row in rows:
            row.deleted_at = utc_now()
            record(Action.WINDOW_DELETED, _target(row), describe_window(row))
            _look_anew(session, row)
    return _name(rows), offer_undo(UndoKind.WINDOW_DELETED, {"window_ids": ids})


def restore_windows(window_ids: Sequence[int]) -> str:
    """They keep back again what is raised from now on. Raises Refused where none is deleted."""
    with transaction() as session:
        chosen = MaintenanceWindow.id.in_(window_ids), MaintenanceWindow.deleted_at.is_not(None)
        query = select(MaintenanceWindow).where(*chosen).order_by(MaintenanceWindow.id)
        rows = session.scalars(query.with_for_update()).all()
        if not rows:
            raise Refused(CHANGED_SINCE)
        for row in rows:
            row.deleted_at = None
            record(Action.WINDOW_RESTORED, _target(row), after=describe_window(row))
    return f"{_name(rows)} {'is' if len(rows) == 1 else 'are'} back."


def _name(rows: Sequence[MaintenanceWindow]) -> str:
    return rows[0].name if len(rows) == 1 else plural(len(rows), "window")


def get_window(window_id: int) -> MaintenanceWindow:
    """Also one that was deleted. Raises NotFound."""
    row = db.session.scalar(_select(window_id))
    if row is None:
        raise NotFound("This maintenance window does not exist.")
    return row


def _lock(session: Session, window_id: int) -> MaintenanceWindow:
    row = session.scalar(_select(window_id).with_for_update())
    if row is None:
        raise NotFound("This maintenance window does not exist.")
    if row.deleted_at is not None:
        raise Refused("This maintenance window was deleted.")
    return row


def _select(window_id: int) -> Select[MaintenanceWindow]:
    chosen = select(MaintenanceWindow).where(MaintenanceWindow.id == window_id)
    return chosen.execution_options(populate_existing=True)


def _write(row: MaintenanceWindow, window: Window) -> None:
    row.name, row.zone, row.minutes = window.name, window.zone, window.minutes
    row.starts = window.starts.isoformat(timespec="minutes")
    row.repeats, row.scope = as_plain(window.repeats), as_plain(window.scope)
    row.over_at = find_end(read_window(row))


def _look_anew(session: Session, row: MaintenanceWindow) -> None:
    """At what it keeps back now: it may end earlier or later, or not be meant any more."""
    session.execute(
        update(AlertHandling)
        .where(AlertHandling.window_id == row.id, AlertHandling.state == HandlingState.HELD)
        .values(due_at=utc_now())
    )


def describe_window(row: MaintenanceWindow) -> dict[str, Any]:
    names = ("name", "zone", "starts", "minutes", "repeats", "scope")
    return {name: getattr(row, name) for name in names}


def _target(row: MaintenanceWindow) -> Target:
    return Target("window", row.id, row.name)
