"""People open a ticket from an alert, or link one that is there."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from sqlalchemy import select
from sqlalchemy.orm import Session

from portal import queue
from portal.clock import utc_now
from portal.db import transaction
from portal.errors import InvalidInput, NotFound, Refused
from portal.far_side.escaping import clean, cut
from portal.helpdesks.carefully import LARGEST_TEXT, make_key
from portal.helpdesks.kind import Remote, State
from portal.models import Errand, Helpdesk, Tenant, Ticket
from portal.models.errands.errand import ErrandKind
from portal.models.tickets.ticket import LIVE, TicketStatus
from portal.scope import allowed_clients, beyond_clients, get_tenant_id, limited_to
from portal.services.alerts.occurrences import Occurrence, hold_current
from portal.services.audit.actions import Action
from portal.services.audit.actor import current_actor
from portal.services.audit.record import Target, record
from portal.services.errands.requests import add_errand, enqueue_errand
from portal.services.handling.alert_facts import make_address
from portal.services.helpdesks.listing import get_helpdesk
from portal.services.rules.checking import check_ticket
from portal.services.rules.subjects import load_subjects
from portal.services.rules.terms import TicketStep
from portal.services.text import clean_line
from portal.services.tickets.board import Board, load_board
from portal.services.tickets.dropping import list_waiting
from portal.services.tickets.ordering import TicketOrder, make_order
from portal.services.tickets.planning import hang, link_alert, tell_raised, write_tasks
from portal.services.tickets.reading import read_typed
from portal.services.tickets.records import clean_reference, get_target, name_ticket, write_down

OVER = "The alert is over. A ticket is for what is still active."
OFF = "The helpdesk is switched off. Switch it on first."
HIDDEN = (
    "This is about a ticket of another client, which you may not see. Ask somebody who sees all "
    "clients."
)


def open_by_hand(alert_id: int, step: TicketStep) -> Ticket:
    """A ticket for the alert's present occurrence, or the one that its outage has already. Subject
    and body are taken as they are; empty, they get the default words.

    Raises InvalidInput, NotFound, and Refused where it is over or hangs on one there.
    """
    check_ticket(_without_words(step))
    with transaction() as session:
        [occurrence] = hold_current(session, [alert_id])
        helpdesk = _check_open(occurrence, step.helpdesk)
        order = _make_order(session, occurrence, _without_words(step))
        order = replace(order, values=order.values | _list_words(step, order.values["page"]))
        _refuse_hidden(session, order)
        board = _load(session, occurrence, order)
        ticket = hang(session, board, occurrence.handling, order, by=current_actor().name)
        if ticket is None:
            raise _hangs_already(board, occurrence, helpdesk)
        write_tasks(session, board)
        after = {"alert_id": alert_id, "helpdesk": helpdesk.name, "queue": step.queue}
        record(Action.TICKET_OPENED, get_target(ticket), after=after)
    queue.enqueue("do_tickets", get_tenant_id(), step.helpdesk)
    return ticket


def request_link(alert_id: int, helpdesk_id: int, reference: str) -> Errand:
    """Have a worker read that ticket and link the alert to it. Raises InvalidInput, NotFound,
    TooManyWaiting, and Refused where the alert is over."""
    reference = clean_reference(reference)
    by = current_actor().name
    with transaction() as session:
        [occurrence] = hold_current(session, [alert_id])
        helpdesk = _check_open(occurrence, helpdesk_id)
        wanted = {"alert_id": alert_id, "helpdesk_id": helpdesk_id, "reference": reference}
        if (clients := allowed_clients()) is not None:
            wanted["clients"] = sorted(clients)
        title = f"Link ticket {reference} of {helpdesk.name}"
        with beyond_clients():  # the limit of waiting ones is everybody's
            errand = add_errand(session, ErrandKind.LINK_TICKET, title, wanted | {"by": by})
        about = Target("ticket", "", f"{reference} in {helpdesk.name}")
        record(Action.TICKET_LINKED, about, after={"alert_id": alert_id})
    enqueue_errand(errand)
    return errand


def link_now(alert_id: int, helpdesk_id: int, reference: str) -> Ticket:
    """For who waits for it in a shell. Raises as `link_existing` does."""
    reference, name = clean_reference(reference), get_helpdesk(helpdesk_id).name
    with transaction():
        about = Target("ticket", "", f"{reference} in {name}")
        record(Action.TICKET_LINKED, about, after={"alert_id": alert_id})
    return link_existing(alert_id, helpdesk_id, reference, by=current_actor().name)


def link_existing(
    alert_id: int,
    helpdesk_id: int,
    reference: str,
    *,
    by: str,
    clients: Sequence[int] | None = None,
) -> Ticket:
    """It is read first. The portal never closes a ticket that it did not open. `clients`: those
    that whoever asked is limited to.

    Raises InvalidInput where there is none or it is closed, NotFound, and Refused with what the
    helpdesk said, or where the alert is over or hangs on one there.
    """
    remote = _read_open(helpdesk_id, reference)
    with limited_to(clients), transaction() as session:
        [occurrence] = hold_current(session, [alert_id])
        helpdesk = _check_open(occurrence, helpdesk_id)
        step = TicketStep(helpdesk=helpdesk_id, queue="")
        order = _make_order(session, occurrence, step)
        _refuse_hidden(session, order, remote.reference)
        board = _load(session, occurrence, order)
        if any(
            ticket.status in LIVE
            for ticket, _link in board.links_of(occurrence.handling.id)
            if ticket.helpdesk_id == helpdesk_id
        ):
            raise _hangs_already(board, occurrence, helpdesk)
        ticket = _find_known(session, helpdesk_id, remote.reference)
        if ticket is None:
            ticket = _add_known(session, board, order, remote, by)
        board.tickets[ticket.id] = ticket
        link_alert(session, board, ticket, occurrence.handling, by)
        board.tasks[ticket.id] = list(list_waiting(session, ticket))
        tell_raised(board, ticket, occurrence.handling, order.line, "linked")
        write_tasks(session, board)
        write_down(session, helpdesk, ticket, f"{by} linked {name_ticket(helpdesk, ticket)}.")
    queue.enqueue("do_tickets", get_tenant_id(), helpdesk_id)
    return ticket


def _refuse_hidden(session: Session, order: TicketOrder, reference: str | None = None) -> None:
    """The ticket that the outage has, or that bears the number, where whoever asks must not see
    it: an asset may have been another client's. Raises Refused."""
    is_meant = Ticket.outage == order.outage
    if reference is not None:
        is_meant |= Ticket.reference == reference
    its = select(Ticket.id).where(
        Ticket.helpdesk_id == order.helpdesk_id, Ticket.status.in_(LIVE), is_meant
    )
    with beyond_clients():
        there = set(session.scalars(its))
    if there - set(session.scalars(its)):
        raise Refused(HIDDEN)


