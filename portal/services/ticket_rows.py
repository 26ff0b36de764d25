"""Tickets as rows of plain values, for files."""

from __future__ import annotations

from collections.abc import Iterator

from portal.db import db
from portal.models import Asset, Client, Ticket
from portal.services.export import ROWS_AT_ONCE, Row
from portal.services.plain import plain
from portal.services.tickets.filters import TicketFilter, ticket_conditions
from portal.services.tickets.listing import TicketRow, select_tickets

_FACTS = ("subject", "queue", "closed_by", "last_error")
_TIMES = ("created_at", "opened_at", "closed_at", "read_at")
TICKET_COLUMNS = (
    *("ticket_id", "ticket_ref", "ticket_url", "ticket_state", "helpdesk", "client", "asset"),
    *(*_FACTS, *_TIMES),
)


def export_tickets(shown: TicketFilter) -> Iterator[Row]:
    """Those that the filter shows, the newest first. Who took one is left out: a file goes further
    than the page, which tells some of it to nobody who is limited."""
    found = db.session.execute(
        select_tickets()
        .add_columns(Client.name, Asset.name)
        .outerjoin(Client, Client.id == Ticket.client_id)
        .outerjoin(Asset, Asset.id == Ticket.asset_id)
        .where(*ticket_conditions(shown))
        .order_by(Ticket.id.desc())
        .execution_options(yield_per=ROWS_AT_ONCE)
    )
    for ticket, helpdesk, client, asset in found:
        yield {
            "ticket_id": str(ticket.id),
            "ticket_ref": ticket.reference,
            "ticket_url": ticket.url,
            "ticket_state": TicketRow(ticket, helpdesk).state,
            "helpdesk": helpdesk,
            "client": client,
            "asset": asset,
            **{name: plain(getattr(ticket, name)) for name in (*_FACTS, *_TIMES)},
        }
