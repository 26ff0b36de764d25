"""Accepting an invitation into a tenant: with a new account, or with the one that is there."""

from __future__ import annotations

from flask import redirect, render_template, session, url_for
from flask.typing import ResponseReturnValue

from portal.errors import InvalidInput, Refused
from portal.models import Invitation
from portal.services.accounts import invitations
from portal.services.accounts.sign_in import start_session
from portal.services.oidc.entrance import is_offered
from portal.web.auth.forms import InvitationForm
from portal.web.auth.session import INVITATION, begin_session
from portal.web.auth.views import auth
from portal.web.caller import get_caller
from portal.web.forms import mark, refuse
from portal.web.guard import find_own_user
from portal.web.links import OLD, ask_for_code, lead_on, read_code


@auth.get("/invitation")
def open_invitation() -> ResponseReturnValue:
    return ask_for_code("auth.show_invitation")


@auth.get(f"/invitation/{OLD}")
def open_old_invitation(code: str) -> ResponseReturnValue:
    return lead_on("auth.open_invitation", code)


@auth.post("/invitation")
def show_invitation() -> ResponseReturnValue:
    """Looking uses nothing up: some mail programs open every link."""
    code = read_code()
    return _show(code) if code else ask_for_code("auth.show_invitation")


@auth.get("/invitation/signed-in")
def go_on_with_invitation() -> ResponseReturnValue:
    """Where signing in leads whoever has an account: the cookie kept the code meanwhile."""
    code = session.get(INVITATION)
    return _show(code) if code else redirect(url_for("auth.open_invitation"))


@auth.post("/invitation/accept")
def accept_invitation() -> ResponseReturnValue:
    form, user, code = InvitationForm(), find_own_user(), read_code()
    try:
        if user is not None:
            slug = invitations.accept_as(user, code, get_caller())
            session.pop(INVITATION, None)
            return redirect(url_for("dashboard.show", slug=slug))
        user, slug = invitations.accept_as_new(code, form.password.data or "", get_caller())
    except (InvalidInput, Refused) as error:
        invitation = invitations.find_invitation(code)
        if invitation is None:
            raise
        mark(form, error)
        return refuse(_page(invitation, code, form), error)
    return begin_session(start_session(user, get_caller()), url_for("dashboard.show", slug=slug))


def _show(code: str) -> str:
    invitation = invitations.find_invitation(code)
    if invitation is None:
        session.pop(INVITATION, None)
        raise invitations.used_up()
    return _page(invitation, code, InvitationForm())


def _page(invitation: Invitation, code: str, form: InvitationForm) -> str:
    user = find_own_user()
    is_signed_in = user is not None and user.email == invitation.email
    has_account = invitations.find_invited(invitation) is not None
    if has_account and not is_signed_in:
        session[INVITATION] = code
    return render_template(
        "invitation.html",
        invitation=invitation,
        code=code,
        form=form,
        has_account=has_account,
        is_signed_in=is_signed_in,
        other=user.email if user is not None and not is_signed_in else None,
        offers_company=is_offered(invitation.tenant.slug),
    )
