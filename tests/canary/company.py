"""What people do who sign in with their company: every page on the way to its provider and back."""

from __future__ import annotations

from portal.db import db
from portal.scope import tenant_scope
from portal.services.accounts.invitations import invite
from portal.services.accounts.users import add_user
from portal.services.oidc import testing
from tests.canary.browser import FIRST_WRITE, Browser
from tests.oidc.conftest import CALLBACK, come_back, link_to, read_link, save
from tests.support.identity_provider import KEY, Claims, IdentityProvider, run_provider, sign
from tests.support.second_factors import set_up_app
from tests.web.world import make_place, make_user, sign_in

PASSWORD = "Canary25PasswordOfOwner"
HERE = "/t/acme-login/sign-in"


def drive_company(owner: Browser) -> None:
    with run_provider() as idp:
        _drive(owner, idp)


def _drive(owner: Browser, idp: IdentityProvider) -> None:
    place, watch = make_place(owner.app, "acme-login"), owner.watch

    def make_token(claims: Claims) -> str:
        token = sign(claims, KEY)
        watch.add("token of the provider", token)
        return token

    idp.make_token = make_token
    anna = make_user(owner.app, "anna@acme-login.example", place)
    with owner.app.app_context():
        owner_id = add_user("owner@acme-login.example", PASSWORD, place.slug, "owner").id
        phone, _codes = set_up_app(owner_id, PASSWORD)
        with tenant_scope(place.id):
            save(idp)
            assert testing.test_provider(CALLBACK.replace("acme", place.slug)) is None
        link = invite("new@acme-login.example", place.slug, "viewer").link
        db.session.remove()
    link_to(owner.app, place, anna, idp, "anna-1")
    sign_in(owner.app, owner.http, owner_id)
    _drive_signing_in(owner, idp)
    _drive_joining(owner, idp, link.rpartition("#")[2])
    idp.person = {"sub": "owner-1"}
    _come_back(owner, read_link(owner.post(f"{HERE}/link").text), idp)
    owner.post(f"{HERE}/unlink")
    with owner.app.app_context(), tenant_scope(place.id):
        save(idp, required=True)
        db.session.remove()
    owner.get(f"{HERE}/without-provider")
    owner.post(f"{HERE}/without-provider", code="938271")
    assert owner.post(f"{HERE}/without-provider", code=phone.code()).location == "/t/acme-login/"


def _drive_signing_in(owner: Browser, idp: IdentityProvider) -> None:
    anna = Browser(owner.app, owner.watch, owner.done, owner.redis_url)
    for page in ("start", "prove"):
        anna.get("/sign-in/company")
        anna.get(HERE)
        _come_back(anna, anna.get(f"{HERE}/{page}").location, idp)
    idp.change_claims = lambda claims: claims.update(nonce="another")
    _come_back(anna, anna.get(f"{HERE}/start").location, idp)
    idp.change_claims = None


def _drive_joining(owner: Browser, idp: IdentityProvider, code: str) -> None:
    new = Browser(owner.app, owner.watch, owner.done, owner.redis_url)
    idp.person = {"sub": "new-1"}
    _come_back(new, read_link(new.post("/invitation/company", code=code).text), idp)


def _come_back(browser: Browser, address: str | None, idp: IdentityProvider) -> None:
    """First it fails, before the way back is used up."""
    back = come_back(address or "", idp)
    for code in idp.codes:
        browser.watch.add("code of the provider", code)
    browser._fail(FIRST_WRITE, "GET", back)
    browser.get(back)
