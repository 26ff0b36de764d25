"""Taking over what a helpdesk says of a ticket: worked on, closed, merged, gone."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import or_, select
from sqlalchemy.orm import Session

from portal.db import transaction
from portal.helpdesks.kind import Remote, State
from portal.models import AlertHandling, Helpdesk, Ticket, TicketAlert, TicketTask
from portal.models.events.event import EventType
from portal.models.tickets.ticket import LIVE, ClosedBy, TaskVerb, TicketStatus
from portal.services.alerts.acknowledging import acknowledge_held
from portal.services.alerts.occurrences import Occurrence, hold_current
from portal.services.tickets.board import hold_helpdesks
from portal.services.tickets.dropping import drop_tasks, is_waiting, list_waiting
from portal.services.tickets.records import mark_closed, name_ticket, write_down
from portal.services.tickets.settling import NOT_OPEN, lose_ticket

MERGED = "The ticket was merged into another one."
SOMEBODY = "somebody"


def take_over(
    helpdesk_id: int, ticket_id: int, reference: str, remote: Remote, asked_at: datetime
) -> bool:
    """False where it has to be asked again: something happened to the ticket meanwhile."""
    with transaction() as session:
        # Handlings before the helpdesk, as whoever decides about alerts does.
        held = _hold_alerts(session, ticket_id) if remote.state is State.CLOSED else {}
        helpdesk = hold_helpdesks(session, [helpdesk_id]).get(helpdesk_id)
        ticket = session.get(Ticket, ticket_id, populate_existing=True)
        if helpdesk is None or ticket is None:
            return False
        if not _is_as_asked(session, ticket, reference, asked_at):
            return False
        linked = _list_links(session, ticket)
        if remote.state is State.CLOSED and not held.keys() >= linked.keys():
            return False  # another alert was hung on it just now
        seen_at, ticket.read_at = ticket.read_at, asked_at
        ticket.url = remote.url or ticket.url
        ticket.touched_by = remote.touched_by or ticket.touched_by
        if remote.state is State.CLOSED:
            known = [held[each] for each, at in linked.items() if seen_at is None or at <= seen_at]
            _close(session, helpdesk, ticket, known, asked_at)
        elif remote.state is State.GONE and remote.merged_into:
            _follow(session, helpdesk, ticket, remote.merged_into)
        elif remote.state is State.GONE:
            lose_ticket(session, helpdesk, ticket)
        else:
            text = f"{ticket.touched_by} works on {name_ticket(helpdesk, ticket)}."
            write_down(session, helpdesk, ticket, text)
    return True


def take_back(
    helpdesk_id: int, ticket_id: int, reference: str, remote: Remote, asked_at: datetime
) -> None:
    """It counted as closed, and is open there: a person reopened it. Not where the portal changes
    it itself, or its outage has another one by now."""
    with transaction() as session:
        helpdesk = hold_helpdesks(session, [helpdesk_id]).get(helpdesk_id)
        ticket = session.get(Ticket, ticket_id, populate_existing=True)
        if helpdesk is None or ticket is None or ticket.status is not TicketStatus.CLOSED:
            return
        was_changed = ticket.closed_at is None or ticket.closed_at >= asked_at
        if was_changed or ticket.reference != reference or list_waiting(session, ticket):
            return
        others = select(Ticket.id).where(
            Ticket.helpdesk_id == helpdesk_id,
            Ticket.outage == ticket.outage,
            Ticket.status.in_(LIVE),
        )
        if session.scalar(others.limit(1)) is not None:
            return
        ticket.status, ticket.closed_at, ticket.closed_by = TicketStatus.OPEN, None, None
        ticket.read_at, ticket.touched_by = asked_at, remote.touched_by or SOMEBODY
        text = f"{ticket.touched_by} reopened {name_ticket(helpdesk, ticket)}."
        text = f"{text[0].upper()}{text[1:]}" if ticket.touched_by == SOMEBODY else text
        write_down(session, helpdesk, ticket, text, EventType.TICKET_REOPENED)


def _hold_alerts(session: Session, ticket_id: int) -> dict[int, Occurrence]:
    """Those that hang on it and are not over, by handling."""
    alert_ids = session.scalars(
        select(TicketAlert.alert_id).where(TicketAlert.ticket_id == ticket_id, ~TicketAlert.is_over)
    ).all()
    held = hold_current(session, sorted(set(alert_ids))) if alert_ids else []
    return {each.handling.id: each for each in held}


def _list_links(session: Session, ticket: Ticket) -> dict[int, datetime]:
    """Since when they hang on it, by handling, of those that are not over."""
    rows = session.execute(
        select(TicketAlert.handling_id, TicketAlert.linked_at)
        .join(AlertHandling, AlertHandling.id == TicketAlert.handling_id)
        .where(
            TicketAlert.ticket_id == ticket.id,
            ~TicketAlert.is_over,
            AlertHandling.over_at.is_(None),
        )
    )
    return {row.handling_id: row.linked_at for row in rows}


def _is_as_asked(session: Session, ticket: Ticket, reference: str, asked_at: datetime) -> bool:
    """And the portal itself has not changed its state meanwhile, and does so neither now nor next.
    A closing that was begun may still be carried out, or has been."""
    closes_now = (TicketTask.verb == TaskVerb.CLOSE) & (TicketTask.attempts > 0)
    is_same = ticket.status is TicketStatus.OPEN and ticket.reference == reference
    if not is_same or (ticket.read_at is not None and ticket.read_at > asked_at):
        return False
    changes = or_(TicketTask.verb == TaskVerb.REOPEN, closes_now)
    return not is_waiting(session, ticket, changes)


def _close(
    session: Session, helpdesk: Helpdesk, ticket: Ticket, known: list[Occurrence], at: datetime
) -> None:
    """`known`: alerts that hung on it already when it was last seen open. Whoever closed it may not
    have read of others."""
    mark_closed(ticket, ClosedBy.HELPDESK, at)
    who = f"{ticket.touched_by} closed" if ticket.touched_by else "Somebody closed"
    text = f"{who} {name_ticket(helpdesk, ticket)}."
    write_down(session, helpdesk, ticket, text, EventType.TICKET_CLOSED)
    drop_tasks(session, helpdesk, list_waiting(session, ticket), NOT_OPEN)
    if known:
        note = f"Closed in {helpdesk.name}: ticket {ticket.reference}."
        acknowledge_held(session, known, note, helpdesk.name, None)


def _follow(session: Session, helpdesk: Helpdesk, ticket: Ticket, target: str) -> None:
    """What hung on it hangs on the other one, which may be ours as well. Of one that is not, the
    portal does not know who else needs it open."""
    other = session.scalar(
        select(Ticket).where(
            Ticket.helpdesk_id == helpdesk.id,
            Ticket.reference == target,
            Ticket.status.in_(LIVE),
            Ticket.id != ticket.id,
        )
    )
    text = f"{name_ticket(helpdesk, ticket).capitalize()} was merged into {target}."
    if other is None:
        ticket.reference, ticket.url = target, None
        ticket.touched_by = ticket.touched_by or SOMEBODY
        write_down(session, helpdesk, ticket, text)
        return
    ticket.status, ticket.last_error = TicketStatus.GONE, MERGED
    write_down(session, helpdesk, ticket, text, EventType.TICKET_GONE, MERGED)
    there = set(
        session.scalars(select(TicketAlert.handling_id).where(TicketAlert.ticket_id == other.id))
    )
    links = session.scalars(select(TicketAlert).where(TicketAlert.ticket_id == ticket.id)).all()
    for link in links:
        if link.handling_id not in there:
            link.ticket_id = other.id
    drop_tasks(session, helpdesk, list_waiting(session, ticket), MERGED)
