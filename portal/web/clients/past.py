"""The list of clients as of a past day."""

from __future__ import annotations

from flask import flash, redirect
from flask.typing import ResponseReturnValue

from portal.errors import InvalidInput
from portal.services.lists.paging import paginate_list
from portal.services.past.clients import PAST_CLIENT_COLUMNS, export_past_clients, list_past_clients
from portal.web.downloads import send_csv
from portal.web.fragments import page_number, page_or_region
from portal.web.past import read_past_day, refuse_day, url_without_day


def show_past_clients(search: str) -> ResponseReturnValue:
    try:
        past = read_past_day()
    except InvalidInput as error:
        return refuse_day("Clients", error)
    found = list_past_clients(past.day, search)
    return page_or_region(
        "past/clients.html",
        {"past-rows": "past/_clients.html"},
        past=past,
        q=search,
        page=paginate_list(found.listed, page_number()),
        found=found,
    )


def export_past_list(search: str) -> ResponseReturnValue:
    """The same list, streamed."""
    try:
        past = read_past_day()
    except InvalidInput as error:
        flash(error.message, "error")
        return redirect(url_without_day("clients.index"))
    rows = export_past_clients(list_past_clients(past.day, search))
    return send_csv(f"clients-as-of-{past.day}", PAST_CLIENT_COLUMNS, rows)
