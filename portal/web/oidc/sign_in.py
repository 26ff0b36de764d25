"""Signing in with a tenant's identity provider: there, and back."""

from __future__ import annotations

from flask import (
    Blueprint,
    current_app,
    flash,
    g,
    make_response,
    redirect,
    render_template,
    request,
    session,
    url_for,
)
from flask.typing import ResponseReturnValue

from portal.config import Settings
from portal.egress import NoSlotFree
from portal.errors import Refused
from portal.models.oidc.identity import FlowPurpose
from portal.services.accounts.tenants import is_slug
from portal.services.accounts.throttle import count_question
from portal.services.accounts.tokens import new_token
from portal.services.oidc import flows
from portal.services.oidc.arrival import Returned, arrive
from portal.services.oidc.entrance import entrance, may_enter_without
from portal.services.oidc.flows import Journey
from portal.services.oidc.outcomes import Arrival, LinkedNow, Proved, Visitor
from portal.web.auth.session import begin_provider_session
from portal.web.caller import get_caller
from portal.web.guard import TOKEN, find_place, find_user, is_kept_out, is_safe_target
from portal.web.input import check_input
from portal.web.oidc.forms import CompanyForm

sso = Blueprint("sso", __name__)
sso.before_request(check_input)

BROWSER = "oidc"
"""Where the signed cookie keeps the word that binds a sign-in to this browser."""
BUSY_SECONDS = 2
OTHER_SITES = ("cross-site", "same-site")
"""What browsers say in `Sec-Fetch-Site` when another site's page made the request."""


@sso.get("/sign-in/company")
def choose_company() -> ResponseReturnValue:
    """Says of no short name whether it is one."""
    form, wanted = CompanyForm(request.args), _wanted()
    company = (form.company.data or "").strip().lower()
    if is_slug(company):
        return redirect(url_for("sso.show", slug=company, next=wanted))
    if company:
        form.company.errors = ["A short name has small letters, digits and hyphens only."]
    return render_template("oidc/company.html", form=form, next=wanted)


@sso.get("/t/<slug>/sign-in")
def show(slug: str) -> ResponseReturnValue:
    """The same for every short name, whether or not it is a tenant's."""
    user, place = find_user(), find_place(slug)
    if place is not None and not is_kept_out(place):
        return redirect(_wanted() or url_for("dashboard.show", slug=slug))
    return render_template(
        "oidc/sign_in.html",
        slug=slug if is_slug(slug) else "",
        next=_wanted(),
        user=user,
        kept_out=place,
        may_enter=place is not None and may_enter_without(place),
    )


@sso.get("/t/<slug>/sign-in/start")
def start(slug: str) -> ResponseReturnValue:
    """From our own page, or as somebody typed it: a provider that remembers a person asks them
    nothing, so that another site's link would sign them in without their doing."""
    if request.headers.get("Sec-Fetch-Site") in OTHER_SITES:
        return redirect(url_for("sso.show", slug=slug, next=_wanted()))
    try:
        count_question(get_caller())
        return redirect(lead_to_provider(slug, FlowPurpose.SIGN_IN, next_page=_wanted() or ""))
    except Refused as error:
        flash(error.message, "error")
        return redirect(url_for("sso.show", slug=slug, next=_wanted()))


@sso.get("/t/<slug>/sign-in/prove")
def prove(slug: str) -> ResponseReturnValue:
    """Again, in a tab of its own: the page that asks for it waits with what was typed."""
    user, place = find_user(), find_place(slug)
    if user is None or place is None or g.provider_of != place.tenant_id:
        return redirect(url_for("sso.show", slug=slug))
    return redirect(lead_to_provider(slug, FlowPurpose.PROVE, user_id=user.id))


@sso.get("/t/<slug>/sign-in/callback")
def callback(slug: str) -> ResponseReturnValue:
    """It asks the provider at once, within seconds: see `portal.egress.waiting`."""
    sent = {name: request.args.get(name, "") for name in ("state", "code", "error", "iss")}
    browser = session.get(BROWSER)
    back = Returned(
        state=sent["state"],
        code=sent["code"],
        error=sent["error"],
        issuer=sent["iss"],
        browser=browser if isinstance(browser, str) else "",
        callback=make_callback(slug),
    )
    try:
        with entrance(slug):
            return _go_on(slug, arrive(back, _read_visitor(), get_caller()))
    except NoSlotFree:
        response = make_response(render_template("oidc/busy.html"), 503)
        response.headers["Retry-After"] = response.headers["Refresh"] = str(BUSY_SECONDS)
        return response
    except Refused as error:
        flash(error.message, "error")
        return redirect(url_for("sso.show", slug=slug))


def lead_to_provider(
    slug: str,
    purpose: FlowPurpose,
    *,
    user_id: int | None = None,
    invitation_id: int | None = None,
    next_page: str = "",
) -> str:
    """The provider's address for this browser. Raises NotOffered."""
    word = session.get(BROWSER)
    if not isinstance(word, str):
        word = session[BROWSER] = new_token()
    with entrance(slug) as provider:
        journey = Journey(
            purpose=purpose,
            callback=make_callback(slug),
            browser=word,
            user_id=user_id,
            invitation_id=invitation_id,
            next=next_page,
        )
        return flows.begin(provider, journey)


def make_callback(slug: str) -> str:
    """The address that the provider must know; by the name that the portal is opened under, where
    no setting says one."""
    settings: Settings = current_app.extensions["settings"]
    site = settings.public_url or request.host_url
    return site.rstrip("/") + url_for("sso.callback", slug=slug)


def _go_on(slug: str, arrived: Arrival) -> ResponseReturnValue:
    if isinstance(arrived, LinkedNow):
        flash("Linked. From now on you can sign in with your company.", "success")
        return redirect(url_for("auth.account"))
    if isinstance(arrived, Proved):
        session[TOKEN] = arrived.token
        return render_template("oidc/proved.html")
    wanted = arrived.next if is_safe_target(arrived.next) else None
    return begin_provider_session(arrived.token, wanted or url_for("dashboard.show", slug=slug))


def _read_visitor() -> Visitor:
    user = find_user()
    if user is None:
        return Visitor()
    return Visitor(user.id, g.session_digest, g.provider_of)


def _wanted() -> str | None:
    """The page of the portal to go on to."""
    wanted = request.args.get("next")
    return wanted if is_safe_target(wanted) else None
