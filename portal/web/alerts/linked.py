"""The page that a link in a message leads to. It works without signing in, and without a cookie."""

from __future__ import annotations

from flask import Blueprint, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from flask_wtf.csrf import validate_csrf
from wtforms import ValidationError

from portal.errors import InvalidInput, Refused
from portal.extensions import csrf
from portal.models import Membership, User
from portal.services.accounts.permissions import Permission, role_allows
from portal.services.alerts.linked import press, read_linked
from portal.web.caller import get_caller
from portal.web.forms import refuse
from portal.web.guard import find_user, is_kept_out, list_places
from portal.web.input import check_input

acknowledge = Blueprint("acknowledge", __name__, url_prefix="/acknowledge")
acknowledge.before_request(check_input)
csrf.exempt(acknowledge)
"""The signed token in the address is what proves the right to press the button, and no other site
knows it. In whose name it is pressed depends on a cookie, though: see `_find_presser`."""


@acknowledge.get("/<token>")
def show(token: str) -> ResponseReturnValue:
    """Looking acknowledges nothing: mail scanners open every link."""
    return _page(token)


@acknowledge.post("/<token>")
def do(token: str) -> ResponseReturnValue:
    linked = read_linked(token, get_caller())
    note = request.form.get("note", "")
    try:
        press(token, note, get_caller(), _find_presser(linked.tenant_id))
    except (InvalidInput, Refused) as error:
        return refuse(_page(token, note, error.message), error)
    return redirect(url_for("acknowledge.show", token=token))


def _page(token: str, note: str = "", problem: str | None = None) -> str:
    linked = read_linked(token, get_caller())
    place = _find_place(linked.tenant_id)
    return render_template(
        "alerts/linked.html", linked=linked, note=note, problem=problem, place=place
    )


def _find_presser(tenant_id: int) -> User | None:
    """Who is signed in and may acknowledge, if the form came from our own page; else nobody."""
    place = _find_place(tenant_id)
    if place is None or not role_allows(place.role, Permission.ACT_ON_ALERTS):
        return None
    try:
        validate_csrf(request.form.get("csrf_token"))
    except ValidationError:
        return None
    return find_user()


def _find_place(tenant_id: int) -> Membership | None:
    places = (place for place in list_places() if place.tenant_id == tenant_id)
    place = next(places, None)
    return None if place is None or is_kept_out(place) else place
