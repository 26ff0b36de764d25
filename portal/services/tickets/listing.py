"""Tickets, as pages, commands, exports and the API show them."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from typing import Any, cast

from sqlalchemy import ColumnElement, Select, func, or_, select

from portal.clock import iso_utc
from portal.db import db
from portal.errors import NotFound
from portal.models import AlertHandling, Helpdesk, Ticket, TicketAlert, TicketTask
from portal.models.tickets.ticket import LIVE, TaskStatus, TicketStatus
from portal.services.lists.paging import Page, paginate

UNSETTLED = (TicketStatus.UNSURE, TicketStatus.FAILED)
"""Of which a person has to do something."""


@dataclass(frozen=True, slots=True)
class TicketRow:
    """A ticket with the name of its helpdesk."""

    ticket: Ticket
    helpdesk: str

    @property
    def state(self) -> str:
        """A word of `TicketStatus`, or `failing`: something that was to be done to it failed."""
        ticket = self.ticket
        is_failing = ticket.status is TicketStatus.OPEN and ticket.last_error is not None
        return "failing" if is_failing else str(ticket.status)


def get_ticket(ticket_id: int) -> TicketRow:
    """Raises NotFound."""
    row = db.session.execute(_select().where(Ticket.id == ticket_id)).first()
    if row is None:
        raise NotFound("This ticket does not exist.")
    return TicketRow(row[0], row[1])


def list_tickets(
    number: int, *, states: Collection[TicketStatus] = (), helpdesk_id: int | None = None
) -> Page[TicketRow]:
    """A page of them, the newest first. `states`: empty for all."""
    conditions: list[ColumnElement[bool]] = []
    if states:
        conditions.append(Ticket.status.in_(states))
    if helpdesk_id is not None:
        conditions.append(Ticket.helpdesk_id == helpdesk_id)
    query = _select().where(*conditions).order_by(Ticket.id.desc())
    total = select(func.count(Ticket.id)).where(*conditions)
    rows = cast("Select[Any]", query)
    return paginate(rows, total, number, lambda row: TicketRow(row.Ticket, row.name))


def list_unsettled(most: int) -> list[TicketRow]:
    """Unsure, failed, or failing: the newest first."""
    is_failing = (Ticket.status == TicketStatus.OPEN) & Ticket.last_error.is_not(None)
    query = _select().where(or_(Ticket.status.in_(UNSETTLED), is_failing))
    rows = db.session.execute(query.order_by(Ticket.id.desc()).limit(most))
    return [TicketRow(*row) for row in rows]


def list_of_alerts(alert_ids: Collection[int]) -> dict[int, list[TicketRow]]:
    """Those on which any occurrence of an alert hangs, by its id; the newest first."""
    query = (
        _select()
        .add_columns(AlertHandling.alert_id)
        .join(TicketAlert, TicketAlert.ticket_id == Ticket.id)
        .join(AlertHandling, AlertHandling.id == TicketAlert.handling_id)
        .where(AlertHandling.alert_id.in_(alert_ids))
        .order_by(Ticket.id.desc())
    )
    found: dict[int, list[TicketRow]] = {}
    for ticket, helpdesk, alert_id in db.session.execute(query):
        rows = found.setdefault(alert_id, [])
        if all(row.ticket.id != ticket.id for row in rows):
            rows.append(TicketRow(ticket, helpdesk))
    return found


def list_open(*, asset_id: int | None = None, client_id: int | None = None) -> list[TicketRow]:
    """Those of an asset or a client that are open, or are to be."""
    its = Ticket.asset_id == asset_id if asset_id is not None else Ticket.client_id == client_id
    query = _select().where(its, Ticket.status.in_(LIVE)).order_by(Ticket.id.desc())
    return [TicketRow(*row) for row in db.session.execute(query)]


def list_alert_ids(ticket_id: int) -> Sequence[int]:
    """Of the alerts that hang on it."""
    return db.session.scalars(
        select(AlertHandling.alert_id)
        .join(TicketAlert, TicketAlert.handling_id == AlertHandling.id)
        .where(TicketAlert.ticket_id == ticket_id)
        .distinct()
        .order_by(AlertHandling.alert_id)
    ).all()


def list_tasks(ticket_id: int) -> Sequence[TicketTask]:
    """What was and is to be done to it, in order."""
    query = select(TicketTask).where(TicketTask.ticket_id == ticket_id).order_by(TicketTask.id)
    return db.session.scalars(query.execution_options(populate_existing=True)).all()


def count_waiting(helpdesk_id: int) -> int:
    """What is to be done in it."""
    its = (TicketTask.helpdesk_id == helpdesk_id, TicketTask.status == TaskStatus.WAITING)
    return db.session.scalar(select(func.count(TicketTask.id)).where(*its)) or 0


def to_short(row: TicketRow | None) -> dict[str, str | None]:
    """What exports and the API say of an alert's ticket."""
    ticket = row.ticket if row else None
    return {
        "ticket_ref": ticket.reference if ticket else None,
        "ticket_url": ticket.url if ticket else None,
        "ticket_state": row.state if row else None,
    }


def to_public(row: TicketRow) -> dict[str, Any]:
    ticket = row.ticket
    times = ("opened_at", "closed_at", "read_at", "created_at")
    return {
        "id": str(ticket.id),
        "helpdesk_id": str(ticket.helpdesk_id),
        "helpdesk": row.helpdesk,
        **to_short(row),
        "subject": ticket.subject,
        "queue": ticket.queue,
        "asset_id": str(ticket.asset_id) if ticket.asset_id is not None else None,
        "client_id": str(ticket.client_id) if ticket.client_id is not None else None,
        "touched_by": ticket.touched_by,
        "closed_by": str(ticket.closed_by) if ticket.closed_by else None,
        "last_error": ticket.last_error,
        **{name: iso_utc(at) if (at := getattr(ticket, name)) else None for name in times},
    }


def _select() -> Select[Ticket, str]:
    query = select(Ticket, Helpdesk.name).join(Helpdesk, Helpdesk.id == Ticket.helpdesk_id)
    return query.execution_options(populate_existing=True)
