"""Watches of software: the list, one watch, and the form that makes one."""

from __future__ import annotations

from flask import flash, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from flask_wtf import FlaskForm
from wtforms import StringField

from portal.errors import InvalidInput, NotFound, Refused
from portal.models import Client
from portal.services.accounts.permissions import Permission
from portal.services.software.products import describe_product
from portal.services.watches import keeping
from portal.services.watches.listing import get_watch, list_matches, list_watches, view_watches
from portal.web.client_filter import (
    find_chosen_client,
    find_shown_client,
    read_choice,
    read_client_id,
)
from portal.web.forms import mark
from portal.web.fragments import flash_done, page_number, words
from portal.web.guard import get_user, requires, tenant_blueprint
from portal.web.input import to_id
from portal.wording import plural

watches = tenant_blueprint("watches", __name__, "/software")


class WatchForm(FlaskForm):  # type: ignore[misc]
    """The service checks what was typed; the form only carries it."""

    older_than = StringField("Older than version")
    client = StringField("Client")


@watches.get("/watches/")
@requires(Permission.READ)
def index() -> ResponseReturnValue:
    return render_template("watches/list.html", watches=list_watches())


@watches.get("/watches/<int:watch_id>")
@requires(Permission.READ)
def show(watch_id: int) -> ResponseReturnValue:
    [view] = view_watches([get_watch(watch_id)])
    page = list_matches(view, page_number())
    return render_template("watches/detail.html", view=view, page=page)


@watches.route("/products/<int:product_id>/watch", methods=["GET", "POST"])
@requires(Permission.CHANGE_RULES)
def new(product_id: int) -> ResponseReturnValue:
    """Filled in with what was asked of the product."""
    product = describe_product(product_id)
    form = WatchForm(older_than=words("older_than"))
    client = None
    if form.is_submitted():
        try:
            client = _read_client()
            client_id = client.id if client else None
            by = get_user().email
            view = keeping.add_watch(product_id, form.older_than.data or "", client_id, by)
        except (InvalidInput, Refused) as error:
            mark(form, error)
        else:
            flash(f"Watching {view.question}.", "success")
            return redirect(url_for("watches.show", watch_id=view.row.id))
    else:
        client = find_shown_client(read_client_id())
    page = render_template("watches/form.html", product=product, form=form, client=client)
    return page, 422 if form.is_submitted() else 200


@watches.post("/watches/<int:watch_id>/switch")
@requires(Permission.CHANGE_RULES)
def switch(watch_id: int) -> ResponseReturnValue:
    on = bool(request.form.get("on"))
    _, undo = keeping.switch_watches([watch_id], on=on)
    flash_done("Switched on." if on else "Switched off. Nothing matches it now.", undo)
    return redirect(url_for("watches.show", watch_id=watch_id))


@watches.post("/watches/<int:watch_id>/remove")
@requires(Permission.CHANGE_RULES)
def remove(watch_id: int) -> ResponseReturnValue:
    return _remove([watch_id])


@watches.post("/watches/switch")
@requires(Permission.CHANGE_RULES)
def switch_many() -> ResponseReturnValue:
    on = bool(request.form.get("on"))
    state = "on" if on else "off"
    try:
        number, undo = keeping.switch_watches(_read_ticked(), on=on)
    except InvalidInput as error:
        flash(error.message, "error")
    else:
        done = f"Switched {plural(number, 'watch', 'watches')} {state}."
        flash_done(done if number else f"They are {state} already.", undo)
    return redirect(url_for("watches.index"))


@watches.post("/watches/remove")
@requires(Permission.CHANGE_RULES)
def remove_many() -> ResponseReturnValue:
    return _remove(_read_ticked())


def _remove(watch_ids: list[int]) -> ResponseReturnValue:
    try:
        removed, undo = keeping.remove_watches(watch_ids)
    except InvalidInput as error:
        flash(error.message, "error")
    else:
        flash_done(f"Removed {removed}.", undo)
    return redirect(url_for("watches.index"))


def _read_ticked() -> list[int]:
    return request.form.getlist("watch", type=to_id)


def _read_client() -> Client | None:
    """None for any. Raises InvalidInput."""
    if not any(read_choice()):
        return None
    try:
        client = find_chosen_client()
    except NotFound:
        client = None
    if client is None:
        raise InvalidInput("Choose the client from the list of clients.", field="client")
    return client
