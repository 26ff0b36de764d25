"""What happened to a ticket, in the timelines of its alerts and as events."""

from __future__ import annotations

from collections.abc import Collection
from datetime import datetime

from sqlalchemy import select
from sqlalchemy.orm import Session

from portal.events.outbox import record_events
from portal.models import Helpdesk, Ticket, TicketAlert
from portal.models.alerts.timeline import TimelineKind
from portal.models.events.event import EventType
from portal.models.tickets.ticket import ClosedBy, TicketStatus
from portal.services.audit.record import Target
from portal.services.text import clean_line
from portal.sync.alerts.timeline import Entry, add_entries


def name_ticket(helpdesk: Helpdesk, ticket: Ticket) -> str:
    """`ticket 1042 in RT`."""
    return f"ticket {ticket.reference or '(without a number)'} in {helpdesk.name}"


def get_target(ticket: Ticket) -> Target:
    return Target("ticket", ticket.id, ticket.reference or ticket.subject)


def clean_reference(text: str) -> str:
    """As a person types it, with or without `#`. Raises InvalidInput."""
    return clean_line(text.strip().removeprefix("#"), "reference", "the number of the ticket")


def mark_closed(ticket: Ticket, by: ClosedBy, at: datetime) -> None:
    ticket.status, ticket.closed_at, ticket.closed_by = TicketStatus.CLOSED, at, by


def write_down(
    session: Session,
    helpdesk: Helpdesk,
    ticket: Ticket,
    text: str,
    kind: EventType | None = None,
    answer: str = "",
) -> None:
    """Inside the transaction of the change. `answer`: what the helpdesk said, or why."""
    alert_ids = list_alerts(session, [ticket.id]).get(ticket.id, [])
    details = {"ticket_id": ticket.id}
    add_entries(session, [Entry(each, TimelineKind.TICKET, text, details) for each in alert_ids])
    if kind is None:
        return
    payload = {
        "ticket_id": ticket.id,
        "helpdesk_id": helpdesk.id,
        "helpdesk": helpdesk.name,
        "reference": ticket.reference,
        "url": ticket.url,
        "status": str(ticket.status),
        "subject": ticket.subject,
        "asset_id": ticket.asset_id,
        "client_id": ticket.client_id,
        "touched_by": ticket.touched_by,
        "closed_by": str(ticket.closed_by) if ticket.closed_by else None,
        "alert_ids": alert_ids,
        "answer": answer or None,
    }
    record_events(session, [(kind, ticket.reference or ticket.subject, payload)])


def list_alerts(session: Session, ticket_ids: Collection[int]) -> dict[int, list[int]]:
    """Ids of the alerts that hang on tickets, by ticket."""
    rows = session.execute(
        select(TicketAlert.ticket_id, TicketAlert.alert_id)
        .where(TicketAlert.ticket_id.in_(ticket_ids))
        .distinct()
        .order_by(TicketAlert.alert_id)
    )
    found: dict[int, list[int]] = {}
    for ticket_id, alert_id in rows:
        found.setdefault(ticket_id, []).append(alert_id)
    return found
