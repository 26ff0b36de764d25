"""The list of clients as of a past day."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from flask.typing import ResponseReturnValue

from portal.errors import InvalidInput
from portal.services.lists.paging import paginate_list
from portal.services.past.clients import PAST_CLIENT_COLUMNS, export_past_clients, list_past_clients
from portal.web.fragments import page_number, page_or_region
from portal.web.past import PastDay, export_past_day, read_past_day, refuse_day


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
    def read_rows(past: PastDay) -> Iterator[dict[str, Any]]:
        return export_past_clients(list_past_clients(past.day, search))

    return export_past_day("clients", "clients.index", PAST_CLIENT_COLUMNS, read_rows)
