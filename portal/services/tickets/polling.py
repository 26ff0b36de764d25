"""Asking helpdesks what became of open tickets: many in few requests, every two minutes.

What is closed there is acknowledged here. Where there are more than one turn is enough for, those
that were looked at longest ago come first, and the rest soon after: other helpdesks are waiting.
"""

from __future__ import annotations

import logging
import time
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass
from datetime import timedelta

from sqlalchemy import ColumnElement, and_, exists, select, update

from portal.chunks import chunked
from portal.clock import utc_now
from portal.db import changed_one, count_changed, db, release, transaction
from portal.helpdesks import KINDS
from portal.helpdesks.carefully import withdraw_doubles
from portal.helpdesks.kind import Helpdesk as FarSide
from portal.helpdesks.kind import HelpdeskError, Remote, State
from portal.models import Helpdesk, Ticket, TicketTask
from portal.models.tickets.ticket import TaskStatus, TicketStatus
from portal.services.events.delivery import pause_after
from portal.services.helpdesks.reaching import Way, make_way
from portal.services.tickets.doubts import may_be_double
from portal.services.tickets.seen import take_back, take_over
from portal.services.turns import TURN_SECONDS

log = logging.getLogger(__name__)

EVERY = timedelta(minutes=2)
SOON = timedelta(seconds=20)
REOPENED_WITHIN = timedelta(days=7)
"""So long after a ticket was closed it is seen when a person reopens it in the helpdesk."""


@dataclass(frozen=True, slots=True)
class _Known:
    """A ticket, as the portal knows it."""

    id: int
    reference: str
    touched_by: str | None


def list_helpdesks_to_poll() -> list[tuple[int, int]]:
    """Tenant and helpdesk, of those that have tickets which are open, or were until lately. Across
    tenants."""
    its = Ticket.helpdesk_id == Helpdesk.id
    has_open = exists().where(its, Ticket.status == TicketStatus.OPEN)
    has_closed = exists().where(its, _is_closed_lately())
    rows = db.session.execute(
        select(Helpdesk.tenant_id, Helpdesk.id, Helpdesk.kind, Helpdesk.settings)
        .where(Helpdesk.active, Helpdesk.kind.in_(KINDS), _is_due(), has_open | has_closed)
        .order_by(Helpdesk.id)
    )
    return [(row.tenant_id, row.id) for row in rows if KINDS[row.kind].can_close(row.settings)]


def poll_tickets(helpdesk_id: int) -> int:
    """Ask for all open ones, and for those that were closed lately: somebody may have reopened
    them. How many open ones were told. Does nothing unless due."""
    due = update(Helpdesk).where(Helpdesk.id == helpdesk_id, Helpdesk.active, _is_due())
    with transaction() as session:
        if not changed_one(session, due.values(poll_due_at=utc_now() + EVERY)):
            return 0
    helpdesk = db.session.get(Helpdesk, helpdesk_id, populate_existing=True)
    way, known = make_way(helpdesk) if helpdesk else None, _list_open(helpdesk_id)
    release()  # no transaction waits for somebody else's server
    if way is None or not way.can_close:
        return 0
    try:
        number = _look_around(helpdesk_id, way, known)
    except HelpdeskError as error:
        _fail(helpdesk_id, error)
        return 0
    _succeed(helpdesk_id, timedelta(0) if number == len(known) else SOON)
    return number


def _look_around(helpdesk_id: int, way: Way, known: Sequence[_Known]) -> int:
    """For one turn; how many open ones were told. Raises HelpdeskError."""
    until, number = time.monotonic() + TURN_SECONDS, 0
    far_side, at_once = way.connect(), way.reads_at_once
    for some in chunked(known, at_once):
        if number and time.monotonic() > until:
            break
        _look(helpdesk_id, far_side, some)
        number += len(some)
    _look_back(helpdesk_id, far_side, _list_closed(helpdesk_id, at_once))
    return number


def _is_due() -> ColumnElement[bool]:
    return Helpdesk.poll_due_at.is_(None) | (Helpdesk.poll_due_at <= utc_now())


def _list_open(helpdesk_id: int) -> list[_Known]:
    """Those that were looked at longest ago first."""
    rows = db.session.execute(
        select(Ticket.id, Ticket.reference, Ticket.touched_by)
        .where(
            Ticket.helpdesk_id == helpdesk_id,
            Ticket.status == TicketStatus.OPEN,
            Ticket.reference.is_not(None),
        )
        .order_by(Ticket.read_at.nulls_first(), Ticket.id)
    )
    return [_Known(row.id, row.reference or "", row.touched_by) for row in rows]


