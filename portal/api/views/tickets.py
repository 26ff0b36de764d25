"""Tickets: what alerts opened in helpdesks."""

from __future__ import annotations

from typing import Any

from flask.typing import ResponseReturnValue

from portal.api.answers import answer_list, answer_one, page_url
from portal.api.document import Room
from portal.api.fields import (
    ListArguments,
    Record,
    moment,
    one_of,
    page_address,
    row_id,
    search,
    text,
    wanted_id,
)
from portal.services.api import lists
from portal.services.tickets.filters import GROUPS, STATES, TicketFilter

tickets = Room("tickets", __name__, "Tickets in helpdesks.")


class Ticket(Record):
    id = row_id("Its number in the portal.")
    helpdesk_id = row_id("The helpdesk.")
    helpdesk = text("The helpdesk's name.")
    ticket_ref = text("The helpdesk's number of it.", nullable=True)
    ticket_url = text("Its page in the helpdesk.", nullable=True)
    ticket_state = text("`waiting`, `open`, `failing`, `closed`, `unsure`, `failed` or `gone`.")
    subject = text("Of the ticket.")
    queue = text("As the helpdesk calls it.")
    asset_id = row_id("The asset that it is about.", nullable=True)
    client_id = row_id("The client that it is about.", nullable=True)
    touched_by = text("Who, other than the portal, did something to it there.", nullable=True)
    closed_by = text("`portal` or `helpdesk`.", nullable=True)
    last_error = text("Why it is unsure, or something failed.", nullable=True)
    opened_at = moment("When the portal opened it.", nullable=True)
    closed_at = moment("When it was closed.", nullable=True)
    read_at = moment("When the helpdesk last told its state.", nullable=True)
    created_at = moment("When the portal decided to open it.")
    url = page_address()


class TicketArguments(ListArguments):
    q = search("Words that must all be found in number, subject or queue.")
    state = one_of((*GROUPS, *STATES), "Of `attention` a person has to do something.")
    helpdesk_id = wanted_id("Those in a helpdesk.")
    client_id = wanted_id("Those of a client.")
    asset_id = wanted_id("Those of an asset.")


@tickets.lists("/tickets", Ticket, TicketArguments)
def list_tickets(arguments: dict[str, Any]) -> ResponseReturnValue:
    """List tickets, the newest first."""
    shown = TicketFilter(
        search=arguments.get("q", ""),
        state=arguments.get("state", ""),
        helpdesk_id=arguments.get("helpdesk_id"),
        client_id=arguments.get("client_id"),
        asset_id=arguments.get("asset_id"),
    )
    add_url = page_url("tickets.show", "ticket_id")
    return answer_list(arguments, lambda part: lists.list_tickets(shown, part), add_url)


@tickets.shows("/tickets/<int:ticket_id>", Ticket)
def show_ticket(ticket_id: int) -> ResponseReturnValue:
    """Show a ticket."""
    return answer_one(lists.read_ticket(ticket_id), page_url("tickets.show", "ticket_id"))
