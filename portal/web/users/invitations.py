"""Inviting people into a tenant."""

from __future__ import annotations

from flask import flash, redirect, url_for
from flask.typing import ResponseReturnValue

from portal.errors import InvalidInput
from portal.services.accounts import invitations
from portal.services.accounts.permissions import Permission
from portal.web.forms import mark
from portal.web.guard import get_tenant, get_user, requires
from portal.web.reauthentication import fresh_sign_in_required
from portal.web.users.forms import InviteForm
from portal.web.users.views import show_list, users


@users.post("/invite")
@requires(Permission.MANAGE_USERS)
@fresh_sign_in_required
def invite() -> ResponseReturnValue:
    """The answer itself shows the link, which is kept nowhere that could show it again."""
    form = InviteForm()
    try:
        return _invite(form.email.data or "", form.role.data or "")
    except InvalidInput as error:
        mark(form, error)
        return show_list(form), 422


@users.post("/invitations/<int:invitation_id>/renew")
@requires(Permission.MANAGE_USERS)
@fresh_sign_in_required
def renew_invitation(invitation_id: int) -> ResponseReturnValue:
    """Another link, which ends the earlier one."""
    invitation = invitations.get_invitation(invitation_id)
    return _invite(invitation.email, invitation.role)


@users.post("/invitations/<int:invitation_id>/withdraw")
@requires(Permission.MANAGE_USERS)
@fresh_sign_in_required
def withdraw_invitation(invitation_id: int) -> ResponseReturnValue:
    email = invitations.withdraw_invitation(invitation_id)
    flash(f"The invitation of {email} was withdrawn.", "success")
    return redirect(url_for("users.index"))


def _invite(email: str, role: str) -> ResponseReturnValue:
    link = invitations.invite(email, get_tenant().slug, role, invited_by=get_user().id)
    return show_list(InviteForm(formdata=None, role="technician"), link)
