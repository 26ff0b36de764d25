"""Tickets, as pages, commands, exports and the API show them."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any, cast

from sqlalchemy import Select, case, func, select

from portal.clock import iso_utc
from portal.db import db
from portal.errors import NotFound
from portal.models import Alert, Helpdesk, Ticket, TicketAlert, TicketTask
from portal.models.tickets.ticket import TaskStatus, TicketStatus
from portal.services.alerts.listing import AlertRow, query_alerts
from portal.services.lists.paging import Page, paginate
from portal.services.tickets.filters import (
    FAILING,
    GROUPS,
    IS_OF_PRESENT,
    TicketFilter,
    ticket_conditions,
)

MOST_ALERTS = 100
_LOST = (TaskStatus.FAILED, TaskStatus.UNSURE, TaskStatus.DROPPED)
_USED_LATELY = 200


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
        return FAILING if is_failing else str(ticket.status)


@dataclass(frozen=True, slots=True)
class Unsettled:
    """`since`: when what was to be done last went wrong."""

    row: TicketRow
    since: datetime


def get_ticket(ticket_id: int) -> TicketRow:
    """Raises NotFound."""
    row = db.session.execute(select_tickets().where(Ticket.id == ticket_id)).first()
    if row is None:
        raise NotFound("This ticket does not exist.")
    return TicketRow(row.Ticket, row.name)


def list_tickets(shown: TicketFilter, number: int) -> Page[TicketRow]:
    """A page of them, the newest first."""
    conditions = ticket_conditions(shown)
    query = cast("Select[Any]", select_tickets().where(*conditions).order_by(Ticket.id.desc()))
    total = select(func.count(Ticket.id)).where(*conditions)
    return paginate(query, total, number, lambda row: TicketRow(row.Ticket, row.name))


def count_groups(shown: TicketFilter) -> dict[str, int]:
    """How many of each group the filter shows, its own state aside, and `total`."""
    conditions = ticket_conditions(replace(shown, state=""))
    numbers = [func.count(case((holds, 1))) for holds in GROUPS.values()]
    row = db.session.execute(select(*numbers, func.count(Ticket.id)).where(*conditions)).one()
    return dict(zip((*GROUPS, "total"), row, strict=True))


def list_unsettled(most: int) -> tuple[list[Unsettled], int]:
    """Of which a person has to do something, the newest first; and how many there are in all."""
    since = (
        select(func.max(TicketTask.settled_at))
        .where(TicketTask.ticket_id == Ticket.id, TicketTask.status.in_(_LOST))
        .correlate(Ticket)
        .scalar_subquery()
    )
    more = (since.label("since"), func.count().over().label("total"))
    query = select_tickets().add_columns(*more).where(GROUPS["attention"])
    rows = db.session.execute(query.order_by(Ticket.id.desc()).limit(most)).all()
    found = [
        Unsettled(TicketRow(row.Ticket, row.name), row.since or row.Ticket.created_at)
        for row in rows
    ]
    return found, rows[0].total if rows else 0


def list_of_alerts(alert_ids: Collection[int]) -> dict[int, list[TicketRow]]:
    """Those on which any occurrence of an alert hangs, by its id; the newest first."""
    return _group_by_alert(_select_linked(alert_ids))


def list_current(alert_ids: Collection[int]) -> dict[int, TicketRow]:
    """The newest on which the present occurrence of an alert hangs, by its id."""
    if not alert_ids:
        return {}
    found = _group_by_alert(_select_linked(alert_ids).join(Alert, IS_OF_PRESENT))
    return {alert_id: rows[0] for alert_id, rows in found.items()}


def _select_linked(alert_ids: Collection[int]) -> Select[Ticket, str, int]:
    return (
        select_tickets()
        .add_columns(TicketAlert.alert_id)
        .join(TicketAlert, TicketAlert.ticket_id == Ticket.id)
        .where(TicketAlert.alert_id.in_(alert_ids))
    )


def _group_by_alert(query: Select[Ticket, str, int]) -> dict[int, list[TicketRow]]:
    """Sorted here: asked for the order of ids, SQLite would walk all tickets in it."""
    found: dict[int, list[TicketRow]] = {}
    linked = sorted(db.session.execute(query), key=lambda row: row.Ticket.id, reverse=True)
    for ticket, helpdesk, alert_id in linked:
        rows = found.setdefault(alert_id, [])
        if all(row.ticket.id != ticket.id for row in rows):
            rows.append(TicketRow(ticket, helpdesk))
    return found


def list_open(
    most: int, *, asset_id: int | None = None, client_id: int | None = None
) -> list[TicketRow]:
    """Those of an asset or a client that are open, or are to be: the newest first."""
    return list_newest(TicketFilter(state="live", asset_id=asset_id, client_id=client_id), most)


def list_newest(shown: TicketFilter, most: int) -> list[TicketRow]:
    query = select_tickets().where(*ticket_conditions(shown)).order_by(Ticket.id.desc())
    return [TicketRow(row.Ticket, row.name) for row in db.session.execute(query.limit(most))]


def list_alerts_of(ticket_id: int) -> list[AlertRow]:
    """Those that hang on it, the newest first.

    In two statements: in one, PostgreSQL walks through all alerts by time until it has enough.
    """
    newest = (Alert.triggered_at.desc(), Alert.id.desc())
    its = (
        select(Alert.id)
        .join(TicketAlert, TicketAlert.alert_id == Alert.id)
        .where(TicketAlert.ticket_id == ticket_id)
        .group_by(Alert.id)
        .order_by(*newest)
        .limit(MOST_ALERTS)
    )
    ids = db.session.scalars(its).all()
    query = query_alerts(Alert.id.in_(ids)).order_by(*newest)
    return [AlertRow(alert) for alert in db.session.scalars(query)]


def list_used_queues() -> list[tuple[int, str]]:
    """Helpdesks' ids with their queues, that in which a ticket was opened last first."""
    query = select(Ticket.helpdesk_id, Ticket.queue).order_by(Ticket.id.desc())
    rows = db.session.execute(query.limit(_USED_LATELY))
    return list(dict.fromkeys((row.helpdesk_id, row.queue) for row in rows if row.queue))


def list_tasks(ticket_id: int) -> Sequence[TicketTask]:
    """What was and is to be done to it, in order."""
    query = select(TicketTask).where(TicketTask.ticket_id == ticket_id).order_by(TicketTask.id)
    return db.session.scalars(query.execution_options(populate_existing=True)).all()


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


def select_tickets() -> Select[Ticket, str]:
    """With the names of their helpdesks."""
    query = select(Ticket, Helpdesk.name).join(Helpdesk, Helpdesk.id == Ticket.helpdesk_id)
    return query.execution_options(populate_existing=True)
