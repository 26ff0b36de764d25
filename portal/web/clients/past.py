"""The list of clients as of a past day."""

from __future__ import annotations

from flask.typing import ResponseReturnValue

from portal.errors import InvalidInput
from portal.services.lists.paging import paginate_list
from portal.services.past.clients import list_past_clients
from portal.web.fragments import page_number, page_or_region
from portal.web.past import read_past_day, refuse_day


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
        page=paginate_list(found, page_number()),
        any_status=any(client.by_status for client in found),
    )
