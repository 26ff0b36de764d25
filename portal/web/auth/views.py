"""Signing in and out, the first owner, the choice of a tenant, the account."""

from __future__ import annotations

from functools import wraps
from typing import Any

from flask import (
    Blueprint,
    flash,
    g,
    make_response,
    redirect,
    render_template,
    request,
    url_for,
)
from flask.typing import ResponseReturnValue

from portal.errors import InvalidInput, PermissionDenied, Refused
from portal.services.accounts import password_changes, users
from portal.services.accounts import setup as setup_service
from portal.services.accounts import sign_in as sign_in_service
from portal.services.accounts.second_factors.status import get_status
from portal.services.accounts.sessions import list_browsers
from portal.services.accounts.sign_in import SecondStep
from portal.services.accounts.tenants import is_slug
from portal.services.oidc.entrance import list_offers
from portal.web.account import passkeys
from portal.web.auth.forms import AccountForm, SetupForm, SignInForm
from portal.web.auth.session import after_sign_in, ask_second_factor, begin_session, end_session
from portal.web.caller import get_caller, remember_device
from portal.web.forms import mark, refuse
from portal.web.guard import (
    View,
    find_user,
    get_user,
    is_of_provider,
    list_places,
    send_to_sign_in,
)
from portal.web.input import check_input

auth = Blueprint("auth", __name__)
auth.before_request(check_input)

SIGN_IN_FAILED = 401


def signed_in(view: View) -> View:
    """For pages of the user that belong to no tenant. Who was signed in by the identity provider
    of one has none: it cannot answer for what the user has in the others."""

    @wraps(view)
    def guarded(*args: Any, **kwargs: Any) -> Any:
        if is_of_provider():
            raise PermissionDenied(
                "You signed in with your company, which opens its tenant only. To change your "
                "account, sign out, and sign in with your password."
            )
        return view(*args, **kwargs) if find_user() else send_to_sign_in()

    return guarded  # type: ignore[return-value]


@auth.get("/")
def home() -> ResponseReturnValue:
    user = find_user()
    if user is None:
        return redirect(url_for("auth.sign_in" if users.any_user_exists() else "auth.setup"))
    memberships = list_places()
    if len(memberships) == 1:
        return redirect(url_for("dashboard.show", slug=memberships[0].tenant.slug))
    return redirect(url_for("auth.choose_tenant"))


@auth.route("/sign-in", methods=["GET", "POST"])
def sign_in() -> ResponseReturnValue:
    form = SignInForm(next=request.args.get("next"))
    if not form.is_submitted():
        if find_user():
            return redirect(after_sign_in(form.next.data))
        return _sign_in_page(form)
    email = form.email.data or ""
    try:
        done = sign_in_service.sign_in(email, form.password.data or "", get_caller(email))
    except Refused as error:
        mark(form, error)
        return refuse(_sign_in_page(form), error, SIGN_IN_FAILED)
    target = after_sign_in(form.next.data)
    if isinstance(done, SecondStep):
        return ask_second_factor(done, target)
    return begin_session(done, target)


def _sign_in_page(form: SignInForm) -> str:
    offers_passkeys = passkeys.find_problem() is None
    return render_template(
        "sign_in.html",
        form=form,
        offers_passkeys=offers_passkeys,
        company=_read_company(form.next.data),
    )


def _read_company(target: str | None) -> str | None:
    """The short name in the address that somebody wanted, to be typed no second time."""
    parts = (target or "").split("/")
    return parts[2] if parts[:2] == ["", "t"] and len(parts) > 2 and is_slug(parts[2]) else None


@auth.post("/sign-out")
def sign_out() -> ResponseReturnValue:
    end_session()
    flash("You are signed out.", "success")
    response = make_response(redirect(url_for("auth.sign_in")))
    # With pages that the browser kept to go back to. The theme, in its storage, stays.
    response.headers["Clear-Site-Data"] = '"cache"'
    return response


@auth.route("/setup", methods=["GET", "POST"])
def setup() -> ResponseReturnValue:
    if users.any_user_exists():
        return redirect(url_for("auth.home"))
    form = SetupForm()
    if not form.is_submitted():
        return render_template("setup.html", form=form)
    typed = {name: form[name].data or "" for name in ("token", "email", "password")}
    try:
        user = setup_service.create_first_owner(
            typed["token"],
            typed["email"],
            typed["password"],
            form.tenant_name.data or "",
            (form.slug.data or "").strip(),
            get_caller(),
        )
    except (InvalidInput, Refused) as error:
        mark(form, error, otherwise="token")
        return refuse(render_template("setup.html", form=form), error)
    return begin_session(sign_in_service.start_session(user, get_caller()), url_for("auth.home"))


@auth.get("/tenants")
def choose_tenant() -> ResponseReturnValue:
    return render_template("choose_tenant.html") if find_user() else send_to_sign_in()


@auth.route("/account", methods=["GET", "POST"])
@signed_in
def account() -> ResponseReturnValue:
    form, email = AccountForm(), get_user().email
    if not form.is_submitted():
        return _account_page(form)
    try:
        device = password_changes.change_password(
            get_user().id,
            form.old_password.data or "",
            form.new_password.data or "",
            keep_session=g.session_digest,
            caller=get_caller(email),
        )
    except (InvalidInput, Refused) as error:
        if isinstance(error, InvalidInput) and error.field == "password":
            error = InvalidInput(error.message, field="new_password")
        mark(form, error)
        return refuse(_account_page(form), error)
    flash("Your password was changed, and your other browsers were signed out.", "success")
    response = make_response(redirect(url_for("auth.account")))
    remember_device(response, email, device)
    return response


def _account_page(form: AccountForm) -> str:
    return render_template(
        "account.html",
        form=form,
        factors=get_status(get_user().id),
        browsers=list_browsers(get_user().id, this=g.session_digest),
        offers=list_offers(get_user().id),
    )
