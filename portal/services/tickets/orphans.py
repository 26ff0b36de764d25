"""Tickets whose alerts were all deleted here: there is nothing left that could close them."""

from __future__ import annotations

from sqlalchemy import ColumnElement, and_, exists, func, select
from sqlalchemy.orm import Session, aliased

from portal.db import db, transaction
from portal.models import Ticket, TicketAlert, TicketTask
from portal.models.tickets.ticket import TaskStatus, TaskVerb, TicketStatus
from portal.services.tickets.board import hold_helpdesks
from portal.services.tickets.dropping import drop_tasks, list_waiting

DELETED = "Its alerts were deleted in the portal, so it waits for nothing any more."
_ASKED_FOR = (TaskStatus.WAITING, TaskStatus.DONE, TaskStatus.UNSURE)


def close_orphans() -> None:
    """Close those of the scope's tenant, as a resolve does: where somebody worked on one, it is
    told. What was not opened yet is not going to be."""
    found = select(Ticket.helpdesk_id).where(_is_orphan()).distinct()
    for helpdesk_id in db.session.scalars(found).all():
        with transaction() as session:
            _close_in(session, helpdesk_id)


def _close_in(session: Session, helpdesk_id: int) -> None:
    helpdesk = hold_helpdesks(session, [helpdesk_id]).get(helpdesk_id)
    query = select(Ticket).where(Ticket.helpdesk_id == helpdesk_id, _is_orphan())
    for ticket in session.scalars(query.execution_options(populate_existing=True)):
        waiting = list_waiting(session, ticket)
        has_begun = any(task.begun_at for task in waiting)
        if helpdesk is not None and ticket.status is TicketStatus.WAITING and not has_begun:
            drop_tasks(session, helpdesk, waiting, DELETED)
            continue
        task = TicketTask(
            ticket_id=ticket.id,
            helpdesk_id=helpdesk_id,
            verb=TaskVerb.CLOSE,
            key=f"{ticket.key}:deleted{_find_last(session, ticket)}",
            text=DELETED,
        )
        session.add(task)


def _find_last(session: Session, ticket: Ticket) -> int:
    last = select(func.max(TicketTask.id)).where(TicketTask.ticket_id == ticket.id)
    return session.scalar(last) or 0


def _is_orphan() -> ColumnElement[bool]:
    """Nothing hangs on it, and nobody asked for its end since it was opened last."""
    later = aliased(TicketTask)
    was_reopened = exists().where(
        later.ticket_id == Ticket.id, later.verb == TaskVerb.REOPEN, later.id > TicketTask.id
    )
    ends = (
        TicketTask.ticket_id == Ticket.id,
        TicketTask.verb == TaskVerb.CLOSE,
        TicketTask.status.in_(_ASKED_FOR),
        ~was_reopened,
    )
    return and_(
        Ticket.status.in_((TicketStatus.WAITING, TicketStatus.OPEN)),
        ~exists().where(TicketAlert.ticket_id == Ticket.id),
        ~exists().where(*ends),
    )
