"""What was perhaps done, at a helpdesk that cannot be asked: it is not done a second time."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import select
from sqlalchemy.orm import Session

from portal.helpdesks import KINDS
from portal.models import Helpdesk, Ticket, TicketTask
from portal.models.events.event import EventType
from portal.models.tickets.ticket import ClosedBy, TaskStatus, TaskVerb, TicketStatus
from portal.services.tickets.dropping import is_waiting
from portal.services.tickets.records import mark_closed, name_ticket, write_down

ANSWER_LOST = "The answer was lost."
LOOKING = "The ticket may have been opened: the portal looks for it."


def may_be_double(session: Session, ticket_id: int) -> bool:
    """Whether an attempt to open it was given up that may have been carried out later than the one
    that succeeded."""
    its = (TicketTask.ticket_id == ticket_id, TicketTask.lost_at.is_not(None))
    return session.scalar(select(TicketTask.id).where(*its).limit(1)) is not None


def can_repeat(helpdesk: Helpdesk, task: TicketTask) -> bool:
    """Whether it does no harm twice, its comment left out. Until then it counts as begun: it may
    have been carried out, or be so yet."""
    kind = KINDS.get(helpdesk.kind)
    is_state = task.verb in (TaskVerb.CLOSE, TaskVerb.REOPEN)
    return is_state and kind is not None and kind.can_close(helpdesk.settings)


def leave_in_doubt(
    session: Session,
    helpdesk: Helpdesk,
    ticket: Ticket,
    task: TicketTask,
    now: datetime,
    answer: str = ANSWER_LOST,
) -> None:
    """In the caller's transaction, which holds the helpdesk."""
    task.status, task.settled_at, task.answer = TaskStatus.UNSURE, now, answer
    if task.verb is TaskVerb.OPEN:
        ticket.status, ticket.last_error = TicketStatus.UNSURE, answer
        text = (
            f"A ticket may have been opened in {helpdesk.name}. {answer} The helpdesk cannot be "
            "asked: look there, and say on the page of the ticket whether there is one."
        )
        write_down(session, helpdesk, ticket, text, EventType.TICKET_UNSURE, answer)
        return
    if task.verb is TaskVerb.CLOSE:
        close_unless_back(session, ticket, now)
    text = f"It is not sure whether {name_ticket(helpdesk, ticket)} was told. {answer}"
    write_down(session, helpdesk, ticket, text)


def close_unless_back(session: Session, ticket: Ticket, now: datetime) -> None:
    """The portal closed it. Where its outage is back, it is about to be opened again."""
    if not is_waiting(session, ticket, TicketTask.verb == TaskVerb.REOPEN):
        mark_closed(ticket, ClosedBy.PORTAL, now)
