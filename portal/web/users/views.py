"""The users of a tenant: who has which role, changed, disabled, removed, signed out."""

from __future__ import annotations

from collections.abc import Collection

from flask import flash, g, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue

from portal.errors import InvalidInput, Refused
from portal.models import Membership
from portal.services.accounts import password_changes, sessions
from portal.services.accounts import users as user_service
from portal.services.accounts.invitations import InvitationLink, list_invitations
from portal.services.accounts.limits import list_choices, list_limits, read_limit
from portal.services.accounts.link_mails import find_channel
from portal.services.accounts.password_changes import ResetLink
from portal.services.accounts.permissions import LIMITABLE, Permission
from portal.services.accounts.second_factors.requirement import is_required
from portal.services.accounts.second_factors.status import list_kinds
from portal.web.forms import mark
from portal.web.guard import get_tenant, get_user, requires, tenant_blueprint
from portal.web.reauthentication import fresh_sign_in_required
from portal.web.users.forms import ALL, SOME, ClientsForm, InviteForm, RoleForm

users = tenant_blueprint("users", __name__, "/users")

HELPS = {
    "owner": "Everything, and decides who else is here.",
    "admin": "Also the connection to Tactical, the webhook and event subscribers.",
    "technician": "Syncs, maps, edits, and acts on alerts.",
    "viewer": "Sees everything but users, and changes nothing.",
}


@users.get("/")
@requires(Permission.MANAGE_USERS)
def index() -> ResponseReturnValue:
    return show_list(InviteForm(role="technician"))


@users.get("/<int:user_id>")
@requires(Permission.MANAGE_USERS)
def show(user_id: int) -> ResponseReturnValue:
    member = user_service.get_member(user_id)
    return show_member(member)


@users.post("/<int:user_id>/role")
@requires(Permission.MANAGE_USERS)
@fresh_sign_in_required
def change_role(user_id: int) -> ResponseReturnValue:
    member, form = get_other(user_id), RoleForm()
    try:
        role = form.role.data or ""
        user_service.change_role(member.user.email, get_tenant().slug, role)
    except (InvalidInput, Refused) as error:
        mark(form, error, otherwise="role")
        return show_member(user_service.get_member(user_id), form), 422
    flash(f"{member.user.email} is now {role}.", "success")
    return redirect(url_for("users.show", user_id=user_id))


@users.post("/<int:user_id>/disable")
@requires(Permission.MANAGE_USERS)
@fresh_sign_in_required
def disable(user_id: int) -> ResponseReturnValue:
    member = get_other(user_id)
    user_service.disable_user(member.user.email, get_tenant().slug)
    flash(f"{member.user.email} is disabled. The role is kept.", "success")
    return redirect(url_for("users.show", user_id=user_id))


@users.post("/<int:user_id>/enable")
@requires(Permission.MANAGE_USERS)
@fresh_sign_in_required
def enable(user_id: int) -> ResponseReturnValue:
    member = get_other(user_id)
    user_service.enable_user(member.user.email, get_tenant().slug)
    flash(f"{member.user.email} is enabled.", "success")
    return redirect(url_for("users.show", user_id=user_id))


@users.post("/<int:user_id>/remove")
@requires(Permission.MANAGE_USERS)
@fresh_sign_in_required
def remove(user_id: int) -> ResponseReturnValue:
    member = get_other(user_id)
    user_service.remove_user(member.user.email, get_tenant().slug)
    flash(f"{member.user.email} was removed from {get_tenant().name}.", "success")
    return redirect(url_for("users.index"))


@users.post("/<int:user_id>/reset")
@requires(Permission.MANAGE_USERS)
@fresh_sign_in_required
def reset(user_id: int) -> ResponseReturnValue:
    """The answer itself shows the link, which is kept nowhere that could show it again."""
    member = get_other(user_id)
    link = password_changes.issue_reset(
        member.user.email,
        only_of=member.tenant_id,
        remove_factors=bool(request.form.get("remove_factors")),
        mailed_by=member.tenant_id if request.form.get("mail") else None,
    )
    return show_member(member, reset_link=link)


@users.post("/<int:user_id>/sign-out")
@requires(Permission.MANAGE_USERS)
@fresh_sign_in_required
def sign_out(user_id: int) -> ResponseReturnValue:
    member = get_other(user_id)
    sessions.sign_out_everywhere(user_id)
    flash(f"{member.user.email} is signed out everywhere.", "success")
    return redirect(url_for("users.show", user_id=user_id))


@users.post("/<int:user_id>/browsers/<handle>/end")
@requires(Permission.MANAGE_USERS)
@fresh_sign_in_required
def end_browser(user_id: int, handle: str) -> ResponseReturnValue:
    member = get_other(user_id)
    sessions.end_session(user_id, handle, only_of=member.tenant_id)
    flash("The browser is signed out.", "success")
    return redirect(url_for("users.show", user_id=user_id))


def show_list(
    form: InviteForm,
    invited: InvitationLink | None = None,
    chosen: Collection[int] | None = None,
) -> str:
    """`chosen`: the clients that were ticked in a form that comes back."""
    members, invitations = user_service.list_members(), list_invitations()
    factors = list_kinds(*(member.user_id for member in members))
    needing = {each.user_id for each in members if is_required(get_tenant(), each.role)}
    return render_template(
        "users/list.html",
        form=form,
        helps=HELPS,
        members=members,
        factors=factors,
        lacking=needing - factors.keys(),
        limits=list_limits(members),
        invitations=invitations,
        invitation_limits=list_limits(invitations),
        invited=invited,
        mail_channel=find_channel(),
        choices=list_choices(),
        chosen=chosen or (),
    )


def show_member(
    member: Membership,
    form: RoleForm | None = None,
    reset_link: ResetLink | None = None,
    clients_form: ClientsForm | None = None,
    chosen: Collection[int] | None = None,
) -> str:
    """`form` and `clients_form` as they came back; `chosen` are the clients that were ticked."""
    if clients_form is None:
        clients_form = ClientsForm(formdata=None, sees=SOME if member.limited else ALL)
        chosen = read_limit(member)
    return render_template(
        "users/detail.html",
        member=member,
        form=form or RoleForm(formdata=None, role=member.role),
        clients_form=clients_form,
        chosen=chosen or (),
        choices=list_choices(),
        can_be_limited=member.role in LIMITABLE,
        helps=HELPS,
        factors=list_kinds(member.user_id).get(member.user_id, []),
        reset_link=reset_link,
        mail_channel=find_channel(),
        open_reset=password_changes.find_open_reset(member.user_id),
        browsers=sessions.list_browsers(member.user_id, g.session_digest, member.tenant_id),
    )


def get_other(user_id: int) -> Membership:
    """Nobody shuts himself out by mistake. Raises NotFound, and Refused for oneself."""
    member = user_service.get_member(user_id)
    if user_id == get_user().id:
        raise Refused(
            "This is your own place. Another owner can change it. To sign your other browsers "
            "out, to change your password or to leave the tenant, open your account."
        )
    return member
