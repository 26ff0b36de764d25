"""The tickets that news of alerts may concern, read and held while it is decided about them.

Whoever changes tickets of a helpdesk, or what is to be done to them, holds its row: so of one
outage there is one live ticket, however many decide at once. Those who hold handlings too hold
these first.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from sqlalchemy import and_, func, or_, select
from sqlalchemy.orm import Session

from portal.helpdesks import KINDS
from portal.models import Helpdesk, HelpdeskCustomer, Ticket, TicketAlert, TicketTask
from portal.models.tickets.ticket import LIVE, ClosedBy, TaskStatus, TaskVerb, TicketStatus

REOPENED_FOR = timedelta(days=1)
"""So long after the portal closed a ticket, its outage opens it again when it recurs."""
LONGEST_TASK = 8000
"""Characters of lines that are told in one comment."""


@dataclass(slots=True)
class Board:
    """`active`: how many alerts of a ticket are not over, by its id. `tasks`: what waits to be done
    to it, in order; `added`: what is new of these."""

    now: datetime
    helpdesks: dict[int, Helpdesk]
    tickets: dict[int, Ticket]
    links: dict[tuple[int, int], TicketAlert]
    active: dict[int, int]
    tasks: dict[int, list[TicketTask]]
    customers: dict[tuple[int, int], str]
    added: list[TicketTask] = field(default_factory=list)

    def links_of(self, handling_id: int) -> list[tuple[Ticket, TicketAlert]]:
        """Of a handling, with their tickets; the newest last."""
        return [
            (self.tickets[ticket_id], link)
            for (ticket_id, linked), link in self.links.items()
            if linked == handling_id
        ]

    def find_current(self, helpdesk_id: int, outage: str) -> Ticket | None:
        """The live ticket of the outage, or the one that the portal closed last and may reopen."""
        its = [
            ticket
            for ticket in self.tickets.values()
            if (ticket.helpdesk_id, ticket.outage) == (helpdesk_id, outage)
        ]
        live = [ticket for ticket in its if ticket.status in LIVE]
        if live:
            return live[0]
        last = max(its, key=lambda ticket: ticket.id, default=None)
        return last if last is not None and self.can_reopen(last) else None

    def can_reopen(self, ticket: Ticket) -> bool:
        helpdesk = self.helpdesks[ticket.helpdesk_id]
        kind = KINDS.get(helpdesk.kind)
        return (
            kind is not None
            and kind.can_close(helpdesk.settings)
            and ticket.status is TicketStatus.CLOSED
            and ticket.closed_by is ClosedBy.PORTAL
            and ticket.closed_at is not None
            and ticket.closed_at >= self.now - REOPENED_FOR
        )

    def add_task(
        self, ticket: Ticket, verb: TaskVerb, text: str, news: str, handling_id: int | None = None
    ) -> None:
        """Lines that wait to be told are told together. `news` makes its key."""
        waiting = self.tasks.setdefault(ticket.id, [])
        last = waiting[-1] if waiting else None
        if verb is TaskVerb.COMMENT and last is not None and _takes_more(last, text):
            last.text = f"{last.text}\n{text}"
            return
        task = TicketTask(
            ticket_id=ticket.id,
            helpdesk_id=ticket.helpdesk_id,
            handling_id=handling_id,
            verb=verb,
            key=f"{ticket.key}:{news}",
            text=text,
        )
        waiting.append(task)
        self.added.append(task)


def _takes_more(task: TicketTask, text: str) -> bool:
    is_comment = task.verb is TaskVerb.COMMENT and task.begun_at is None
    return is_comment and len(task.text) + len(text) < LONGEST_TASK


def hold_helpdesks(session: Session, ids: Collection[int]) -> dict[int, Helpdesk]:
    """In one order, so that two who hold some of the same do not wait for each other."""
    rows = session.scalars(
        select(Helpdesk)
        .where(Helpdesk.id.in_(ids))
        .order_by(Helpdesk.id)
        .with_for_update(key_share=True)
        .execution_options(populate_existing=True)
    )
    return {row.id: row for row in rows}


def load_board(
    session: Session,
    helpdesk_ids: Collection[int],
    outages: Collection[str],
    handling_ids: Sequence[int],
    now: datetime,
) -> Board:
    """In a fixed number of statements."""
    helpdesks = hold_helpdesks(session, helpdesk_ids)
    linked = select(TicketAlert.ticket_id).where(TicketAlert.handling_id.in_(handling_ids))
    is_recent = and_(
        Ticket.helpdesk_id.in_(helpdesk_ids),
        Ticket.outage.in_(outages),
        or_(Ticket.status.in_(LIVE), Ticket.closed_at >= now - REOPENED_FOR),
    )
    found = session.scalars(
        select(Ticket)
        .where(or_(Ticket.id.in_(linked), is_recent), Ticket.helpdesk_id.in_(helpdesk_ids))
        .order_by(Ticket.id)
        .execution_options(populate_existing=True)
    ).all()
    ids = [ticket.id for ticket in found]
    customers = session.scalars(
        select(HelpdeskCustomer).where(HelpdeskCustomer.helpdesk_id.in_(helpdesk_ids))
    )
    return Board(
        now=now,
        helpdesks=helpdesks,
        tickets={ticket.id: ticket for ticket in found},
        links=_load_links(session, ids, handling_ids),
        active=_count_active(session, ids),
        tasks=_load_tasks(session, ids),
        customers={(row.helpdesk_id, row.client_id): row.customer_id for row in customers},
    )


def _load_links(
    session: Session, ticket_ids: Sequence[int], handling_ids: Sequence[int]
) -> dict[tuple[int, int], TicketAlert]:
    rows = session.scalars(
        select(TicketAlert)
        .where(TicketAlert.ticket_id.in_(ticket_ids), TicketAlert.handling_id.in_(handling_ids))
        .order_by(TicketAlert.id)
        .execution_options(populate_existing=True)
    )
    return {(row.ticket_id, row.handling_id): row for row in rows}


def _count_active(session: Session, ticket_ids: Sequence[int]) -> dict[int, int]:
    rows = session.execute(
        select(TicketAlert.ticket_id, func.count())
        .where(TicketAlert.ticket_id.in_(ticket_ids), ~TicketAlert.is_over)
        .group_by(TicketAlert.ticket_id)
    )
    return {row[0]: row[1] for row in rows}


def _load_tasks(session: Session, ticket_ids: Sequence[int]) -> dict[int, list[TicketTask]]:
    rows = session.scalars(
        select(TicketTask)
        .where(TicketTask.ticket_id.in_(ticket_ids), TicketTask.status == TaskStatus.WAITING)
        .order_by(TicketTask.id)
        .execution_options(populate_existing=True)
    )
    tasks: dict[int, list[TicketTask]] = defaultdict(list)
    for task in rows:
        tasks[task.ticket_id].append(task)
    return tasks
