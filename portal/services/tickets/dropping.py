"""What still waited for a helpdesk is not forgotten without a word."""

from __future__ import annotations

from collections.abc import Sequence

from sqlalchemy import ColumnElement, select
from sqlalchemy.orm import Session

from portal.clock import utc_now
from portal.models import Helpdesk, Ticket, TicketTask
from portal.models.alerts.timeline import TimelineKind
from portal.models.tickets.ticket import TaskStatus, TaskVerb, TicketStatus
from portal.services.tickets.records import list_alerts
from portal.sync.alerts.timeline import Entry, add_entries

SWITCHED_OFF = "The helpdesk was switched off."
DELETED = "The helpdesk was deleted."
WHAT = {
    TaskVerb.OPEN: "To open a ticket in {}",
    TaskVerb.COMMENT: "To comment the ticket in {}",
    TaskVerb.CLOSE: "To close the ticket in {}",
    TaskVerb.REOPEN: "To reopen the ticket in {}",
}


def drop_waiting(session: Session, helpdesk: Helpdesk, why: str) -> None:
    """In the caller's transaction, which holds the helpdesk: all of which it has not heard. What it
    may have heard of is settled by its outcome."""
    tasks = session.scalars(
        select(TicketTask)
        .where(
            TicketTask.helpdesk_id == helpdesk.id,
            TicketTask.status == TaskStatus.WAITING,
            TicketTask.begun_at.is_(None),
        )
        .with_for_update()
        .execution_options(populate_existing=True)
    ).all()
    drop_tasks(session, helpdesk, tasks, why)


def list_waiting(session: Session, ticket: Ticket) -> Sequence[TicketTask]:
    """Of one ticket, in order."""
    query = select(TicketTask).where(
        TicketTask.ticket_id == ticket.id, TicketTask.status == TaskStatus.WAITING
    )
    return session.scalars(query.order_by(TicketTask.id)).all()


def is_waiting(session: Session, ticket: Ticket, *conditions: ColumnElement[bool]) -> bool:
    """Whether something like this is to be done to it."""
    its = (TicketTask.ticket_id == ticket.id, TicketTask.status == TaskStatus.WAITING)
    query = select(TicketTask.id).where(*its, *conditions)
    return session.scalar(query.limit(1)) is not None


def drop_tasks(session: Session, helpdesk: Helpdesk, tasks: Sequence[TicketTask], why: str) -> None:
    """These, with a word in the timelines of the alerts that they are about. A ticket that was not
    opened yet is not going to be."""
    now = utc_now()
    for task in tasks:
        task.status, task.answer, task.settled_at = TaskStatus.DROPPED, why, now
    unopened = [task.ticket_id for task in tasks if task.verb is TaskVerb.OPEN]
    if unopened:
        its = select(Ticket).where(Ticket.id.in_(unopened), Ticket.status == TicketStatus.WAITING)
        for ticket in session.scalars(its.with_for_update()):
            ticket.status, ticket.last_error = TicketStatus.FAILED, why
    session.flush()
    alerts = list_alerts(session, {task.ticket_id for task in tasks})
    entries = [
        Entry(
            alert_id,
            TimelineKind.TICKET,
            f"{WHAT[task.verb].format(helpdesk.name)} is not needed any more. {why}",
            {"ticket_id": task.ticket_id},
        )
        for task in tasks
        for alert_id in alerts.get(task.ticket_id, ())
    ]
    add_entries(session, entries)
