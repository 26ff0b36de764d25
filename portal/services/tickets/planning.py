"""What news of alerts comes to in tickets: opened, commented, closed, opened again.

In the transaction of the decision about the alerts.
"""

from __future__ import annotations

from collections.abc import Sequence

from sqlalchemy import select
from sqlalchemy.orm import Session

from portal.db import insert
from portal.helpdesks.carefully import make_key
from portal.models import AlertHandling, Tenant, Ticket, TicketAlert, TicketTask
from portal.models.alerts.handling import HandlingState
from portal.models.alerts.timeline import TimelineKind
from portal.models.tickets.ticket import LIVE, TaskStatus, TaskVerb, TicketStatus
from portal.scope import get_tenant_id
from portal.services.handling.facts import Facts
from portal.services.handling.outcome import Outcome
from portal.services.tickets.board import Board, load_board
from portal.services.tickets.ordering import TicketOrder, describe
from portal.services.tickets.wording import say_over, say_raised
from portal.sync.alerts.timeline import Entry, add_entries

_UNDECIDED = (HandlingState.UNDECIDED, HandlingState.HELD, HandlingState.IGNORED)


def plan_tickets(session: Session, outcomes: Sequence[Outcome], facts: Facts) -> set[int]:
    """The helpdesks that have something to do."""
    ids = [outcome.handling.id for outcome in outcomes]
    orders = [order for outcome in outcomes for order in outcome.tickets]
    helpdesk_ids = {order.helpdesk_id for order in orders} | _list_linked(session, ids)
    if not helpdesk_ids:
        return set()
    outages = {order.outage for order in orders}
    board = load_board(session, helpdesk_ids, outages, ids, facts.now)
    for outcome in outcomes:
        for order in outcome.tickets:
            if order.helpdesk_id in board.helpdesks:  # else it was deleted just now
                hang(session, board, outcome.handling, order)
    for outcome in outcomes:
        _follow(board, outcome, facts)
    return write_tasks(session, board)


def _list_linked(session: Session, handling_ids: Sequence[int]) -> set[int]:
    """Ids of the helpdesks on whose tickets these hang."""
    linked = (
        select(Ticket.helpdesk_id)
        .join(TicketAlert, TicketAlert.ticket_id == Ticket.id)
        .where(TicketAlert.handling_id.in_(handling_ids))
    )
    return set(session.scalars(linked.distinct()))


def hang(
    session: Session,
    board: Board,
    handling: AlertHandling,
    order: TicketOrder,
    by: str | None = None,
) -> Ticket | None:
    """Have it on the outage's live ticket, or on a new one; None where it hangs on one already.

    `by`: a person who wants it; None for a rule.
    """
    its = [
        link
        for ticket, link in board.links_of(handling.id)
        if ticket.helpdesk_id == order.helpdesk_id and (by is None or ticket.status in LIVE)
    ]
    if any(not link.is_over for link in its):
        return None  # or it did, until somebody closed that: who wants another one says so
    ticket = board.find_current(order.helpdesk_id, order.outage)
    if ticket is None:
        ticket = _open(session, board, order)
        link_alert(session, board, ticket, handling, by)
        return ticket
    link_alert(session, board, ticket, handling, by)
    tell_raised(board, ticket, handling, order.line)
    _write_down(session, board, ticket, handling)
    return ticket


def _open(session: Session, board: Board, order: TicketOrder) -> Ticket:
    tenant = session.get_one(Tenant, get_tenant_id())
    values = dict(order.values)
    mapped = board.customers.get((order.helpdesk_id, values["client_id"] or 0), "")
    values["customer_id"] = values["customer_id"] or mapped
    ticket = Ticket(
        helpdesk_id=order.helpdesk_id, outage=order.outage, key=make_key(tenant.slug), **values
    )
    session.add(ticket)
    session.flush()
    board.tickets[ticket.id] = ticket
    board.add_task(ticket, TaskVerb.OPEN, "", "open")
    return ticket


def link_alert(
    session: Session, board: Board, ticket: Ticket, handling: AlertHandling, by: str | None
) -> None:
    link = board.links.get((ticket.id, handling.id))
    if link is None:
        link = TicketAlert(
            ticket_id=ticket.id,
            handling_id=handling.id,
            alert_id=handling.alert_id,
            occurrence=handling.occurrence,
            linked_by=by,
        )
        session.add(link)
        board.links[ticket.id, handling.id] = link
    link.is_over = False
    board.active[ticket.id] = board.active.get(ticket.id, 0) + 1


