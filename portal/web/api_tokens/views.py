"""The API of a tenant: its tokens, made and revoked, and what it offers."""

from __future__ import annotations

from collections.abc import Collection

from flask import flash, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue

from portal.api.document import get_document
from portal.errors import InvalidInput
from portal.services.accounts.limits import list_choices, list_limits
from portal.services.accounts.permissions import Permission
from portal.services.api import tokens as token_service
from portal.services.api.rate import PER_TOKEN
from portal.services.api.tokens import MadeToken
from portal.web.api_tokens.forms import TokenForm
from portal.web.api_tokens.reference import list_tags
from portal.web.forms import mark
from portal.web.guard import get_user, requires, tenant_blueprint
from portal.web.input import to_id, to_number
from portal.web.reauthentication import fresh_sign_in_required
from portal.web.users.limits import read_chosen
from portal.wording import plural

api_tokens = tenant_blueprint("api_tokens", __name__, "/api")

OPENS = {
    "read": "All records but the audit trail.",
    "audit": "The audit trail.",
}


@api_tokens.get("/")
@requires(Permission.MANAGE_TOKENS)
def index() -> ResponseReturnValue:
    return _page(TokenForm())


@api_tokens.post("/")
@requires(Permission.MANAGE_TOKENS)
@fresh_sign_in_required
def add() -> ResponseReturnValue:
    """The answer itself shows the token, which is kept nowhere that could show it again."""
    form = TokenForm()
    chosen = read_chosen(form)
    try:
        made = token_service.add_token(
            form.name.data or "",
            form.scopes.data or (),
            to_number(form.days.data or ""),
            (form.networks.data or "").split(),
            chosen,
            made_by=get_user().id,
        )
    except InvalidInput as error:
        mark(form, error)
        return _page(form, chosen=chosen), 422
    return _page(TokenForm(formdata=None), made)


@api_tokens.post("/<int:token_id>/revoke")
@requires(Permission.MANAGE_TOKENS)
@fresh_sign_in_required
def revoke(token_id: int) -> ResponseReturnValue:
    return _revoke([token_id])


@api_tokens.post("/revoke")
@requires(Permission.MANAGE_TOKENS)
@fresh_sign_in_required
def revoke_many() -> ResponseReturnValue:
    return _revoke(request.form.getlist("token", type=to_id))


def _revoke(token_ids: list[int]) -> ResponseReturnValue:
    try:
        names = token_service.revoke_tokens(token_ids)
    except InvalidInput as error:
        flash(error.message, "error")
    else:
        if len(names) == 1:
            text = f"The token {names[0]} was revoked. It opens nothing any more."
        else:
            text = f"{plural(len(names), 'token')} were revoked. They open nothing any more."
        flash(text, "success")
    return redirect(url_for("api_tokens.index"))


@api_tokens.get("/reference")
@requires(Permission.READ)
def reference() -> ResponseReturnValue:
    tags = list_tags(get_document())
    return render_template(
        "api/reference.html",
        document_url=url_for("api_openapi.show_document"),
        tags=tags,
        parts=[(f"of-{tag.name}", tag.name.replace("_", " ").capitalize()) for tag in tags],
        per_minute=PER_TOKEN.amount,
    )


def _page(
    form: TokenForm, made: MadeToken | None = None, chosen: Collection[int] | None = None
) -> str:
    tokens = token_service.list_tokens()
    return render_template(
        "api/tokens.html",
        form=form,
        opens=OPENS,
        tokens=tokens,
        limits=list_limits(tokens),
        is_expired=token_service.is_expired,
        made=made,
        choices=list_choices(),
        chosen=chosen or (),
    )
