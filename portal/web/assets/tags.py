"""Tags of assets: put on and taken off, of one from its page or of many from the list."""

from __future__ import annotations

from flask import flash, redirect, render_template, request
from flask.typing import ResponseReturnValue

from portal.errors import InvalidInput
from portal.extensions import htmx
from portal.services.accounts.permissions import Permission
from portal.services.assets import tags as service
from portal.services.assets.listing import get_asset
from portal.services.assets.tags import MOST_TAGS, Tagged
from portal.services.assets.words import find_own_words
from portal.web.assets.frame import url_of_tab
from portal.web.assets.retirement import find_list, read_chosen
from portal.web.assets.views import assets
from portal.web.fragments import flash_done, with_toast
from portal.web.guard import requires
from portal.web.input import to_id
from portal.wording import plural


@assets.post("/tag")
@requires(Permission.EDIT)
def tag() -> ResponseReturnValue:
    try:
        done = service.add_tag(read_chosen(), request.form.get("tag", ""))
    except InvalidInput as error:
        return _refuse(error)
    if not htmx:
        flash_tagged(done)
        return redirect(find_list())
    if done.full:  # it is the only one
        return _show_tags(_say_full(done), None, "warning")
    return _show_tags(_say_tagged(done), done.undo)


@assets.post("/untag")
@requires(Permission.EDIT)
def untag() -> ResponseReturnValue:
    try:
        done = service.remove_tag(read_chosen(), request.form.get("tag", ""))
    except InvalidInput as error:
        return _refuse(error)
    if not htmx:
        flash_untagged(done)
        return redirect(find_list())
    return _show_tags(_say_untagged(done), done.undo)


def flash_tagged(done: Tagged) -> None:
    flash_done(_say_tagged(done), done.undo)
    if done.full:
        flash(_say_full(done), "warning")


def flash_untagged(done: Tagged) -> None:
    flash_done(_say_untagged(done), done.undo)


def _say_tagged(done: Tagged) -> str:
    return f"Tagged {plural(done.changed, 'asset')} {done.tag}."


def _say_untagged(done: Tagged) -> str:
    return f"Took {done.tag} off {plural(done.changed, 'asset')}."


def _say_full(done: Tagged) -> str:
    return f"{plural(done.full, 'asset')} already had {MOST_TAGS} tags, which is the most."


def _refuse(error: InvalidInput) -> ResponseReturnValue:
    """By scripts as a toast, so that what was typed stays."""
    if htmx:
        raise error
    flash(error.message, "error")
    return redirect(find_list())


def _show_tags(text: str, undo: int | None, category: str = "success") -> ResponseReturnValue:
    """On the page of one asset: the tags that it has now. Raises NotFound."""
    asset = get_asset(request.form.get("asset", 0, type=to_id))
    tags = find_own_words([asset.id])[asset.id].tags
    part = render_template("assets/_tags.html", asset=asset, tags=tags, url_of_tab=url_of_tab)
    return with_toast(part, text, category, undo=undo)
