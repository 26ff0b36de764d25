"""What the rows of alerts and the filters above them are shown from, on each of their pages."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from flask import g

from portal.models import Asset
from portal.services.alerts.assigning import list_assignees
from portal.services.alerts.choices import list_rule_choices
from portal.services.alerts.choosing import MOST_BY_WORKER
from portal.services.alerts.filters import AlertFilter
from portal.services.alerts.listing import list_and_count
from portal.services.tickets.listing import list_current
from portal.web.alerts.filters import describe_filter
from portal.web.fragments import page_number


def read_rows(shown: AlertFilter, list_url: str, of_asset: Asset | None = None) -> dict[str, Any]:
    """`list_url`: of the list without filters. `of_asset`: whose alerts alone are shown."""
    if of_asset is not None:
        shown = replace(shown, client_id=None, asset_id=of_asset.id)
    page, counts = list_and_count(shown, page_number())
    return {
        "filters": describe_filter(replace(shown, asset_id=None) if of_asset else shown),
        "list_url": list_url,
        "of_asset": of_asset,
        "rules": list_rule_choices(),
        "people": list_assignees(),
        "current_place": g.membership.id,
        "sort": shown.sort,
        "page": page,
        "tickets": list_current([row.alert.id for row in page.items]),
        "alert_counts": counts,
        "most": MOST_BY_WORKER,
    }
