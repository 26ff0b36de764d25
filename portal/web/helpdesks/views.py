"""Helpdesks: where tickets are opened, and whether that works."""

from __future__ import annotations

from flask import flash, redirect, render_template, url_for
from flask.typing import ResponseReturnValue
from flask_wtf import FlaskForm

from portal.errors import InvalidInput, Refused
from portal.helpdesks import KINDS, HelpdeskKind
from portal.models import Helpdesk
from portal.services.accounts.permissions import Permission
from portal.services.errands.requests import TooManyWaiting
from portal.services.far_sides import BadFields
from portal.services.helpdesks import changing, deleting, listing, probing
from portal.services.helpdesks.probing import Lists
from portal.services.tickets import hints
from portal.web.errands.following import follow
from portal.web.far_side_forms import mark_fields
from portal.web.guard import requires, tenant_blueprint
from portal.web.helpdesks.forms import FORMS, ProbeForm, fill_form, read_form
from portal.web.reauthentication import fresh_sign_in_required

helpdesks = tenant_blueprint("helpdesks", __name__, "/helpdesks")


@helpdesks.get("/")
@requires(Permission.READ_RULES)
def index() -> ResponseReturnValue:
    return render_template("helpdesks/list.html", rows=listing.list_helpdesks())


@helpdesks.get("/<int:helpdesk_id>")
@requires(Permission.READ_RULES)
def show(helpdesk_id: int) -> ResponseReturnValue:
    return _show(helpdesk_id, ProbeForm())


@helpdesks.get("/new")
@requires(Permission.CHANGE_SETTINGS)
def choose() -> ResponseReturnValue:
    addresses = {name: url_for("helpdesks.new", helpdesk_kind=name) for name in KINDS}
    return render_template("helpdesks/choose.html", kinds=KINDS.values(), addresses=addresses)


@helpdesks.get("/new/<helpdesk_kind>")
@requires(Permission.CHANGE_SETTINGS)
def new(helpdesk_kind: str) -> ResponseReturnValue:
    kind = changing.get_kind(helpdesk_kind)
    return _form_page(kind, FORMS[kind.name]())


@helpdesks.post("/preview/<helpdesk_kind>")
@requires(Permission.CHANGE_SETTINGS)
def preview(helpdesk_kind: str) -> ResponseReturnValue:
    """What it would be asked, beside the form that stays as it is."""
    kind = changing.get_kind(helpdesk_kind)
    form, text = FORMS[kind.name](), ""
    try:
        text = changing.preview_requests(kind.name, read_form(kind, form))
    except BadFields as error:
        mark_fields(form, error)
    return render_template("helpdesks/_preview.html", form=form, text=text)


@helpdesks.post("/new/<helpdesk_kind>")
@requires(Permission.CHANGE_SETTINGS)
@fresh_sign_in_required
def add(helpdesk_kind: str) -> ResponseReturnValue:
    kind = changing.get_kind(helpdesk_kind)
    form = FORMS[kind.name]()
    try:
        helpdesk = changing.add_helpdesk(kind.name, read_form(kind, form))
    except (BadFields, Refused) as error:
        mark_fields(form, error)
        return _form_page(kind, form), 422
    _ask_for_lists(helpdesk.id)
    flash(f"{helpdesk.name} was added. Test it: no ticket is opened before that.", "success")
    return redirect(url_for("helpdesks.show", helpdesk_id=helpdesk.id))


@helpdesks.get("/<int:helpdesk_id>/edit")
@requires(Permission.CHANGE_SETTINGS)
def edit(helpdesk_id: int) -> ResponseReturnValue:
    helpdesk = listing.get_helpdesk(helpdesk_id)
    return _form_page(KINDS[helpdesk.kind], fill_form(helpdesk), helpdesk)


