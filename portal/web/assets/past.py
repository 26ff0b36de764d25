"""The list of assets as of a past day."""

from __future__ import annotations

from dataclasses import replace

from flask import flash, redirect
from flask.typing import ResponseReturnValue

from portal.errors import InvalidInput
from portal.services.assets.daily_counts import read_days
from portal.services.assets.listing import AssetFilter
from portal.services.lists.paging import Page, paginate_list
from portal.services.past.fleet import (
    PAST_COLUMNS,
    choose_rows,
    count_types,
    name_clients,
    read_facts,
)
from portal.web.client_filter import find_shown_client
from portal.web.downloads import send_csv
from portal.web.fragments import page_number, page_or_region
from portal.web.past import read_past_day, refuse_day, url_without_day


def show_past_list(shown: AssetFilter) -> ResponseReturnValue:
    try:
        past = read_past_day()
    except InvalidInput as error:
        return refuse_day("Assets", error)
    fleet = past.read_fleet()
    clients = name_clients(row.asset for row in fleet.rows)
    chosen = choose_rows(fleet.rows, shown, clients)
    page = paginate_list(chosen, page_number())
    facts = read_facts(fleet, page.items, clients)
    of_client = None if shown.client_id is None else [shown.client_id]
    counted = read_days(1, past.day, of_client)
    return page_or_region(
        "past/assets.html",
        {"past-rows": "past/_assets.html"},
        past=past,
        filters={
            "q": shown.search,
            "status": shown.status,
            "client": find_shown_client(shown.client_id),
            "type": shown.asset_type,
            "os": shown.os_type,
        },
        sort=shown.sort,
        os_types=sorted({a.os_type for a in fleet.present if a.os_type}),
        page=Page(list(zip(page.items, facts, strict=True)), page.number, page.total),
        by_type=count_types(row.asset for row in chosen),
        by_status=counted[0].by_status if counted else None,
    )


def export_past_list(shown: AssetFilter) -> ResponseReturnValue:
    """The same list, streamed."""
    try:
        past = read_past_day()
    except InvalidInput as error:
        flash(error.message, "error")
        return redirect(url_without_day("assets.index"))
    fleet = past.read_fleet()
    clients = name_clients(row.asset for row in fleet.rows)
    chosen = choose_rows(fleet.rows, replace(shown, sort="name"), clients)
    return send_csv(f"assets-as-of-{past.day}", PAST_COLUMNS, read_facts(fleet, chosen, clients))
