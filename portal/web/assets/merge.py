"""Merging two assets by hand: one is searched for, both are shown, one button does it."""

from __future__ import annotations

from flask import flash, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue

from portal.errors import NotFound, Refused
from portal.models.undo.offer import UndoKind
from portal.services.accounts.permissions import Permission
from portal.services.assets import merge as service
from portal.services.assets.listing import get_asset
from portal.services.undo.offers import offer_undo
from portal.web.assets.views import assets
from portal.web.fragments import flash_done, page_or_region, words
from portal.web.guard import get_user, requires
from portal.web.input import to_id


@assets.get("/<int:asset_id>/merge")
@requires(Permission.MAP)
def merge(asset_id: int) -> ResponseReturnValue:
    """The asset is the one that remains; without another one it is chosen here."""
    asset, other_id = get_asset(asset_id), request.args.get("with", type=to_id)
    if other_id is None:
        search = words("q")
        return page_or_region(
            "assets/merge_choose.html",
            {"merge-partners": "assets/_merge_partners.html"},
            asset=asset,
            partners=service.find_partners(asset, search),
            search=search,
        )
    try:
        preview = service.preview_merge(asset_id, other_id)
    except (NotFound, Refused) as error:
        flash(error.message, "error")
        return redirect(url_for("assets.merge", asset_id=asset_id))
    return render_template("assets/merge.html", asset=asset, preview=preview)


@assets.post("/<int:asset_id>/merge")
@requires(Permission.MAP)
def do_merge(asset_id: int) -> ResponseReturnValue:
    get_asset(asset_id)
    other_id = request.form.get("with", type=to_id)
    try:
        if other_id is None:
            raise Refused("Choose the asset to merge with.")
        run = service.merge_assets(asset_id, other_id, get_user().id)
    except (NotFound, Refused) as error:
        flash(error.message, "error")
        return redirect(url_for("assets.merge", asset_id=asset_id))
    flash_done(f"{run.title}.", offer_undo(UndoKind.MERGED, {"run_id": run.id}))
    return redirect(url_for("assets.show", asset_id=asset_id))
