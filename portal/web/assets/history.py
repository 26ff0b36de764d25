"""The history of one asset."""

from __future__ import annotations

from flask.typing import ResponseReturnValue

from portal.services.accounts.permissions import Permission
from portal.services.assets.history import KEPT_DAYS, read_history
from portal.services.assets.listing import get_asset
from portal.web.assets.frame import frame
from portal.web.assets.views import assets
from portal.web.fragments import page_number, page_or_region
from portal.web.guard import requires


@assets.get("/<int:asset_id>/history")
@requires(Permission.READ)
def history(asset_id: int) -> ResponseReturnValue:
    return page_or_region(
        "assets/history.html",
        {"asset-history": "assets/_history.html"},
        **frame(get_asset(asset_id), "history"),
        history=read_history(asset_id, page_number()),
        kept_days=KEPT_DAYS,
    )