def tell_raised(
    board: Board, ticket: Ticket, handling: AlertHandling, line: str, what: str = "raised"
) -> None:
    """One that is being closed, or was, is opened again."""
    waiting = board.tasks.get(ticket.id, [])
    closing = [task for task in waiting if task.verb is TaskVerb.CLOSE]
    for task in closing:
        if task.begun_at is None:
            task.verb = TaskVerb.COMMENT
    must_reopen = ticket.status not in LIVE or any(task.begun_at for task in closing)
    if ticket.status not in LIVE:
        ticket.status, ticket.closed_at, ticket.closed_by = TicketStatus.OPEN, None, None
    verb = TaskVerb.REOPEN if must_reopen else TaskVerb.COMMENT
    board.add_task(ticket, verb, line, _name_news(what, handling), handling.id)


def _follow(board: Board, outcome: Outcome, facts: Facts) -> None:
    """Tell the tickets that it hangs on what they do not know: that it is over, or is after all
    active."""
    handling = outcome.handling
    subject = facts.subjects.get(handling.id)
    links = board.links_of(handling.id)
    if subject is None or not links:
        return
    rule, urgency = handling.rule_name or "", handling.urgency or "normal"
    alert = describe(handling, subject, facts.address, rule=rule, urgency=urgency)
    is_over = handling.over_at is not None
    hangs_in = {ticket.helpdesk_id for ticket, link in links if not link.is_over}
    for ticket, link in links:
        if is_over and not link.is_over:
            link.is_over = True
            board.active[ticket.id] = left = board.active[ticket.id] - 1
            if ticket.status in LIVE:
                verb = TaskVerb.COMMENT if left else TaskVerb.CLOSE
                news = _name_news("over", handling)
                board.add_task(ticket, verb, say_over(alert, left), news, handling.id)
        elif ticket.helpdesk_id not in hangs_in and _may_revive(board, outcome, ticket, link):
            link.is_over = False
            board.active[ticket.id] = board.active.get(ticket.id, 0) + 1
            tell_raised(board, ticket, handling, say_raised(alert, is_again=True))


def _may_revive(board: Board, outcome: Outcome, ticket: Ticket, link: TicketAlert) -> bool:
    """Whether the ticket was told that it is over, and it is active after all."""
    if not link.is_over or outcome.handling.over_at is not None:
        return False
    state = outcome.values.get("state", outcome.handling.state)
    is_wanted = link.linked_by is not None or state is HandlingState.ACTED
    current = board.find_current(ticket.helpdesk_id, ticket.outage)
    return is_wanted and state not in _UNDECIDED and current is ticket


def _name_news(what: str, handling: AlertHandling) -> str:
    again = f":again{handling.reopened}" if handling.reopened else ""
    return f"h{handling.id}:{what}{again}"


def _write_down(session: Session, board: Board, ticket: Ticket, handling: AlertHandling) -> None:
    name = board.helpdesks[ticket.helpdesk_id].name
    which = f"ticket {ticket.reference}" if ticket.reference else "a ticket that waits to be opened"
    text = f"It hangs on {which} in {name}."
    entry = Entry(handling.alert_id, TimelineKind.TICKET, text, {"ticket_id": ticket.id})
    add_entries(session, [entry])


def write_tasks(session: Session, board: Board) -> set[int]:
    """The same news twice is one task. The helpdesks that have something to do."""
    session.flush()
    names = ("ticket_id", "helpdesk_id", "handling_id", "verb", "key", "text")
    common = {
        "tenant_id": get_tenant_id(),
        "created_at": board.now,
        "status": TaskStatus.WAITING,
        "attempts": 0,
    }
    rows = [common | {name: getattr(task, name) for name in names} for task in board.added]
    if rows:
        statement = insert(TicketTask).on_conflict_do_nothing(index_elements=["tenant_id", "key"])
        session.execute(statement, rows)
    board.added.clear()
    return {task.helpdesk_id for tasks in board.tasks.values() for task in tasks}