def _without_words(step: TicketStep) -> TicketStep:
    """Without words of a person's, which by hand are no templates."""
    return TicketStep(
        helpdesk=step.helpdesk,
        queue=step.queue,
        customer=step.customer,
        priority=step.priority,
        per=step.per,
    )


def _list_words(step: TicketStep, page: str) -> dict[str, str]:
    """A person's own, with where it leads back to. Raises InvalidInput."""
    words = {}
    if step.subject.strip():
        words["subject"] = clean_line(step.subject, "ticket_subject", "a subject")
    if step.body.strip():
        words["body"] = f"{cut(clean(step.body.strip()), LARGEST_TEXT)}\n\n{page}"
    return words


def _check_open(occurrence: Occurrence, helpdesk_id: int) -> Helpdesk:
    helpdesk = get_helpdesk(helpdesk_id)
    if not helpdesk.active:
        raise Refused(OFF)
    if occurrence.is_over:
        raise Refused(OVER)
    return helpdesk


def _make_order(session: Session, occurrence: Occurrence, step: TicketStep) -> TicketOrder:
    handling = occurrence.handling
    subject = load_subjects(session, [handling.alert_id])[handling.alert_id]
    address = make_address(session.get_one(Tenant, get_tenant_id()))
    rule, urgency = handling.rule_name or "", handling.urgency or "normal"
    return make_order(step, handling, subject, address, rule=rule, urgency=urgency)


def _load(session: Session, occurrence: Occurrence, order: TicketOrder) -> Board:
    ids = [occurrence.handling.id]
    board = load_board(session, [order.helpdesk_id], [order.outage], ids, utc_now())
    if order.helpdesk_id not in board.helpdesks:
        raise NotFound("This helpdesk does not exist.")
    return board


def _hangs_already(board: Board, occurrence: Occurrence, helpdesk: Helpdesk) -> Refused:
    links = board.links_of(occurrence.handling.id)
    its = [ticket for ticket, _link in links if ticket.status in LIVE]
    return Refused(f"The alert hangs on {name_ticket(helpdesk, its[-1])} already.")


def _read_open(helpdesk_id: int, reference: str) -> Remote:
    remote = read_typed(helpdesk_id, reference)
    if remote.state is State.CLOSED:
        text = f"Ticket {reference} is closed. Reopen it first, or open a new one."
        raise InvalidInput(text, field="reference")
    return remote


def _find_known(session: Session, helpdesk_id: int, reference: str) -> Ticket | None:
    return session.scalar(
        select(Ticket).where(
            Ticket.helpdesk_id == helpdesk_id,
            Ticket.reference == reference,
            Ticket.status == TicketStatus.OPEN,
        )
    )


def _add_known(
    session: Session, board: Board, order: TicketOrder, remote: Remote, by: str
) -> Ticket:
    """Raises Refused where the outage has another one."""
    current = board.find_current(order.helpdesk_id, order.outage)
    if current is not None and current.status in LIVE:
        name = name_ticket(board.helpdesks[order.helpdesk_id], current)
        raise Refused(f"The same outage has {name} already. Link the alert to that one.")
    tenant = session.get_one(Tenant, get_tenant_id())
    values = order.values | {"subject": f"Ticket {remote.reference}", "body": ""}
    ticket = Ticket(
        helpdesk_id=order.helpdesk_id,
        outage=order.outage,
        key=make_key(tenant.slug),
        status=TicketStatus.OPEN,
        reference=remote.reference,
        url=remote.url or None,
        touched_by=remote.touched_by or by,
        read_at=board.now,
        **values,
    )
    session.add(ticket)
    session.flush()
    return ticket
