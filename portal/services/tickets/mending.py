"""People have what failed tried again."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from portal import queue
from portal.clock import utc_now
from portal.db import db, transaction
from portal.errors import InvalidInput, NotFound
from portal.models import Helpdesk, Ticket, TicketAlert, TicketTask
from portal.models.tickets.ticket import LIVE, TaskStatus, TaskVerb, TicketStatus
from portal.scope import beyond_clients, get_tenant_id
from portal.services.audit.actions import Action
from portal.services.audit.actor import current_actor
from portal.services.audit.record import Target, record
from portal.services.audit.values import gathered
from portal.services.tickets.board import hold_helpdesks, load_board
from portal.services.tickets.filters import HAS_FAILED, TicketFilter, ticket_conditions
from portal.services.tickets.planning import write_tasks
from portal.services.tickets.records import get_target, name_ticket, write_down

OFF = "The helpdesk is switched off. Switch it on first."
MOST_AT_ONCE = 200
ALL_OVER = "All alerts of this ticket are over."
NOTHING_FAILED = "Nothing of it has failed."


@dataclass(frozen=True, slots=True)
class Retried:
    """`failures`: why the others were left as they are, in sentences. `left`: how many more match,
    which are tried when it is asked for again."""

    done: int
    failures: list[str]
    left: int = 0


def retry(which: Sequence[int] | TicketFilter) -> Retried:
    """What failed of these tickets is tried for another day; of those that a filter shows, what
    failed first. Raises InvalidInput and NotFound."""
    if isinstance(which, TicketFilter):
        matching = _list_failed(which)
        return replace(_retry_all(matching[:MOST_AT_ONCE]), left=len(matching[MOST_AT_ONCE:]))
    ids = list(dict.fromkeys(which))
    if not ids or len(ids) > MOST_AT_ONCE:
        raise InvalidInput(f"Select from 1 to {MOST_AT_ONCE} tickets.")
    return _retry_all(ids)


def _retry_all(ids: Sequence[int]) -> Retried:
    failures = []
    with transaction() as session:
        tickets, helpdesks = hold_tickets(session, ids)
        done, was = [], {ticket.id: _describe(ticket) for ticket in tickets}
        for ticket in tickets:
            problem = _retry(session, helpdesks[ticket.helpdesk_id], ticket)
            if problem is None:
                done.append(ticket)
            else:
                failures.append(f"{ticket.subject}: {problem}")
        if done:
            about = get_target(done[0]) if len(done) == 1 else Target("ticket")
            before = gathered((ticket.id, was[ticket.id]) for ticket in done)
            after = gathered((ticket.id, _describe(ticket)) for ticket in done)
            after |= {"tickets": [ticket.id for ticket in done]}
            record(Action.TICKETS_RETRIED, about, before, after)
    for helpdesk_id in sorted({ticket.helpdesk_id for ticket in done}):
        queue.enqueue("do_tickets", get_tenant_id(), helpdesk_id)
    return Retried(len(done), failures)


def _list_failed(shown: TicketFilter) -> list[int]:
    """Raises InvalidInput for none."""
    failed = select(Ticket.id).where(*ticket_conditions(shown), HAS_FAILED).order_by(Ticket.id)
    ids = list(db.session.scalars(failed))
    if not ids:
        raise InvalidInput("No ticket matches any more that failed.")
    return ids


def _describe(ticket: Ticket) -> dict[str, Any]:
    """For the audit trail."""
    return {"status": str(ticket.status), "last_error": ticket.last_error}


def hold_tickets(
    session: Session, ids: Sequence[int]
) -> tuple[Sequence[Ticket], dict[int, Helpdesk]]:
    """With their helpdesks, so that nobody else changes them. Raises NotFound for none."""
    its = select(Ticket).where(Ticket.id.in_(ids)).order_by(Ticket.id)
    helpdesk_ids = {ticket.helpdesk_id for ticket in session.scalars(its)}
    helpdesks = hold_helpdesks(session, helpdesk_ids)
    fresh = its.where(Ticket.helpdesk_id.in_(helpdesks))
    tickets = session.scalars(fresh.execution_options(populate_existing=True)).all()
    if not tickets:
        raise NotFound("This ticket does not exist.")
    return tickets, helpdesks


def _retry(session: Session, helpdesk: Helpdesk, ticket: Ticket) -> str | None:
    """Why not, in a sentence."""
    if not helpdesk.active:
        return OFF
    board = load_board(session, [helpdesk.id], [ticket.outage], [], utc_now())
    if ticket.status is TicketStatus.FAILED:
        current = board.find_current(helpdesk.id, ticket.outage)
        if current is not None and current.status in LIVE:
            return f"The same outage has {name_ticket(helpdesk, current)} by now."
        verb = TaskVerb.REOPEN if ticket.reference else TaskVerb.OPEN
        again = (TaskStatus.FAILED, TaskStatus.DROPPED)
        tasks = [task for each in again for task in list_tasks(session, ticket, verb, each)][-1:]
        ticket.status = TicketStatus.OPEN if ticket.reference else TicketStatus.WAITING
    elif ticket.status is TicketStatus.OPEN:
        tasks = [
            task
            for each in TaskVerb
            for task in list_tasks(session, ticket, each, TaskStatus.FAILED)
        ]
    else:
        return NOTHING_FAILED
    if not tasks:
        return NOTHING_FAILED
    wait_again(tasks)
    ticket.last_error = None
    if _has_active(session, ticket):
        _keep_open(tasks)
    elif not any(t.verb is TaskVerb.CLOSE for t in tasks):
        board.tasks[ticket.id] = list(tasks)
        board.add_task(ticket, TaskVerb.CLOSE, ALL_OVER, f"retried{utc_now().timestamp():.6f}")
    write_tasks(session, board)
    text = f"{current_actor().name} had it tried again in {helpdesk.name}."
    write_down(session, helpdesk, ticket, text)
    return None


def _keep_open(tasks: Sequence[TicketTask]) -> None:
    """Something came back since the closing failed: what it was to say is still told."""
    for task in tasks:
        if task.verb is TaskVerb.CLOSE:
            task.verb = TaskVerb.COMMENT


def _has_active(session: Session, ticket: Ticket) -> bool:
    """Of whatever client: it must stay open for those too that its reader may not see."""
    its = select(TicketAlert.id).where(TicketAlert.ticket_id == ticket.id, ~TicketAlert.is_over)
    with beyond_clients():
        return session.scalar(its.limit(1)) is not None


def list_tasks(
    session: Session, ticket: Ticket, verb: TaskVerb, status: TaskStatus
) -> list[TicketTask]:
    query = select(TicketTask).where(
        TicketTask.ticket_id == ticket.id, TicketTask.verb == verb, TicketTask.status == status
    )
    return list(session.scalars(query.order_by(TicketTask.id)))


def wait_again(tasks: Sequence[TicketTask]) -> None:
    """For another day."""
    for task in tasks:
        task.status, task.attempts, task.begun_at = TaskStatus.WAITING, 0, None
        task.created_at, task.settled_at = utc_now(), None
