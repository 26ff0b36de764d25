"""Which tickets a list shows, and the same in SQL."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from sqlalchemy import ColumnElement, and_, or_

from portal.models import Alert, Ticket, TicketAlert
from portal.models.tickets.ticket import LIVE, TicketStatus
from portal.services.lists.search import any_contains

FAILING = "failing"
_IS_OPEN = Ticket.status == TicketStatus.OPEN
STATES: Mapping[str, ColumnElement[bool]] = {
    **{str(each): Ticket.status == each for each in TicketStatus},
    str(TicketStatus.OPEN): _IS_OPEN & Ticket.last_error.is_(None),
    FAILING: _IS_OPEN & Ticket.last_error.is_not(None),
}
"""Word for the state of a ticket -> what holds of it. FAILING: something that was to be done to it
failed."""
HAS_FAILED = or_(STATES[FAILING], STATES[TicketStatus.FAILED])
IS_OF_PRESENT: ColumnElement[bool] = and_(
    TicketAlert.alert_id == Alert.id, TicketAlert.occurrence == Alert.occurrences
)
"""What hangs on the ticket is what the alert is at now."""
GROUPS: Mapping[str, ColumnElement[bool]] = {
    "live": Ticket.status.in_(LIVE),
    "attention": or_(STATES[TicketStatus.UNSURE], HAS_FAILED),
    "over": Ticket.status.in_((TicketStatus.CLOSED, TicketStatus.GONE)),
}
"""Word of the filter -> what holds of tickets of several states: of `attention` a person has to do
something."""


@dataclass(frozen=True, slots=True)
class TicketFilter:
    """What the list shows; an empty field does not filter. `state`: a word of STATES or GROUPS."""

    search: str = ""
    state: str = ""
    helpdesk_id: int | None = None
    client_id: int | None = None
    asset_id: int | None = None


def ticket_conditions(shown: TicketFilter) -> list[ColumnElement[bool]]:
    equals = (
        (Ticket.helpdesk_id, shown.helpdesk_id),
        (Ticket.client_id, shown.client_id),
        (Ticket.asset_id, shown.asset_id),
    )
    conditions = [column == value for column, value in equals if value is not None]
    holds = {**STATES, **GROUPS}.get(shown.state)
    if holds is not None:
        conditions.append(holds)
    texts = (Ticket.reference, Ticket.subject, Ticket.queue)
    return conditions + [any_contains(texts, word) for word in shown.search.split()]
