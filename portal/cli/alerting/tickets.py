"""`portal tickets`: what alerts opened in helpdesks, tried again or linked."""

from __future__ import annotations

import click

from portal.cli.command import PortalCommand, RowNumber, tenant_option
from portal.cli.outcome import FAILED, SUCCESS, Outcome, columns
from portal.services.tickets.by_hand import link_now
from portal.services.tickets.filters import GROUPS, STATES, TicketFilter
from portal.services.tickets.listing import TicketRow, get_ticket, list_newest, to_public
from portal.services.tickets.mending import retry
from portal.wording import plural

NONE = "There are no such tickets."
MORE = "There are more: these are the newest {:,}."


@click.group()
def tickets() -> None:
    """Show the tickets that alerts opened, have what failed tried again, or link one."""


@tickets.command("list", cls=PortalCommand)
@click.option("--state", type=click.Choice([*GROUPS, *STATES]), default="live", show_default=True)
@click.option("--all", "with_all", is_flag=True, help="Those of every state.")
@click.option("--most", type=click.IntRange(1, 1000), default=200, show_default=True)
@tenant_option
def list_all(state: str, with_all: bool, most: int) -> Outcome:
    """List tickets, the newest first. Of those in `attention` a person has to do something."""
    found = list_newest(TicketFilter(state="" if with_all else state), most + 1)
    rows, more = found[:most], len(found) > most
    table = [
        [str(row.ticket.id), row.state, row.helpdesk, row.ticket.reference or "-", _describe(row)]
        for row in rows
    ]
    data = {"ok": True, "tickets": [to_public(row) for row in rows], "more": more}
    lines = [columns(table) if table else NONE, *([MORE.format(most)] if more else [])]
    return Outcome(data, "\n".join(lines))


@tickets.command("retry", cls=PortalCommand)
@click.argument("ticket_ids", metavar="ID…", type=RowNumber(), nargs=-1, required=True)
@tenant_option
def retry_some(ticket_ids: tuple[int, ...]) -> Outcome:
    """Have what failed of these tickets tried for another day."""
    retried = retry(ticket_ids)
    data = {"ok": not retried.failures, "retried": retried.done, "failures": retried.failures}
    text = f"{plural(retried.done, 'ticket is', 'tickets are')} tried again."
    lines = [text, *retried.failures]
    return Outcome(data, "\n".join(lines), FAILED if retried.failures else SUCCESS)


@tickets.command("link", cls=PortalCommand)
@click.argument("alert_id", type=RowNumber())
@click.argument("helpdesk_id", type=RowNumber())
@click.argument("reference", metavar="NUMBER")
@tenant_option
def link(alert_id: int, helpdesk_id: int, reference: str) -> Outcome:
    """Link an alert to a ticket that is there. It is read first, and never closed by the portal."""
    row = get_ticket(link_now(alert_id, helpdesk_id, reference).id)
    text = f"The alert hangs on ticket {row.ticket.reference} in {row.helpdesk}."
    return Outcome({"ok": True, "ticket": to_public(row)}, text)


def _describe(row: TicketRow) -> str:
    ticket = row.ticket
    return f"{ticket.subject}: {ticket.last_error}" if ticket.last_error else ticket.subject
