"""Editing an asset by hand, and releasing what was edited."""

from __future__ import annotations

from flask import flash, redirect, render_template, url_for
from flask.typing import ResponseReturnValue

from portal.errors import InvalidInput, NotFound
from portal.models import Asset
from portal.services.accounts.permissions import Permission
from portal.services.assets.edits import AssetEdit, edit_asset, list_locked, release_field
from portal.services.assets.listing import get_asset
from portal.services.clients import find_client_by_name
from portal.web.assets.forms import AssetForm
from portal.web.assets.views import assets
from portal.web.client_filter import read_choice
from portal.web.forms import mark
from portal.web.guard import get_user, requires
from portal.web.input import to_id


@assets.route("/<int:asset_id>/edit", methods=["GET", "POST"])
@requires(Permission.EDIT)
def edit(asset_id: int) -> ResponseReturnValue:
    asset = get_asset(asset_id)
    form = AssetForm(name=asset.name, description=asset.description, asset_type=asset.asset_type)
    if not form.is_submitted():
        return _page(form, asset)
    try:
        changed = edit_asset(asset_id, _read_edit(form), get_user().id)
    except (InvalidInput, NotFound) as error:
        mark(form, error, otherwise="client")
        return _page(form, get_asset(asset_id)), 422
    flash("Saved. Syncs leave the edited fields alone." if changed else "Nothing was changed.")
    return redirect(url_for("assets.show", asset_id=asset_id))


@assets.post("/<int:asset_id>/release/<field>")
@requires(Permission.EDIT)
def release(asset_id: int, field: str) -> ResponseReturnValue:
    release_field(asset_id, field, get_user().id)
    flash("Released. The next sync fills the field from Tactical.", "success")
    return redirect(url_for("assets.edit", asset_id=asset_id))


def _page(form: AssetForm, asset: Asset) -> str:
    return render_template("assets/form.html", form=form, asset=asset, locked=list_locked(asset))


def _read_edit(form: AssetForm) -> AssetEdit:
    return AssetEdit(
        name=form.name.data or "",
        description=form.description.data or "",
        asset_type=form.asset_type.data or "",
        client_id=read_picked_client(),
    )


def read_picked_client() -> int | None:
    """The picker's choice; a browser without scripts sends the name alone."""
    sent, name = read_choice()
    if sent:
        try:
            return to_id(sent)
        except ValueError:
            raise NotFound(
                "This client does not exist. Choose one from the list of clients."
            ) from None
    client = find_client_by_name(name) if name else None
    if name and client is None:
        raise InvalidInput(
            f"There is no client named {name}. Choose one from the list.", field="client"
        )
    return client.id if client else None
