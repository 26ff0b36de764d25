"""The alerts of one asset: the list of alerts, without what is the same for all of them."""

from __future__ import annotations

from dataclasses import replace

from flask.typing import ResponseReturnValue

from portal.services.accounts.permissions import Permission
from portal.services.assets.listing import get_asset
from portal.services.saved_views.looks import Look
from portal.web.alerts.filters import read_filter
from portal.web.alerts.rows import read_rows
from portal.web.assets.frame import frame, url_of_tab
from portal.web.assets.views import assets
from portal.web.fragments import page_or_region
from portal.web.guard import requires
from portal.web.saved_views.look import list_context

SAME_FOR_ALL = ("asset", "client")
"""Columns."""


@assets.get("/<int:asset_id>/alerts")
@requires(Permission.READ)
def alerts(asset_id: int) -> ResponseReturnValue:
    asset = get_asset(asset_id)
    look: Look = list_context("alerts")["look"]
    of_each = tuple(word for word in look.columns if word not in SAME_FOR_ALL)
    return page_or_region(
        "assets/alerts.html",
        {"alert-rows": "alerts/_rows.html"},
        **frame(asset, "alerts"),
        look=replace(look, columns=of_each),
        **read_rows(read_filter(), url_of_tab("alerts", asset.id), asset),
    )
