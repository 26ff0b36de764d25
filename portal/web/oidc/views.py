"""The settings of a tenant's identity provider, and who is linked to it."""

from __future__ import annotations

from flask import flash, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue

from portal.errors import InvalidInput
from portal.models import OidcProvider
from portal.services.accounts.permissions import ROLES, Permission
from portal.services.oidc import people, settings, testing
from portal.services.oidc.entered import ProviderSettings
from portal.services.oidc.entrance import find_recent_entry
from portal.web.errands.following import follow
from portal.web.forms import mark, refuse
from portal.web.guard import get_tenant, requires, tenant_blueprint
from portal.web.oidc.forms import ProviderForm
from portal.web.oidc.sign_in import make_callback
from portal.web.reauthentication import fresh_sign_in_required

single_sign_on = tenant_blueprint("single_sign_on", __name__, "/single-sign-on")

BLANK_ROWS = 3
"""For more groups, beside those that are there."""


@single_sign_on.get("/")
@requires(Permission.MANAGE_USERS)
def show() -> ResponseReturnValue:
    saved = settings.read_settings()
    form = ProviderForm(
        formdata=None,
        issuer=saved.issuer,
        client_id=saved.client_id,
        scopes=saved.scopes,
        groups_claim=saved.groups_claim,
        default_role=saved.default_role,
        second_factor_words=saved.second_factor_words,
        required=saved.required,
    )
    return _page(form, list(saved.group_roles.items()))


@single_sign_on.post("/")
@requires(Permission.MANAGE_USERS)
@fresh_sign_in_required
def save() -> ResponseReturnValue:
    """Save, then test what has not been tested."""
    form = ProviderForm()
    groups = list(zip(request.form.getlist("group"), request.form.getlist("role"), strict=False))
    try:
        provider = settings.save_provider(_read(form, groups))
    except InvalidInput as error:
        mark(form, error)
        return refuse(_page(form, groups), error)
    flash("Saved.", "success")
    if provider.tested_at is None or provider.problem or form.client_secret.data:
        follow(testing.request_test(make_callback(get_tenant().slug)))
    return redirect(url_for("single_sign_on.show"))


@single_sign_on.post("/test")
@requires(Permission.MANAGE_USERS)
def test() -> ResponseReturnValue:
    follow(testing.request_test(make_callback(get_tenant().slug)))
    return redirect(url_for("single_sign_on.show"))


@single_sign_on.post("/off")
@requires(Permission.MANAGE_USERS)
@fresh_sign_in_required
def switch_off() -> ResponseReturnValue:
    settings.switch_off()
    flash("Switched off. People sign in with their passwords.", "success")
    return redirect(url_for("single_sign_on.show"))


@single_sign_on.post("/people/<int:user_id>/unlink")
@requires(Permission.MANAGE_USERS)
@fresh_sign_in_required
def unlink(user_id: int) -> ResponseReturnValue:
    email = people.unlink(user_id)
    flash(f"{email} is not linked any more.", "success")
    return redirect(url_for("single_sign_on.show"))


def _read(form: ProviderForm, groups: list[tuple[str, str]]) -> ProviderSettings:
    names = [name.strip() for name, _role in groups if name.strip()]
    twice = next((name for name in names if names.count(name) > 1), None)
    if twice is not None:
        raise InvalidInput(f"The group {twice} is there twice.", field="group_roles")
    return ProviderSettings(
        issuer=form.issuer.data or "",
        client_id=form.client_id.data or "",
        client_secret=form.client_secret.data or None,
        scopes=form.scopes.data or "",
        groups_claim=form.groups_claim.data or "",
        group_roles=dict(groups),
        default_role=form.default_role.data or "",
        second_factor_words=form.second_factor_words.data or "",
        required=bool(form.required.data),
    )


def _page(form: ProviderForm, groups: list[tuple[str, str]]) -> str:
    provider: OidcProvider | None = settings.find_provider()
    slug = get_tenant().slug
    named = [(name, role) for name, role in groups if name.strip()]
    return render_template(
        "oidc/settings.html",
        form=form,
        provider=provider,
        saved_secret="" if provider and settings.has_secret(provider) else None,
        groups=[*named, *([("", "")] * BLANK_ROWS)],
        roles=list(ROLES),
        callback=make_callback(slug),
        address=make_callback(slug).removesuffix("/callback"),
        people=people.list_people(provider.issuer) if provider else [],
        entry=find_recent_entry(),
    )