def _is_closed_lately() -> ColumnElement[bool]:
    is_recent = Ticket.closed_at > utc_now() - REOPENED_WITHIN
    return and_(Ticket.status == TicketStatus.CLOSED, is_recent, Ticket.reference.is_not(None))


def _list_closed(helpdesk_id: int, most: int) -> list[_Known]:
    """Those that were looked at longest ago."""
    rows = db.session.execute(
        select(Ticket.id, Ticket.reference, Ticket.touched_by)
        .where(Ticket.helpdesk_id == helpdesk_id, _is_closed_lately())
        .order_by(Ticket.read_at.nulls_first(), Ticket.id)
        .limit(most)
    ).all()
    release()
    return [_Known(row.id, row.reference or "", row.touched_by) for row in rows]


def _look_back(helpdesk_id: int, far_side: FarSide, known: Sequence[_Known]) -> None:
    """Raises HelpdeskError."""
    if not known:
        return
    asked_at = utc_now()
    found = far_side.read(sorted({each.reference for each in known}))
    for each in known:
        remote = found.get(each.reference)
        if remote is not None and remote.state is State.OPEN:
            take_back(helpdesk_id, each.id, each.reference, remote, asked_at)
    with transaction() as session:
        ids = [each.id for each in known]
        its = update(Ticket).where(Ticket.id.in_(ids), Ticket.status == TicketStatus.CLOSED)
        count_changed(session, its.values(read_at=asked_at))


def _look(helpdesk_id: int, far_side: FarSide, known: Sequence[_Known]) -> None:
    """Raises HelpdeskError. What changed is written ticket by ticket."""
    asked_at = utc_now()
    found = far_side.read(sorted({each.reference for each in known}))
    same = []
    for each in known:
        remote = found.get(each.reference) or Remote(reference=each.reference, state=State.GONE)
        is_touched = bool(remote.touched_by) and remote.touched_by != each.touched_by
        if remote.state is State.OPEN and not is_touched:
            same.append(each.id)
        elif take_over(helpdesk_id, each.id, each.reference, remote, asked_at):
            _withdraw_doubles(far_side, each, remote)
    with transaction() as session:
        its = update(Ticket).where(Ticket.id.in_(same), Ticket.status == TicketStatus.OPEN)
        count_changed(session, its.values(read_at=asked_at))


def _withdraw_doubles(far_side: FarSide, known: _Known, remote: Remote) -> None:
    """Of one that was closed there, which the portal need not close any more."""
    if remote.state is not State.CLOSED or not may_be_double(db.session(), known.id):
        release()
        return
    key = db.session.scalar(select(Ticket.key).where(Ticket.id == known.id))
    release()
    with suppress(HelpdeskError):
        withdraw_doubles(far_side, key or "", known.reference)


def _fail(helpdesk_id: int, error: HelpdeskError) -> None:
    now = utc_now()
    log.info("Helpdesk %s does not tell its tickets: %s", helpdesk_id, error.message)
    with transaction() as session:
        helpdesk = session.get(
            Helpdesk, helpdesk_id, populate_existing=True, with_for_update={"key_share": True}
        )
        if helpdesk is None:
            return
        helpdesk.failures += 1
        helpdesk.failing_since = helpdesk.failing_since or now
        helpdesk.last_error = error.message
        pause = pause_after(helpdesk.failures, error.retry_after)
        helpdesk.poll_due_at = now + max(EVERY, pause)


def _succeed(helpdesk_id: int, again_in: timedelta) -> None:
    """It works again, unless something that waits could not be done in it. `again_in`: when the
    rest is to be looked at; none where there is no rest."""
    is_stuck = exists().where(
        TicketTask.helpdesk_id == Helpdesk.id,
        TicketTask.status == TaskStatus.WAITING,
        TicketTask.attempts > 0,
    )
    its = update(Helpdesk).where(Helpdesk.id == helpdesk_id)
    works = {"failures": 0, "failing_since": None, "last_error": None}
    with transaction() as session:
        rest = {"poll_due_at": utc_now() + again_in} if again_in else {}
        count_changed(session, its.values(polled_at=utc_now(), **rest))
        count_changed(session, its.where(Helpdesk.is_proven, ~is_stuck).values(works))
