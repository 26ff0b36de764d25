"""Views that want a fresh sign-in ask for a proof first, and go on with the form that was sent."""

from __future__ import annotations

from functools import wraps
from typing import Any

from flask import g, request, session
from flask.typing import ResponseReturnValue
from werkzeug.datastructures import ImmutableMultiDict

from portal.clock import utc_now
from portal.errors import InvalidInput
from portal.services.accounts.reauthentication import (
    Fields,
    is_fresh,
    open_form,
    prove_again,
    seal_form,
)
from portal.services.accounts.second_factors.proof import Proof
from portal.services.accounts.throttle import TooManyAttempts
from portal.services.accounts.tokens import digest
from portal.web.account.forms import ProofForm
from portal.web.account.proving import render_proof
from portal.web.caller import get_caller
from portal.web.forms import mark, refuse
from portal.web.guard import TOKEN, View, get_user, is_of_provider

SEALED = "sealed"
PART = 8000
"""Letters of a hidden field: one may not hold more than `portal.web.input.LONGEST_VALUE`."""
NOT_SENT_ON = {"csrf_token"}

ASKS = 401


def fresh_sign_in_required(view: View) -> View:
    """For views behind a sign-in that are posted to. Who proved long ago who they are does so
    again; then the view gets the form as it was sent at first."""

    @wraps(view)
    def guarded(*args: Any, **kwargs: Any) -> ResponseReturnValue:
        if SEALED in request.form:
            refused = _take_proof()
            if refused is not None:
                return refused
        elif not is_fresh(g.user_session, utc_now()):
            fields = [each for each in request.form.items(multi=True) if each[0] not in NOT_SENT_ON]
            return _page(ProofForm(formdata=None), seal_form(fields, _bound_to())), ASKS
        answer: ResponseReturnValue = view(*args, **kwargs)
        return answer

    guarded.is_fresh_required = True  # type: ignore[attr-defined]
    return guarded  # type: ignore[return-value]


def _take_proof() -> ResponseReturnValue | None:
    """The page again when the proof is wrong; else the request carries the form of before."""
    form, user, sealed = ProofForm(), get_user(), "".join(request.form.getlist(SEALED))
    fields = open_form(sealed, _bound_to())
    if is_of_provider() and is_fresh(g.user_session, utc_now()):  # proved there, in another tab
        _put_form(fields)
        return None
    try:
        proof = form.read()
        if is_of_provider() and proof == Proof():
            raise InvalidInput("You have not signed in with your company again yet.")
        token = prove_again(user.id, g.session_digest, proof, get_caller(user.email))
    except (InvalidInput, TooManyAttempts) as error:
        mark(form, error)
        return refuse(_page(form, sealed), error)
    session[TOKEN], g.session_digest = token, digest(token)
    _put_form(fields)
    return None


def _put_form(fields: Fields) -> None:
    request.form = ImmutableMultiDict(fields)


def _bound_to() -> str:
    """The session and the page. That of a provider gets another token while its user proves there
    who they are, and has no other tenant's forms."""
    if is_of_provider():
        return f"provider {g.provider_of} {get_user().id}{request.full_path}"
    return f"{g.session_digest}{request.full_path}"


def _page(form: ProofForm, sealed: str) -> str:
    parts = [sealed[start : start + PART] for start in range(0, len(sealed), PART)]
    return render_proof("account/confirm.html", form, sealed=parts, by_provider=is_of_provider())
