"""Maintenance that begins at once, of an asset or a client, by one press."""

from __future__ import annotations

from flask import flash, redirect, request, url_for
from flask.typing import ResponseReturnValue

from portal.errors import InvalidInput, Refused
from portal.services.accounts.permissions import Permission
from portal.services.assets.listing import get_asset
from portal.services.clients import get_client
from portal.services.windows.editing import begin_maintenance
from portal.services.windows.terms import Scope
from portal.web.guard import get_user, requires
from portal.web.input import to_number
from portal.web.windows.views import windows
from portal.wording import plural


@windows.post("/now/asset/<int:asset_id>")
@requires(Permission.CHANGE_RULES)
def begin_for_asset(asset_id: int) -> ResponseReturnValue:
    asset = get_asset(asset_id)
    _begin(asset.name, Scope(assets=(asset.id,)))
    return redirect(url_for("assets.show", asset_id=asset_id))


@windows.post("/now/client/<int:client_id>")
@requires(Permission.CHANGE_RULES)
def begin_for_client(client_id: int) -> ResponseReturnValue:
    client = get_client(client_id)
    _begin(client.name, Scope(clients=(client.id,)))
    return redirect(url_for("clients.show", client_id=client_id))


def _begin(name: str, scope: Scope) -> None:
    hours = to_number(request.form.get("hours", "")) or 0
    try:
        begin_maintenance(name, scope, hours, get_user().email)
    except (InvalidInput, Refused) as error:
        flash(error.message, "error")
    else:
        flash(f"Maintenance for {plural(hours, 'hour')} has begun.", "success")
