"""Pages that a person proves on to be the user, before something that changes how to sign in."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from flask import flash, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue

from portal.errors import InvalidInput, Refused
from portal.services.accounts.second_factors.proof import Proof
from portal.services.accounts.second_factors.status import get_status
from portal.services.accounts.throttle import Caller, TooManyAttempts
from portal.web.account.forms import ProofForm
from portal.web.account.passkeys import ask_for_passkey, find_problem
from portal.web.auth.session import after_sign_in
from portal.web.caller import get_caller
from portal.web.forms import mark, refuse
from portal.web.guard import get_user


@dataclass(frozen=True, slots=True)
class Purpose:
    """What a person proves for: the title of the page, what follows, the words on the button."""

    title: str
    lead: str
    action: str
    is_removal: bool = False


def prove(
    purpose: Purpose, then: Callable[[Proof, Caller], ResponseReturnValue]
) -> ResponseReturnValue:
    """Ask for a proof; with one that was sent do what it is for."""
    form, user = ProofForm(), get_user()
    try:
        if form.is_submitted():
            return then(form.read(), get_caller(user.email))
    except (InvalidInput, TooManyAttempts) as error:
        mark(form, error)
        return refuse(_page(form, purpose), error)
    except Refused as error:
        flash(error.message, "error")
        return redirect(here("second_factors.show"))
    return _page(form, purpose)


def show_codes(codes: list[str]) -> str:
    """The only page that ever shows them."""
    return render_template(
        "account/codes.html", codes=codes, go_on=after_sign_in(request.args.get("next"))
    )


def answer_added(codes: list[str], message: str) -> ResponseReturnValue:
    """After a factor was added: the codes that came with the first one, else the message."""
    if codes:
        return show_codes(codes)
    flash(message, "success")
    return redirect(here("second_factors.show"))


def render_proof(template: str, form: ProofForm, **shown: Any) -> str:
    """A page with the ways in which the user can prove who they are (account/_proof.html)."""
    user_id = get_user().id
    factors = get_status(user_id)
    return render_template(
        template,
        form=form,
        factors=factors,
        passkey_options=ask_for_passkey(user_id, factors),
        passkey_problem=find_problem(),
        **shown,
    )


def here(endpoint: str) -> str:
    """The page, with where the person goes on to afterwards."""
    return url_for(endpoint, next=request.args.get("next"))


def _page(form: ProofForm, purpose: Purpose) -> str:
    return render_proof("account/prove.html", form, purpose=purpose)
