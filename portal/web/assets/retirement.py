"""Retiring, restoring and deleting assets: one from its page, or many from the list."""

from __future__ import annotations

from collections.abc import Callable

from flask import flash, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue

from portal.errors import InvalidInput, Refused
from portal.scope import allowed_clients
from portal.services.accounts.permissions import Permission
from portal.services.assets import deletion
from portal.services.assets import retirement as service
from portal.services.assets.choosing import Chosen
from portal.services.assets.retirement import Done
from portal.web.assets.filters import read_filter
from portal.web.assets.views import assets
from portal.web.fragments import find_way_back, flash_done
from portal.web.guard import get_user, requires
from portal.web.input import to_id, to_number, wants_all_matching
from portal.web.reauthentication import fresh_sign_in_required
from portal.wording import plural


@assets.post("/retire")
@requires(Permission.EDIT)
def retire() -> ResponseReturnValue:
    return _do(service.request_retirement)


@assets.post("/restore")
@requires(Permission.EDIT)
def restore() -> ResponseReturnValue:
    return _do(service.request_restoring)


@assets.post("/delete")
@requires(Permission.DELETE)
@fresh_sign_in_required
def delete() -> ResponseReturnValue:
    """Tells what goes with them first; once their number is typed, a worker deletes them."""
    chosen, typed, problem = read_chosen(), request.form.get("number"), None
    try:
        contents = deletion.count_contents(chosen)
        if typed is not None:
            run = deletion.request_deletion(chosen, to_number(typed), get_user().id)
            return redirect(url_for("sync_runs.show", run_id=run.id))
    except (InvalidInput, Refused) as error:
        if getattr(error, "field", None) != "number":
            flash(error.message, "error")
            return redirect(find_list())
        problem = error.message
    shown = {"contents": contents, "ids": chosen.ids, "problem": problem, "back": find_list()}
    return render_template("assets/delete.html", **shown), 422 if problem else 200


def _do(change: Callable[[Chosen, int], Done]) -> ResponseReturnValue:
    """Back to where it was asked for; of many assets, to the page that shows how far it is."""
    try:
        done = change(read_chosen(), get_user().id)
    except (InvalidInput, Refused) as error:
        flash(error.message, "error")
        return redirect(find_list())
    is_done = not done.run.is_active
    if is_done:
        flash_done(f"{done.run.title}.", done.undo)
    if done.left:
        left = "1 stays" if done.left == 1 else f"{plural(done.left, 'asset')} stay"
        flash(f"{left} as before. {service.STILL_LISTED}", "warning")
    if not is_done and allowed_clients() is not None:
        flash("A worker is doing this. Reload the list to see how far it is.", "info")
        return redirect(find_list())  # a run is shown to them once it has done something
    return redirect(find_list() if is_done else url_for("sync_runs.show", run_id=done.run.id))


def read_chosen() -> Chosen:
    """As a form says it."""
    if wants_all_matching():
        return Chosen(shown=read_filter())
    return Chosen(request.form.getlist("asset", type=to_id))


def find_list() -> str:
    """The page that the form stood on, or the list."""
    return find_way_back(url_for("assets.index"))
