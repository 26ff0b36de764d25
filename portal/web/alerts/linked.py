"""The page that a link in a message leads to. It works without signing in, and without a cookie."""

from __future__ import annotations

from flask import Blueprint, render_template, request
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
from portal.web.links import OLD, ask_for_code, lead_on, read_code

acknowledge = Blueprint("acknowledge", __name__, url_prefix="/acknowledge")
acknowledge.before_request(check_input)
csrf.exempt(acknowledge)
"""The signed code of the link is what proves the right to press the button, and no other site
knows it. In whose name it is pressed depends on a cookie, though: see `_find_presser`."""


@acknowledge.get("/")
def open_link() -> ResponseReturnValue:
    return ask_for_code("acknowledge.show")


@acknowledge.get(f"/{OLD}")
def open_old_link(code: str) -> ResponseReturnValue:
    return lead_on("acknowledge.open_link", code)


@acknowledge.post("/")
def show() -> ResponseReturnValue:
    """Looking acknowledges nothing: mail scanners open every link."""
    code = read_code()
    return _page(code) if code else ask_for_code("acknowledge.show")


@acknowledge.post("/press")
def do() -> ResponseReturnValue:
    code, note = read_code(), request.form.get("note", "")
    linked = read_linked(code, get_caller())
    try:
        press(code, note, get_caller(), _find_presser(linked.tenant_id))
    except (InvalidInput, Refused) as error:
        return refuse(_page(code, note, error.message), error)
    return _page(code)


def _page(code: str, note: str = "", problem: str | None = None) -> str:
    linked = read_linked(code, get_caller())
    place = _find_place(linked.tenant_id)
    return render_template(
        "alerts/linked.html", linked=linked, code=code, note=note, problem=problem, place=place
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
