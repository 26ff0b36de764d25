"""Tags of assets: put on and taken off, of one from its page or of many from the list."""

from __future__ import annotations

from flask import flash, redirect, request
from flask.typing import ResponseReturnValue

from portal.errors import InvalidInput
from portal.services.accounts.permissions import Permission
from portal.services.assets import tags as service
from portal.services.assets.tags import MOST_TAGS
from portal.web.assets.retirement import find_list, read_chosen
from portal.web.assets.views import assets
from portal.web.fragments import flash_done
from portal.web.guard import requires
from portal.wording import plural


@assets.post("/tag")
@requires(Permission.EDIT)
def tag() -> ResponseReturnValue:
    try:
        done = service.add_tag(read_chosen(), request.form.get("tag", ""))
    except InvalidInput as error:
        flash(error.message, "error")
        return redirect(find_list())
    flash_done(f"Tagged {plural(done.changed, 'asset')} {done.tag}.", done.undo)
    if done.full:
        flash(
            f"{plural(done.full, 'asset')} already had {MOST_TAGS} tags, which is the most.",
            "warning",
        )
    return redirect(find_list())


@assets.post("/untag")
@requires(Permission.EDIT)
def untag() -> ResponseReturnValue:
    try:
        done = service.remove_tag(read_chosen(), request.form.get("tag", ""))
    except InvalidInput as error:
        flash(error.message, "error")
    else:
        flash_done(f"Took {done.tag} off {plural(done.changed, 'asset')}.", done.undo)
    return redirect(find_list())
