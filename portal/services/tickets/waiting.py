"""Which of what waits for a helpdesk is done next."""

from __future__ import annotations

from datetime import datetime, timedelta

from sqlalchemy import ColumnElement, and_, case, exists, or_, select
from sqlalchemy.orm import Session, aliased

from portal.models import Helpdesk, Ticket, TicketTask
from portal.models.tickets.ticket import TaskStatus, TaskVerb, TicketStatus

RESTS = timedelta(seconds=5)
"""So long what may have been carried out is left alone: a helpdesk that was slow ends it meanwhile,
and then it is found."""
LOOKS = ((timedelta(seconds=15), RESTS), (timedelta(seconds=45), timedelta(seconds=15)))
"""Until how long after it was lost, and how long after the last look, it is looked for."""
LOOKS_LATER = timedelta(seconds=30)


def find_next(
    session: Session, helpdesk: Helpdesk, now: datetime
) -> tuple[TicketTask, Ticket] | None:
    """Of those that are the first of their tickets, the one that was tried least: what cannot be
    done holds up its own ticket alone. Without a good probe, none is opened."""
    earlier = aliased(TicketTask)
    is_first = ~exists().where(
        earlier.ticket_id == TicketTask.ticket_id,
        earlier.id < TicketTask.id,
        earlier.status == TaskStatus.WAITING,
    )
    opens = and_(TicketTask.verb == TaskVerb.OPEN, Ticket.status == TicketStatus.WAITING)
    others = and_(TicketTask.verb != TaskVerb.OPEN, Ticket.status == TicketStatus.OPEN)
    row = session.execute(
        select(TicketTask, Ticket)
        .join(Ticket, Ticket.id == TicketTask.ticket_id)
        .where(
            TicketTask.helpdesk_id == helpdesk.id,
            TicketTask.status == TaskStatus.WAITING,
            is_first,
            or_(TicketTask.begun_at.is_(None), _has_rested(now)),
            or_(opens, others) if helpdesk.is_proven else others,
        )
        .order_by(TicketTask.attempts, TicketTask.id)
        .limit(1)
        .execution_options(populate_existing=True)
    ).first()
    return None if row is None else (row[0], row[1])


def _has_rested(now: datetime) -> ColumnElement[bool]:
    """What may have been carried out: it is looked for soon, and then at growing times."""
    looks = [(TicketTask.lost_at > now - until, now - rests) for until, rests in LOOKS]
    latest = case((TicketTask.lost_at.is_(None), now - RESTS), *looks, else_=now - LOOKS_LATER)
    return TicketTask.begun_at <= latest
