"""What is done to many clients of the list: to their assets, to their organizations, exported."""

from __future__ import annotations

from flask import flash, redirect, request, url_for
from flask.typing import ResponseReturnValue

from portal.errors import InvalidInput
from portal.services import clients as client_service
from portal.services.accounts.permissions import Permission
from portal.services.assets.choosing import Chosen
from portal.services.assets.tags import add_tag, remove_tag
from portal.services.client_choosing import ChosenClients
from portal.services.organizations import many
from portal.web.assets.many import start_refresh
from portal.web.assets.tags import flash_tagged, flash_untagged
from portal.web.clients.views import clients
from portal.web.downloads import send_csv
from portal.web.fragments import find_way_back, flash_done, words
from portal.web.guard import get_user, requires
from portal.web.input import to_id, wants_all_matching


@clients.post("/tag")
@requires(Permission.EDIT)
def tag() -> ResponseReturnValue:
    """The assets of these clients."""
    try:
        flash_tagged(add_tag(_read_assets(), request.form.get("tag", "")))
    except InvalidInput as error:
        flash(error.message, "error")
    return redirect(_find_list())


@clients.post("/untag")
@requires(Permission.EDIT)
def untag() -> ResponseReturnValue:
    try:
        flash_untagged(remove_tag(_read_assets(), request.form.get("tag", "")))
    except InvalidInput as error:
        flash(error.message, "error")
    return redirect(_find_list())


@clients.post("/refresh")
@requires(Permission.REFRESH)
def refresh_many() -> ResponseReturnValue:
    """The assets of these clients."""
    return start_refresh(_read_assets(), _find_list())


@clients.post("/auto-sync")
@requires(Permission.MAP)
def set_auto_sync() -> ResponseReturnValue:
    """Of the organizations that are mapped to these clients."""
    on = request.form.get("auto_sync") == "on"
    try:
        done = many.set_auto_sync_of(_read_chosen(), on, get_user().id)
    except InvalidInput as error:
        flash(error.message, "error")
    else:
        flash_done(done.text, done.undo, "success" if done.undo else "info")
    return redirect(_find_list())


@clients.post("/export.csv")
@requires(Permission.READ)
def export_chosen() -> ResponseReturnValue:
    chosen = _read_chosen()
    try:
        rows = client_service.export_clients(chosen.to_conditions())
    except InvalidInput as error:
        flash(error.message, "error")
        return redirect(_find_list())
    number = len(chosen.ids) if chosen.named is None else None
    return send_csv("clients", client_service.CLIENT_COLUMNS, rows, number)


def _read_chosen() -> ChosenClients:
    """As a form says it."""
    if wants_all_matching():
        return ChosenClients(named=words("q"))
    return ChosenClients(request.form.getlist("client", type=to_id))


def _read_assets() -> Chosen:
    return Chosen(clients=_read_chosen())


def _find_list() -> str:
    return find_way_back(url_for("clients.index"))
