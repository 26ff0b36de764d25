"""Inviting people into a tenant."""

from __future__ import annotations

from collections.abc import Collection

from flask import flash, redirect, request, url_for
from flask.typing import ResponseReturnValue

from portal.errors import InvalidInput, Refused
from portal.services.accounts import invitations
from portal.services.accounts.limits import read_limit
from portal.services.accounts.permissions import Permission
from portal.web.forms import mark
from portal.web.guard import get_tenant, get_user, requires
from portal.web.reauthentication import fresh_sign_in_required
from portal.web.users.forms import InviteForm
from portal.web.users.limits import read_chosen
from portal.web.users.views import show_list, users


@users.post("/invite")
@requires(Permission.MANAGE_USERS)
@fresh_sign_in_required
def invite() -> ResponseReturnValue:
    """The answer itself shows the link, which is kept nowhere that could show it again."""
    form = InviteForm()
    chosen = read_chosen(form)
    try:
        return _invite(form.email.data or "", form.role.data or "", chosen, form.mail.data)
    except (InvalidInput, Refused) as error:
        mark(form, error, otherwise="clients")
        return show_list(form, chosen=chosen), 422


@users.post("/invitations/<int:invitation_id>/renew")
@requires(Permission.MANAGE_USERS)
@fresh_sign_in_required
def renew_invitation(invitation_id: int) -> ResponseReturnValue:
    """Another link, which ends the earlier one."""
    invitation = invitations.get_invitation(invitation_id)
    limit = read_limit(invitation)
    if limit is not None and not limit:
        flash(
            f"The clients of this invitation were deleted. Invite {invitation.email} again.",
            "error",
        )
        return redirect(url_for("users.index"))
    by_mail = bool(request.form.get("mail"))
    try:
        return _invite(invitation.email, invitation.role, limit, by_mail)
    except InvalidInput as error:
        flash(error.message, "error")
        return redirect(url_for("users.index"))


@users.post("/invitations/<int:invitation_id>/withdraw")
@requires(Permission.MANAGE_USERS)
@fresh_sign_in_required
def withdraw_invitation(invitation_id: int) -> ResponseReturnValue:
    email = invitations.withdraw_invitation(invitation_id)
    flash(f"The invitation of {email} was withdrawn.", "success")
    return redirect(url_for("users.index"))


def _invite(
    email: str, role: str, client_ids: Collection[int] | None, by_mail: bool
) -> ResponseReturnValue:
    link = invitations.invite(
        email, get_tenant().slug, role, get_user().id, client_ids, by_mail=by_mail
    )
    return show_list(InviteForm(formdata=None, role="technician"), link)
