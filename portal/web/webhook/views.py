"""The webhook's settings: what to enter in Tactical, its secret, its installation there."""

from __future__ import annotations

from typing import Any

from flask import (
    Response,
    flash,
    make_response,
    redirect,
    render_template,
    request,
    url_for,
)
from flask.typing import ResponseReturnValue

from portal.errors import InvalidInput, Refused
from portal.extensions import htmx
from portal.models.webhook.installation import InstallationAction
from portal.services.accounts.permissions import Permission
from portal.services.errands.requests import TooManyWaiting, get_errand
from portal.services.integrations.connect import ConnectionSettings, save_connection
from portal.services.integrations.current import get_integration
from portal.services.integrations.option_kinds import OptionPage
from portal.services.webhook import installation, settings
from portal.services.webhook.installation import find_installation
from portal.services.webhook.records import ApplyTo, Wanted
from portal.services.webhook.rotation import request_rotation
from portal.web.errands.following import follow
from portal.web.forms import mark
from portal.web.fragments import page_or_region
from portal.web.guard import requires, tenant_blueprint
from portal.web.input import to_id, to_number
from portal.web.options import read_options
from portal.web.reauthentication import fresh_sign_in_required
from portal.web.webhook.forms import InstallForm, OptionForm
from portal.web.webhook.page import page_context

webhook = tenant_blueprint("webhook", __name__, "/integrations/tacticalrmm/webhook")

REGIONS = {
    "webhook-state": "webhook/_state.html",
    "webhook-secret": "webhook/_secret.html",
    "webhook-plan": "webhook/_plan.html",
}


@webhook.get("/")
@requires(Permission.READ_CONNECTION)
def show() -> ResponseReturnValue:
    """With `plan`, the id of an errand: what it found would change, or that it is pending."""
    plan_id = request.args.get("plan", type=to_id)
    return _page(planned=get_errand(plan_id)) if plan_id else _page()


@webhook.get("/progress")
@requires(Permission.READ_CONNECTION)
def progress() -> ResponseReturnValue:
    """The steps of the action as they are now. The end brings the page anew, which says how it
    ended: readers of screens hear what a page says of itself only as news."""
    row = find_installation()
    if not htmx or row is None:
        return redirect(url_for("webhook.show"))
    response = make_response(render_template("webhook/_progress.html", installation=row))
    if row.ok is not None:
        flash(row.message or "Done.", "success" if row.ok else "error")
        response.headers["HX-Refresh"] = "true"
    return response


@webhook.post("/plan")
@requires(Permission.CHANGE_SETTINGS)
def plan() -> ResponseReturnValue:
    """Ask what would change in Tactical. Changes nothing there."""
    action, wanted = _read_action(), _read_wanted()
    try:
        errand = installation.request_preview(action, wanted)
    except (Refused, TooManyWaiting) as error:
        return _page(plan_error=error.message, action=action, wanted=wanted)
    if htmx:
        return _page(planned=errand)
    return redirect(url_for("webhook.show", plan=errand.id, _anchor="webhook-plan"))


@webhook.post("/install")
@requires(Permission.CHANGE_SETTINGS)
def install() -> ResponseReturnValue:
    return _request(_read_action(), _read_wanted())


@webhook.post("/test")
@requires(Permission.CHANGE_SETTINGS)
def test() -> ResponseReturnValue:
    """Tactical's own test of what is installed, once more."""
    return _request(InstallationAction.TEST, installation.keep_wanted(_url()))


def _request(action: InstallationAction, wanted: Wanted) -> ResponseReturnValue:
    try:
        installation.request_action(action, wanted)
    except Refused as error:
        flash(error.message, "error")
    return redirect(url_for("webhook.show"))


# --- The secret -------------------------------------------------------------------------


@webhook.post("/reveal")
@requires(Permission.CHANGE_SETTINGS)
@fresh_sign_in_required
def reveal() -> ResponseReturnValue:
    """The only page that shows the secret in full."""
    return _page(secret=settings.reveal())


@webhook.post("/rotate")
@requires(Permission.CHANGE_SETTINGS)
@fresh_sign_in_required
def rotate() -> ResponseReturnValue:
    at_once = request.form.get("at_once") == "yes"
    try:
        errand = request_rotation(at_once)
    except (Refused, TooManyWaiting) as error:
        flash(error.message, "error")
        return redirect(url_for("webhook.show"))
    until = (
        "The old one is no longer valid." if at_once else "The old one stays valid for 24 hours."
    )
    taken = "Enter it in Tactical."
    if errand is not None:
        follow(errand)
        taken = "It is being saved in Tactical."
    flash(f"A new secret was created. {taken} {until}", "success")
    return redirect(url_for("webhook.show"))


# --- Settings ---------------------------------------------------------------------------


@webhook.post("/settings")
@requires(Permission.CHANGE_SETTINGS)
def save() -> ResponseReturnValue:
    form = OptionForm()
    try:
        get_integration()
        save_connection(ConnectionSettings(options=read_options(OptionPage.WEBHOOK)))
    except InvalidInput as error:
        mark(form, error)
        return _page(422, option_form=form)
    flash("Saved.", "success")
    return redirect(url_for("webhook.show"))


# --- Parts ------------------------------------------------------------------------------


def _page(status: int = 200, **more: Any) -> Response:
    page = page_or_region("webhook/show.html", REGIONS, **page_context(_url(), **more))
    return make_response(page, status)


def _url() -> str:
    return settings.get_webhook_url(request.url_root)


def _read_action() -> InstallationAction:
    is_removal = request.form.get("action") == InstallationAction.REMOVE
    return InstallationAction.REMOVE if is_removal else InstallationAction.INSTALL


def _read_wanted() -> Wanted:
    form = InstallForm()
    word = form.apply_to.data or ApplyTo.NOWHERE
    if word not in list(ApplyTo):
        raise InvalidInput("Choose where to use the alert template.", field="apply_to")
    ids = {to_number(text) for text in form.clients.data or ()}
    organizations = tuple(sorted(pk for pk in ids if pk is not None))
    chosen = organizations if word == ApplyTo.ORGANIZATIONS else ()
    return Wanted(_url(), ApplyTo(word), chosen, bool(form.use_key_store.data))
