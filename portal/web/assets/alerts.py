"""The alerts of one asset: the list of alerts, without what is the same for all of them."""

from __future__ import annotations

from dataclasses import replace

from flask import g
from flask.typing import ResponseReturnValue

from portal.services.accounts.permissions import Permission
from portal.services.alerts.assigning import list_assignees
from portal.services.alerts.choices import list_rule_choices
from portal.services.alerts.listing import list_and_count
from portal.services.assets.listing import get_asset
from portal.services.saved_views.looks import Look
from portal.services.tickets.listing import list_current
from portal.web.alerts.filters import describe_filter, read_filter
from portal.web.assets.frame import frame, url_of_tab
from portal.web.assets.views import assets
from portal.web.fragments import page_number, page_or_region
from portal.web.guard import requires
from portal.web.saved_views.look import list_context

SAME_FOR_ALL = ("asset", "client")
"""Columns."""


@assets.get("/<int:asset_id>/alerts")
@requires(Permission.READ)
def alerts(asset_id: int) -> ResponseReturnValue:
    asset = get_asset(asset_id)
    shown = replace(read_filter(), client_id=None)
    page, counts = list_and_count(replace(shown, asset_id=asset.id), page_number())
    look: Look = list_context("alerts")["look"]
    of_each = tuple(word for word in look.columns if word not in SAME_FOR_ALL)
    return page_or_region(
        "assets/alerts.html",
        {"alert-rows": "alerts/_rows.html"},
        **frame(asset, "alerts"),
        look=replace(look, columns=of_each),
        filters=describe_filter(replace(shown, asset_id=None)),
        list_url=url_of_tab("alerts", asset.id),
        rules=list_rule_choices(),
        people=list_assignees(),
        current_place=g.membership.id,
        sort=shown.sort,
        page=page,
        tickets=list_current([row.alert.id for row in page.items]),
        alert_counts=counts,
        of_asset=asset,
    )
