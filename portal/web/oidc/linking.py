"""Linking oneself to a tenant's identity provider, joining by it, and entering without it."""

from __future__ import annotations

from urllib.parse import urlsplit

from flask import flash, g, redirect, render_template, url_for
from flask.typing import ResponseReturnValue

from portal.errors import NotFound
from portal.models import Membership
from portal.models.oidc.identity import FlowPurpose
from portal.scope import tenant_scope
from portal.services.accounts import invitations
from portal.services.accounts.second_factors.proof import Proof
from portal.services.accounts.throttle import Caller
from portal.services.oidc import people
from portal.services.oidc.entrance import enter_without
from portal.web.account.proving import Purpose
from portal.web.account.proving import prove as ask_for_proof
from portal.web.auth.views import signed_in
from portal.web.caller import get_caller
from portal.web.guard import find_place, get_user
from portal.web.links import read_code
from portal.web.oidc.sign_in import lead_to_provider, sso
from portal.web.reauthentication import fresh_sign_in_required

ENTER = Purpose(
    "Enter without your company's sign-in",
    "This tenant requires its identity provider. Enter without it only if the provider fails. "
    "It is recorded, and the other owners see it.",
    "Enter",
)


@sso.post("/t/<slug>/sign-in/link")
@signed_in
@fresh_sign_in_required
def link(slug: str) -> ResponseReturnValue:
    place = _get_place(slug)
    return _leave_for(lead_to_provider(slug, FlowPurpose.LINK, user_id=place.user_id))


@sso.post("/t/<slug>/sign-in/unlink")
@signed_in
@fresh_sign_in_required
def unlink(slug: str) -> ResponseReturnValue:
    place = _get_place(slug)
    with tenant_scope(place.tenant_id):
        people.unlink(place.user_id)
    flash("Unlinked.", "success")
    return redirect(url_for("auth.account"))


@sso.post("/invitation/company")
def join() -> ResponseReturnValue:
    """A new person, who will have no password here."""
    invitation = invitations.check_token(read_code(), get_caller())
    slug, invitation_id = invitation.tenant.slug, invitation.id
    return _leave_for(lead_to_provider(slug, FlowPurpose.JOIN, invitation_id=invitation_id))


@sso.route("/t/<slug>/sign-in/without-provider", methods=["GET", "POST"])
@signed_in
def enter(slug: str) -> ResponseReturnValue:
    """For an owner, by the second factor: when the provider is broken, somebody must get in."""
    place = _get_place(slug)

    def go_in(proof: Proof, caller: Caller) -> ResponseReturnValue:
        enter_without(place, g.session_digest, proof, caller)
        flash("You entered without your company's sign-in. It was recorded.", "warning")
        return redirect(url_for("dashboard.show", slug=slug))

    return ask_for_proof(ENTER, go_in)


def _leave_for(url: str) -> str:
    """A page with a link: a form may lead to nobody but us, so says our content security policy."""
    return render_template("oidc/leave.html", url=url, host=urlsplit(url).hostname)


def _get_place(slug: str) -> Membership:
    place = find_place(slug)
    if place is None or place.user_id != get_user().id:
        raise NotFound("This was not found.")
    return place
