"""What is done to many assets of the list: given to a client, read anew, exported."""

from __future__ import annotations

from flask import flash, g, redirect
from flask.typing import ResponseReturnValue

from portal.errors import InvalidInput, NotFound, Refused
from portal.services.accounts.permissions import Permission, role_allows
from portal.services.assets.choosing import Chosen
from portal.services.assets.moving import move_assets
from portal.services.assets.refreshing import refresh_assets
from portal.services.export import ASSET_COLUMNS, export_assets
from portal.web.assets.edits import read_picked_client
from portal.web.assets.retirement import find_list, read_chosen
from portal.web.assets.views import assets
from portal.web.downloads import send_csv
from portal.web.fragments import flash_done
from portal.web.guard import get_user, requires
from portal.wording import plural


@assets.post("/move")
@requires(Permission.EDIT)
def move() -> ResponseReturnValue:
    try:
        client_id = read_picked_client()
        if client_id is None:
            raise InvalidInput("Choose the client that the assets go to.")
        moved = move_assets(read_chosen(), client_id, get_user().id)
    except (InvalidInput, NotFound) as error:
        flash(error.message, "error")
        return redirect(find_list())
    if moved.number:
        went = f"{plural(moved.number, 'asset')} went to {moved.client}."
        flash_done(f"{went} Syncs leave their client alone.", moved.undo)
    else:
        flash(f"They are {moved.client}'s already.", "info")
    return redirect(find_list())


@assets.post("/refresh")
@requires(Permission.REFRESH)
def refresh_many() -> ResponseReturnValue:
    return start_refresh(read_chosen(), find_list())


def start_refresh(chosen: Chosen, back: str) -> ResponseReturnValue:
    """And back to where it was asked for."""
    may_sync = role_allows(g.membership.role, Permission.SYNC, limited=g.membership.limited)
    try:
        _run, number = refresh_assets(chosen, get_user().id, may_sync=may_sync)
    except (InvalidInput, Refused) as error:
        flash(error.message, "error")
        return redirect(back)
    what = plural(number, "asset") if number else "So many assets that all of Tactical's agents"
    flash(f"{what} {'is' if number == 1 else 'are'} being read anew.", "success")
    return redirect(back)


@assets.post("/export.csv")
@requires(Permission.READ)
def export_chosen() -> ResponseReturnValue:
    chosen: Chosen = read_chosen()
    try:
        rows = export_assets(chosen)
    except InvalidInput as error:
        flash(error.message, "error")
        return redirect(find_list())
    return send_csv("assets", ASSET_COLUMNS, rows, None if chosen.shown else len(chosen.ids))
