"""The second factors of the signed-in person: set up, removed, and their recovery codes."""

from __future__ import annotations

import segno
from flask import Blueprint, flash, g, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from markupsafe import Markup

from portal.errors import InvalidInput, NotFound
from portal.services.accounts.second_factors import changes, requirement
from portal.services.accounts.second_factors.proof import Proof
from portal.services.accounts.second_factors.status import get_status
from portal.services.accounts.throttle import Caller
from portal.web.account import passkeys
from portal.web.account.forms import CodeForm
from portal.web.account.proving import Purpose, answer_added, here, prove, show_codes
from portal.web.auth.session import after_sign_in
from portal.web.auth.views import signed_in
from portal.web.forms import mark, refuse
from portal.web.guard import get_user
from portal.web.input import check_input
from portal.wording import join_words

second_factors = Blueprint("second_factors", __name__, url_prefix="/account/second-factor")
second_factors.before_request(check_input)

ADD_APP = Purpose(
    "Set up an authenticator app",
    "Any app that shows six-digit codes (TOTP) will do. Prove first that it is you.",
    "Continue",
)
REMOVE_APP = Purpose(
    "Remove the authenticator app",
    "Prove that it is you. Your other browsers will be signed out.",
    "Remove",
    is_removal=True,
)
NEW_CODES = Purpose(
    "Create new recovery codes",
    "The old ones stop working. Prove first that it is you.",
    "Create new codes",
)


@second_factors.get("/")
@signed_in
def show() -> ResponseReturnValue:
    return render_template(
        "account/second_factors.html",
        factors=get_status(get_user().id),
        passkey_problem=passkeys.find_problem(),
    )


@second_factors.route("/offer", methods=["GET", "POST"])
@signed_in
def offer() -> ResponseReturnValue:
    """Before anything of a tenant that requires a second factor; a new owner may skip it."""
    user, go_on = get_user(), after_sign_in(request.args.get("next"))
    requiring = requirement.list_requiring(user.id)
    if get_status(user.id).has_factor:
        return redirect(go_on)
    if request.method == "GET":
        return render_template(
            "account/offer.html",
            requiring=join_words(requiring),
            passkey_problem=passkeys.find_problem(),
        )
    requirement.skip_offer(user.id)
    return redirect(go_on)


# --- The authenticator app --------------------------------------------------------------


@second_factors.route("/app", methods=["GET", "POST"])
@signed_in
def add_app() -> ResponseReturnValue:
    """Before the proof a page that asks for it, then the secret, until a code confirmed it."""

    def begin(proof: Proof, caller: Caller) -> ResponseReturnValue:
        changes.begin_app(get_user().id, proof, caller)
        return redirect(here("second_factors.add_app"))

    if request.method == "GET" and changes.find_new_app(get_user().id) is not None:
        return _app_page(CodeForm())
    return prove(ADD_APP, begin)


@second_factors.post("/app/confirm")
@signed_in
def confirm_app() -> ResponseReturnValue:
    form = CodeForm()
    try:
        codes = changes.confirm_app(get_user().id, form.code.data or "", g.session_digest)
    except InvalidInput as error:
        mark(form, error)
        return refuse(_app_page(form), error)
    except NotFound as error:
        flash(error.message, "error")
        return redirect(here("second_factors.add_app"))
    return answer_added(codes, "The authenticator app is set up.")


@second_factors.route("/app/remove", methods=["GET", "POST"])
@signed_in
def remove_app() -> ResponseReturnValue:
    def remove(proof: Proof, caller: Caller) -> ResponseReturnValue:
        changes.remove_app(get_user().id, proof, g.session_digest, caller)
        flash("The app was removed, and your other browsers were signed out.", "success")
        return redirect(url_for("second_factors.show"))

    return prove(REMOVE_APP, remove)


def _app_page(form: CodeForm) -> str:
    """Raises NotFound when the time to set it up is over."""
    shared = changes.find_new_app(get_user().id)
    if shared is None:
        raise NotFound("Setting up the app took too long. Start again from the page Account.")
    code = segno.make(shared.uri, micro=False)
    drawn = code.svg_inline(scale=4, light="#fff", title="QR code for your authenticator app")
    return render_template(
        "account/app.html",
        form=form,
        secret=shared.secret,
        picture=Markup(drawn),  # noqa: S704  # drawn by the library, of what we gave it
    )


# --- Recovery codes ---------------------------------------------------------------------


@second_factors.route("/recovery-codes", methods=["GET", "POST"])
@signed_in
def renew_codes() -> ResponseReturnValue:
    def renew(proof: Proof, caller: Caller) -> ResponseReturnValue:
        return show_codes(changes.renew_codes(get_user().id, proof, caller))

    return prove(NEW_CODES, renew)
