"""The list of assets as of a past day."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from flask.typing import ResponseReturnValue

from portal.errors import InvalidInput
from portal.services.assets.daily_counts import read_days
from portal.services.assets.listing import AssetFilter
from portal.services.past.fleet import PAST_COLUMNS
from portal.services.past.listing import export_past_assets, list_past_assets
from portal.web.client_filter import find_shown_client
from portal.web.fragments import page_number, page_or_region
from portal.web.past import PastDay, export_past_day, read_past_day, refuse_day


def show_past_list(shown: AssetFilter) -> ResponseReturnValue:
    try:
        past = read_past_day()
    except InvalidInput as error:
        return refuse_day("Assets", error)
    client = find_shown_client(shown.client_id)
    known = {client.id: client.name} if client else {}
    found = list_past_assets(past.end, shown, page_number(), known)
    of_client = None if shown.client_id is None else [shown.client_id]
    counted = read_days(1, past.day, of_client)
    return page_or_region(
        "past/assets.html",
        {"past-rows": "past/_assets.html"},
        past=past,
        filters={
            "q": shown.search,
            "status": shown.status,
            "client": client,
            "site": shown.site_name,
            "type": shown.asset_type,
            "os": shown.os_type,
        },
        sort=shown.sort,
        os_types=found.os_types,
        page=found.page,
        by_type=found.by_type,
        by_status=counted[0].by_status if counted else None,
    )


def export_past_list(shown: AssetFilter) -> ResponseReturnValue:
    def read_rows(past: PastDay) -> Iterator[dict[str, Any]]:
        return export_past_assets(past.end, shown)

    return export_past_day("assets", "assets.index", PAST_COLUMNS, read_rows)
