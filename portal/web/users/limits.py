"""Limiting a user to some clients."""

from __future__ import annotations

from flask import flash, redirect, request, url_for
from flask.typing import ResponseReturnValue

from portal.errors import InvalidInput, Refused
from portal.services.accounts.limits import limit_user
from portal.services.accounts.permissions import Permission
from portal.services.accounts.users import get_member
from portal.web.client_filter import NO_CLIENT
from portal.web.forms import mark
from portal.web.guard import get_tenant, requires
from portal.web.input import to_id
from portal.web.reauthentication import fresh_sign_in_required
from portal.web.users.forms import SOME, ClientsForm
from portal.web.users.views import get_other, show_member, users
from portal.wording import plural


@users.post("/<int:user_id>/clients")
@requires(Permission.MANAGE_USERS)
@fresh_sign_in_required
def limit(user_id: int) -> ResponseReturnValue:
    email, form = get_other(user_id).user.email, ClientsForm()
    chosen = read_chosen(form)
    try:
        limit_user(email, get_tenant().slug, chosen)
    except (InvalidInput, Refused) as error:
        mark(form, error, otherwise="clients")
        return show_member(get_member(user_id), clients_form=form, chosen=chosen), 422
    sees = "all clients" if chosen is None else plural(len(set(chosen)), "client")
    flash(f"{email} now sees {sees}.", "success")
    return redirect(url_for("users.show", user_id=user_id))


def read_chosen(form: ClientsForm) -> list[int] | None:
    """None for all clients. What is no id is NO_CLIENT, which the service refuses."""
    if form.sees.data != SOME:
        return None
    ids = request.form.getlist("client", type=to_id)
    lost = len(request.form.getlist("client")) - len(ids)
    return [*ids, *([NO_CLIENT] if lost else [])]
