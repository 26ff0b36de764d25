"""Accepting an invitation into a tenant: with a new account, or with the one that is there."""

from __future__ import annotations

from flask import redirect, render_template, url_for
from flask.typing import ResponseReturnValue

from portal.errors import InvalidInput, Refused
from portal.models import Invitation
from portal.services.accounts import invitations
from portal.services.accounts.sign_in import start_session
from portal.services.oidc.entrance import is_offered
from portal.web.auth.forms import InvitationForm
from portal.web.auth.session import begin_session
from portal.web.auth.views import auth
from portal.web.caller import get_caller
from portal.web.forms import mark, refuse
from portal.web.guard import find_own_user


@auth.get("/invitation/<token>")
def show_invitation(token: str) -> ResponseReturnValue:
    """Looking uses nothing up: some mail programs open every link."""
    invitation = invitations.find_invitation(token)
    if invitation is None:
        raise invitations.used_up()
    return _page(invitation, InvitationForm())


@auth.post("/invitation/<token>")
def accept_invitation(token: str) -> ResponseReturnValue:
    form, user = InvitationForm(), find_own_user()
    try:
        if user is not None:
            slug = invitations.accept_as(user, token, get_caller())
            return redirect(url_for("dashboard.show", slug=slug))
        user, slug = invitations.accept_as_new(token, form.password.data or "", get_caller())
    except (InvalidInput, Refused) as error:
        invitation = invitations.find_invitation(token)
        if invitation is None:
            raise
        mark(form, error)
        return refuse(_page(invitation, form), error)
    return begin_session(start_session(user, get_caller()), url_for("dashboard.show", slug=slug))


def _page(invitation: Invitation, form: InvitationForm) -> str:
    user = find_own_user()
    is_signed_in = user is not None and user.email == invitation.email
    return render_template(
        "invitation.html",
        invitation=invitation,
        form=form,
        has_account=invitations.find_invited(invitation) is not None,
        is_signed_in=is_signed_in,
        other=user.email if user is not None and not is_signed_in else None,
        offers_company=is_offered(invitation.tenant.slug),
    )
