"""Tickets: the list, one ticket, and what a person does about one that failed or is unsure."""

from __future__ import annotations

from contextlib import suppress

from flask import flash, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue

from portal.errors import InvalidInput, NotFound, Refused
from portal.services.accounts.permissions import Permission
from portal.services.assets.listing import get_asset
from portal.services.errands.requests import TooManyWaiting
from portal.services.helpdesks.listing import list_names
from portal.services.ticket_rows import TICKET_COLUMNS, export_tickets
from portal.services.tickets import listing
from portal.services.tickets.filters import TicketFilter
from portal.services.tickets.mending import Retried, retry
from portal.services.tickets.unsure import settle_unsure
from portal.web.client_filter import find_shown_client, read_client_id
from portal.web.downloads import send_csv
from portal.web.errands.following import follow
from portal.web.fragments import find_way_back, page_number, page_or_region, words
from portal.web.guard import requires, tenant_blueprint
from portal.web.input import to_id, wants_all_matching
from portal.web.saved_views.look import list_context
from portal.wording import plural

tickets = tenant_blueprint("tickets", __name__, "/tickets")

ALL = "any"
"""Of the address: without a state, the list shows what is open."""
IS_THERE = "there"
"""What a person found of an unsure ticket; otherwise it is opened."""


@tickets.get("/")
@requires(Permission.READ)
def index() -> ResponseReturnValue:
    shown = _read_filter()
    return page_or_region(
        "tickets/list.html",
        {"ticket-rows": "tickets/_rows.html"},
        **list_context("tickets"),
        page=listing.list_tickets(shown, page_number()),
        ticket_counts=listing.count_groups(shown),
        filters={
            "q": shown.search,
            "state": words("state"),
            "helpdesk_id": shown.helpdesk_id,
            "client": find_shown_client(shown.client_id),
            "asset": get_asset(shown.asset_id) if shown.asset_id else None,
        },
        helpdesks=list_names(),
    )


@tickets.get("/export.csv")
@requires(Permission.READ)
def export() -> ResponseReturnValue:
    """The tickets that the list shows, streamed."""
    return send_csv("tickets", TICKET_COLUMNS, export_tickets(_read_filter()))


@tickets.get("/<int:ticket_id>")
@requires(Permission.READ)
def show(ticket_id: int) -> ResponseReturnValue:
    return _show(ticket_id)


@tickets.post("/retry")
@requires(Permission.ACT_ON_ALERTS)
def retry_many() -> ResponseReturnValue:
    try:
        matching = wants_all_matching()
        _tell(retry(_read_filter() if matching else request.form.getlist("ticket", type=to_id)))
    except InvalidInput as error:
        flash(error.message, "error")
    return redirect(find_way_back(url_for("tickets.index")))


@tickets.post("/<int:ticket_id>/retry")
@requires(Permission.ACT_ON_ALERTS)
def retry_one(ticket_id: int) -> ResponseReturnValue:
    _tell(retry([ticket_id]))
    return redirect(find_way_back(url_for("tickets.show", ticket_id=ticket_id)))


@tickets.post("/<int:ticket_id>/settle")
@requires(Permission.ACT_ON_ALERTS)
def settle(ticket_id: int) -> ResponseReturnValue:
    is_there, reference = request.form.get("found") == IS_THERE, request.form.get("reference", "")
    try:
        errand = settle_unsure(ticket_id, reference if is_there else None)
    except InvalidInput as error:
        return _show(ticket_id, reference, error.message), 422
    except (Refused, TooManyWaiting) as error:
        flash(error.message, "error")
    else:
        if errand is not None:
            follow(errand)
        else:
            number = reference.strip().removeprefix("#")
            text = f"This is ticket {number}." if is_there else "The ticket is opened now."
            flash(text, "success")
    return redirect(find_way_back(url_for("tickets.show", ticket_id=ticket_id)))


def _show(ticket_id: int, reference: str = "", problem: str = "") -> str:
    """`reference`: what was typed, with what is wrong with it."""
    row, asset, client = listing.get_ticket(ticket_id), None, None
    with suppress(NotFound):  # of what it is about, somebody who is limited may see nothing
        client = find_shown_client(row.ticket.client_id)
        asset = get_asset(row.ticket.asset_id) if row.ticket.asset_id else None
    return render_template(
        "tickets/detail.html",
        row=row,
        asset=asset,
        client=client,
        alerts=listing.list_alerts_of(ticket_id),
        tasks=listing.list_tasks(ticket_id),
        reference=reference,
        problem=problem,
    )


def _read_filter() -> TicketFilter:
    state = words("state") or "live"
    return TicketFilter(
        search=words("q"),
        state="" if state == ALL else state,
        helpdesk_id=request.args.get("helpdesk_id", type=to_id),
        client_id=read_client_id(),
        asset_id=request.args.get("asset_id", type=to_id),
    )


def _tell(retried: Retried) -> None:
    if retried.done:
        text = f"{plural(retried.done, 'ticket is', 'tickets are')} tried again."
        if retried.left:
            text += f" {retried.left:,} more failed: press “Try again” once more."
        flash(text, "success")
    if retried.failures:
        more = len(retried.failures) - 1
        others = f" {plural(more, 'other was', 'others were')} not tried either." if more else ""
        flash(f"{retried.failures[0]}{others}", "warning")
