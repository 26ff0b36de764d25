"""The software of one asset, and its export."""

from __future__ import annotations

from flask.typing import ResponseReturnValue

from portal.services.accounts.permissions import Permission
from portal.services.assets.listing import get_asset
from portal.services.export import SOFTWARE_COLUMNS, export_software
from portal.services.lists.paging import paginate_list
from portal.services.software.asset_inventory import (
    asset_conditions,
    list_changes,
    list_software_of_asset,
)
from portal.web.assets.frame import frame
from portal.web.assets.views import assets
from portal.web.downloads import send_csv
from portal.web.fragments import page_number, page_or_region, words
from portal.web.guard import requires


@assets.get("/<int:asset_id>/software")
@requires(Permission.READ)
def software(asset_id: int) -> ResponseReturnValue:
    asset, search, view = get_asset(asset_id), words("q"), words("show")
    known = list_software_of_asset(asset_id, search)
    gone = [each for each in known if each.removed_at]
    present = [each for each in known if not each.removed_at]
    rows = list_changes(known) if view == "history" else gone if view == "gone" else present
    return page_or_region(
        "assets/software.html",
        {"asset-software": "assets/_software.html"},
        **frame(asset, "software"),
        filters={"q": search, "show": view},
        page=paginate_list(rows, page_number()),
        present=len(present),
        gone=len(gone),
    )


@assets.get("/<int:asset_id>/software.csv")
@requires(Permission.READ)
def export_software_of(asset_id: int) -> ResponseReturnValue:
    """What the asset's page shows, streamed; all that it has or had for its history."""
    asset, view = get_asset(asset_id), words("show")
    gone = None if view == "history" else view == "gone"
    rows = export_software(*asset_conditions(asset.id, words("q"), gone))
    return send_csv(f"software-of-asset-{asset.id}", SOFTWARE_COLUMNS, rows)
