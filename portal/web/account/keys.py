"""The passkeys of the signed-in person: added, named, removed."""

from __future__ import annotations

from flask import Blueprint, flash, g, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue

from portal.errors import InvalidInput, Refused
from portal.services.accounts.second_factors import changes
from portal.services.accounts.second_factors.proof import Proof
from portal.services.accounts.throttle import Caller
from portal.web.account.forms import PasskeyForm
from portal.web.account.passkeys import begin, find_problem, get_party, read_signed
from portal.web.account.proving import Purpose, answer_added, here, prove
from portal.web.auth.views import signed_in
from portal.web.forms import mark, refuse
from portal.web.guard import get_user
from portal.web.input import check_input

passkeys = Blueprint("passkeys", __name__, url_prefix="/account/passkeys")
passkeys.before_request(check_input)

ADD = Purpose(
    "Add a passkey",
    "A passkey is kept by your device, your password manager or a security key, and signs you in "
    "by a fingerprint, a face or a PIN. Prove first that it is you.",
    "Continue",
)
REMOVE = Purpose(
    "Remove the passkey",
    "Prove that it is you. Your other browsers will be signed out.",
    "Remove",
    is_removal=True,
)


@passkeys.route("/new", methods=["GET", "POST"])
@signed_in
def add() -> ResponseReturnValue:
    """Before the proof a page that asks for it, then the form that the browser fills in."""

    def ask(proof: Proof, caller: Caller) -> ResponseReturnValue:
        problem = find_problem()
        if problem is not None:
            raise Refused(problem)
        made = changes.begin_passkey(get_user().id, proof, get_party(), caller)
        return _new_page(PasskeyForm(), begin(made))

    return prove(ADD, ask)


@passkeys.post("/new/finish")
@signed_in
def finish() -> ResponseReturnValue:
    form = PasskeyForm()
    signed = read_signed(form.passkey.data)
    try:
        if signed is None:
            raise InvalidInput("No passkey was sent. Start again.", field="passkey")
        name = form.name.data or "Passkey"
        codes = changes.add_passkey(get_user().id, name, signed, g.session_digest)
    except InvalidInput as error:
        flash(error.message, "error")
        return redirect(here("passkeys.add"))
    return answer_added(codes, "The passkey was added.")


@passkeys.route("/<int:passkey_id>", methods=["GET", "POST"])
@signed_in
def rename(passkey_id: int) -> ResponseReturnValue:
    user_id, form = get_user().id, PasskeyForm()
    found = changes.get_passkey(user_id, passkey_id)
    if request.method == "GET":
        return _name_page(PasskeyForm(name=found.name))
    try:
        changes.rename_passkey(user_id, passkey_id, form.name.data or "")
    except InvalidInput as error:
        mark(form, error)
        return refuse(_name_page(form), error)
    flash("Saved.", "success")
    return redirect(url_for("second_factors.show"))


@passkeys.route("/<int:passkey_id>/remove", methods=["GET", "POST"])
@signed_in
def remove(passkey_id: int) -> ResponseReturnValue:
    changes.get_passkey(get_user().id, passkey_id)

    def do(proof: Proof, caller: Caller) -> ResponseReturnValue:
        changes.remove_passkey(get_user().id, passkey_id, proof, g.session_digest, caller)
        flash("The passkey was removed, and your other browsers were signed out.", "success")
        return redirect(url_for("second_factors.show"))

    return prove(REMOVE, do)


def _new_page(form: PasskeyForm, options: str) -> str:
    return render_template("account/passkey_new.html", form=form, options=options)


def _name_page(form: PasskeyForm) -> str:
    return render_template("account/passkey_name.html", form=form)