@helpdesks.post("/<int:helpdesk_id>/edit")
@requires(Permission.CHANGE_SETTINGS)
@fresh_sign_in_required
def save(helpdesk_id: int) -> ResponseReturnValue:
    helpdesk = listing.get_helpdesk(helpdesk_id)
    kind, form = KINDS[helpdesk.kind], FORMS[helpdesk.kind]()
    try:
        helpdesk = changing.change_helpdesk(helpdesk_id, read_form(kind, form))
    except BadFields as error:
        mark_fields(form, error)
        return _form_page(kind, form, listing.get_helpdesk(helpdesk_id)), 422
    _ask_for_lists(helpdesk_id)
    more = "" if helpdesk.is_proven else " Test the helpdesk: no ticket is opened before that."
    flash(f"Saved.{more}", "success")
    return redirect(url_for("helpdesks.show", helpdesk_id=helpdesk_id))


@helpdesks.post("/<int:helpdesk_id>/test")
@requires(Permission.CHANGE_SETTINGS)
def test(helpdesk_id: int) -> ResponseReturnValue:
    form = ProbeForm()
    queue, customer = form.queue.data or "", (form.customer.data or "").strip()
    try:
        follow(probing.request_probe(helpdesk_id, queue, customer))
    except InvalidInput as error:
        mark_fields(form, error)
        return _show(helpdesk_id, form), 422
    except TooManyWaiting as error:
        flash(error.message, "error")
    return redirect(url_for("helpdesks.show", helpdesk_id=helpdesk_id))


@helpdesks.post("/<int:helpdesk_id>/lists")
@requires(Permission.CHANGE_SETTINGS)
def ask(helpdesk_id: int) -> ResponseReturnValue:
    """For its queues and customers anew."""
    _ask_for_lists(helpdesk_id)
    return redirect(url_for("helpdesks.show", helpdesk_id=helpdesk_id))


@helpdesks.post("/<int:helpdesk_id>/switch-off")
@requires(Permission.CHANGE_SETTINGS)
def switch_off(helpdesk_id: int) -> ResponseReturnValue:
    helpdesk = changing.switch_helpdesk(helpdesk_id, on=False)
    flash(f"{helpdesk.name} is switched off: nothing is done in it.", "success")
    return redirect(url_for("helpdesks.show", helpdesk_id=helpdesk_id))


@helpdesks.post("/<int:helpdesk_id>/switch-on")
@requires(Permission.CHANGE_SETTINGS)
def switch_on(helpdesk_id: int) -> ResponseReturnValue:
    helpdesk = changing.switch_helpdesk(helpdesk_id, on=True)
    flash(f"{helpdesk.name} is switched on again.", "success")
    return redirect(url_for("helpdesks.show", helpdesk_id=helpdesk_id))


@helpdesks.post("/<int:helpdesk_id>/delete")
@requires(Permission.CHANGE_SETTINGS)
@fresh_sign_in_required
def delete(helpdesk_id: int) -> ResponseReturnValue:
    try:
        name = deleting.delete_helpdesk(helpdesk_id)
    except Refused as error:
        flash(error.message, "error")
        return redirect(url_for("helpdesks.show", helpdesk_id=helpdesk_id))
    flash(f"{name} was deleted. Its tickets stay as they are.", "success")
    return redirect(url_for("helpdesks.index"))


def _ask_for_lists(helpdesk_id: int) -> None:
    """So that people can choose."""
    try:
        follow(probing.request_lists(helpdesk_id))
    except TooManyWaiting as error:
        flash(error.message, "error")


def _show(helpdesk_id: int, form: ProbeForm) -> str:
    row = listing.get_row(helpdesk_id)
    queues = probing.read_list(helpdesk_id, Lists.QUEUES)
    customers = probing.read_list(helpdesk_id, Lists.CUSTOMERS)
    return render_template(
        "helpdesks/detail.html",
        row=row,
        form=form,
        queues=queues,
        customers=customers,
        hint=hints.make_address(helpdesk_id),
    )


def _form_page(kind: HelpdeskKind, form: FlaskForm, helpdesk: Helpdesk | None = None) -> str:
    stored = listing.list_stored(helpdesk) if helpdesk else ()
    return render_template(
        "helpdesks/form.html", kind=kind, form=form, helpdesk=helpdesk, stored=stored
    )
