"""The second step of signing in: whoever gave the right password is asked for a second factor."""

from __future__ import annotations

from flask import Blueprint, flash, redirect, render_template, request, session, url_for
from flask.typing import ResponseReturnValue

from portal.errors import InvalidInput
from portal.services.accounts import second_step as steps
from portal.services.accounts.second_factors.status import get_status
from portal.services.accounts.second_step import (
    StepExpired,
    finish,
    get_pending,
    sign_in_by_passkey,
)
from portal.services.accounts.throttle import TooManyAttempts
from portal.web.account.forms import PasskeyForm, ProofForm
from portal.web.account.passkeys import (
    ask_for_passkey,
    begin,
    find_problem,
    get_party,
    read_signed,
)
from portal.web.auth.session import STEP, after_sign_in, begin_session
from portal.web.caller import get_caller
from portal.web.forms import mark, refuse
from portal.web.input import check_input
from portal.wording import plural

second_step = Blueprint("second_step", __name__, url_prefix="/sign-in/second-step")
second_step.before_request(check_input)


@second_step.get("/")
def show() -> ResponseReturnValue:
    return _page(ProofForm())


@second_step.post("/")
def check() -> ResponseReturnValue:
    form, token = ProofForm(), _token()
    try:
        email = get_pending(token).user.email
        done = finish(token, form.read(), get_caller(email))
    except (InvalidInput, TooManyAttempts) as error:
        mark(form, error)
        return refuse(_page(form), error)
    response = begin_session(done.sign_in, after_sign_in(request.args.get("next")))
    if done.few_codes is not None:
        flash(
            f"You have {plural(done.few_codes, 'recovery code')} left. Create new ones on the page "
            "Account.",
            "warning",
        )
    return response


@second_step.route("/passkey", methods=["GET", "POST"])
def use_passkey_alone() -> ResponseReturnValue:
    """Instead of password and second factor: the key is had, and it verified its user."""
    form = PasskeyForm()
    try:
        if request.method == "POST":
            signed = read_signed(form.passkey.data)
            if signed is None:
                raise InvalidInput("No passkey was sent. Try again.", field="passkey")
            done = sign_in_by_passkey(signed, get_caller())
            return begin_session(done, after_sign_in(request.args.get("next")))
    except (InvalidInput, TooManyAttempts) as error:
        mark(form, error)
        return refuse(_passkey_page(form), error)
    return _passkey_page(form)


def _passkey_page(form: PasskeyForm) -> str:
    problem = find_problem()
    options = None if problem else begin(steps.ask_for_passkey(get_party(), get_caller()))
    return render_template("passkey.html", form=form, options=options, problem=problem)


@second_step.errorhandler(StepExpired)
def _ask_password_again(error: StepExpired) -> ResponseReturnValue:
    session.pop(STEP, None)
    flash(error.message, "error")
    return redirect(url_for("auth.sign_in", next=request.args.get("next")))


def _page(form: ProofForm) -> str:
    user = get_pending(_token()).user
    factors = get_status(user.id)
    return render_template(
        "second_step.html",
        form=form,
        email=user.email,
        factors=factors,
        passkey_options=ask_for_passkey(user.id, factors),
        passkey_problem=find_problem(),
    )


def _token() -> str:
    token = session.get(STEP)
    return token if isinstance(token, str) else ""
