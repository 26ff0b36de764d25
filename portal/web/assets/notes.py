"""Writing the note of an asset, on its page."""

from __future__ import annotations

from flask import flash, redirect, render_template, request
from flask.typing import ResponseReturnValue

from portal.errors import InvalidInput
from portal.services.accounts.permissions import Permission
from portal.services.assets.listing import get_asset
from portal.services.assets.notes import LONGEST_NOTE, NoteChanged, name_version, write_note
from portal.web.assets.frame import frame, url_of_tab
from portal.web.assets.views import assets
from portal.web.guard import get_user, requires


@assets.get("/<int:asset_id>/note")
@requires(Permission.EDIT)
def note(asset_id: int) -> ResponseReturnValue:
    return _page(asset_id, get_asset(asset_id).note or "")


@assets.post("/<int:asset_id>/note")
@requires(Permission.EDIT)
def save_note(asset_id: int) -> ResponseReturnValue:
    """What was typed comes back with what is wrong, and with the note of whoever was faster."""
    typed = request.form.get("note", "")
    try:
        changed = write_note(asset_id, typed, request.form.get("version", ""), get_user().id)
    except InvalidInput as error:
        return _page(asset_id, typed, problem=error.message), 422
    except NoteChanged as error:
        return _page(asset_id, typed, conflict=error.message), 409
    flash("The note is saved." if changed else "Nothing was changed.", "success")
    return redirect(url_of_tab("show", asset_id))


def _page(asset_id: int, typed: str, problem: str = "", conflict: str = "") -> str:
    asset = get_asset(asset_id)
    kept = request.form.get("version") if problem else None
    return render_template(
        "assets/note.html",
        **frame(asset, "show"),
        typed=typed,
        version=kept or name_version(asset),
        problem=problem,
        conflict=conflict,
        longest=LONGEST_NOTE,
    )
