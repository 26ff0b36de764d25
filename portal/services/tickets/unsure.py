"""A person has looked whether an unsure ticket is there, and says so."""

from __future__ import annotations

from sqlalchemy import select
from sqlalchemy.orm import Session

from portal import queue
from portal.clock import utc_now
from portal.db import transaction
from portal.errors import InvalidInput, Refused
from portal.helpdesks.kind import Remote
from portal.models import Errand, Helpdesk, Ticket
from portal.models.errands.errand import ErrandKind
from portal.models.events.event import EventType
from portal.models.tickets.ticket import TaskStatus, TaskVerb, TicketStatus
from portal.scope import beyond_clients, get_tenant_id
from portal.services.audit.actions import Action
from portal.services.audit.actor import current_actor
from portal.services.audit.record import record
from portal.services.errands.requests import add_errand, enqueue_errand
from portal.services.helpdesks.reaching import make_way
from portal.services.tickets.mending import hold_tickets, list_tasks, wait_again
from portal.services.tickets.reading import read_typed
from portal.services.tickets.records import clean_reference, get_target, name_ticket, write_down


def settle_unsure(ticket_id: int, reference: str | None) -> Errand | None:
    """It is there under this number, which a worker reads first where the helpdesk tells of its
    tickets; or it is not, and is opened.

    Raises InvalidInput, NotFound, TooManyWaiting, and Refused for a ticket that is not unsure.
    """
    reference = None if reference is None else clean_reference(reference)
    who, errand = current_actor().name, None
    with transaction() as session:
        ticket, helpdesk = _hold(session, ticket_id)
        before = {"status": str(ticket.status), "reference": ticket.reference}
        way = make_way(helpdesk)
        if reference is None:
            _open_now(session, helpdesk, ticket, who)
        elif way is None or not way.can_close:
            _take(session, helpdesk, ticket, Remote(reference=reference), who)
        else:
            _check_free(session, ticket, reference)
            wanted = {"ticket_id": ticket_id, "reference": reference, "by": who}
            title = f"Look for ticket {reference} in {helpdesk.name}"
            with beyond_clients():  # the limit of waiting ones is everybody's
                errand = add_errand(session, ErrandKind.SETTLE_TICKET, title, wanted)
        after = {"status": str(ticket.status), "reference": reference}
        record(Action.TICKET_SETTLED, get_target(ticket), before, after)
        helpdesk_id = helpdesk.id
    if errand is not None:
        enqueue_errand(errand)
    else:
        queue.enqueue("do_tickets", get_tenant_id(), helpdesk_id)
    return errand


def settle_typed(ticket_id: int, reference: str, by: str) -> Ticket:
    """Now, and wait for the helpdesk. Raises as `settle_unsure` does, InvalidInput also for the
    number of no ticket or of another one."""
    with transaction() as session:
        helpdesk_id = _hold(session, ticket_id)[1].id
    remote = read_typed(helpdesk_id, reference)
    with transaction() as session:
        ticket, helpdesk = _hold(session, ticket_id)
        if remote.key and remote.key != ticket.key:
            text = f"Ticket {reference} is another one: it carries the key {remote.key}."
            raise InvalidInput(text, field="reference")
        _take(session, helpdesk, ticket, remote, by)
    queue.enqueue("do_tickets", get_tenant_id(), helpdesk_id)
    return ticket


def _hold(session: Session, ticket_id: int) -> tuple[Ticket, Helpdesk]:
    [ticket], helpdesks = hold_tickets(session, [ticket_id])
    if ticket.status is not TicketStatus.UNSURE:
        raise Refused("This ticket is not unsure any more.")
    return ticket, helpdesks[ticket.helpdesk_id]


def _open_now(session: Session, helpdesk: Helpdesk, ticket: Ticket, who: str) -> None:
    ticket.status, ticket.last_error = TicketStatus.WAITING, None
    wait_again(list_tasks(session, ticket, TaskVerb.OPEN, TaskStatus.UNSURE))
    write_down(
        session, helpdesk, ticket, f"{who} found no ticket in {helpdesk.name}. It is opened now."
    )


def _take(session: Session, helpdesk: Helpdesk, ticket: Ticket, remote: Remote, who: str) -> None:
    """What became of it there is seen when its state is asked for next."""
    _check_free(session, ticket, remote.reference)
    now = utc_now()
    ticket.status, ticket.reference, ticket.opened_at = TicketStatus.OPEN, remote.reference, now
    ticket.url, ticket.last_error = remote.url or None, None
    ticket.touched_by = remote.touched_by or ticket.touched_by
    for task in list_tasks(session, ticket, TaskVerb.OPEN, TaskStatus.UNSURE):
        task.status, task.settled_at, task.begun_at = TaskStatus.DONE, now, None
    text = f"{who} found {name_ticket(helpdesk, ticket)}."
    write_down(session, helpdesk, ticket, text, EventType.TICKET_OPENED)


def _check_free(session: Session, ticket: Ticket, reference: str) -> None:
    """Raises InvalidInput where it is known as another ticket's."""
    others = select(Ticket.id).where(
        Ticket.helpdesk_id == ticket.helpdesk_id,
        Ticket.reference == reference,
        Ticket.id != ticket.id,
    )
    with beyond_clients():
        is_taken = session.scalar(others.limit(1)) is not None
    if is_taken:
        text = f"Ticket {reference} is that of another outage. Look for the number of this one."
        raise InvalidInput(text, field="reference")
