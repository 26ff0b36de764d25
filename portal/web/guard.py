"""Who is asking, for which tenant, and whether they may: checked before any view runs."""

from __future__ import annotations

import logging
from collections.abc import Callable
from contextlib import ExitStack
from types import SimpleNamespace
from typing import Any, TypeVar
from urllib.parse import urlsplit

from flask import Blueprint, Flask, abort, current_app, g, redirect, request, session, url_for
from flask.typing import ResponseReturnValue

from portal.errors import PermissionDenied
from portal.extensions import htmx
from portal.models import Membership, Tenant, User
from portal.models.audit.entry import ActorKind
from portal.scope import known_by, limited_to, tenant_scope
from portal.services.accounts.limits import read_limit
from portal.services.accounts.permissions import Permission, role_allows
from portal.services.accounts.second_factors.requirement import lacks_factor
from portal.services.accounts.sign_in import find_session, seconds_left
from portal.services.accounts.users import list_memberships
from portal.services.audit.actor import Actor, acting_as
from portal.web.input import check_input, split_current_url

log = logging.getLogger(__name__)

View = TypeVar("View", bound=Callable[..., Any])

TOKEN = "token"  # noqa: S105  # the name of a cookie field
"""Where the signed cookie keeps the token of the server-side session."""
NO_ACTORS = ("static", "webhooks.receive")
"""Endpoints where nobody does anything that the audit trail keeps."""


def requires(permission: Permission) -> Callable[[View], View]:
    """Declare what a tenant view needs. A view without it is refused to everyone."""

    def mark(view: View) -> View:
        view.permission = permission  # type: ignore[attr-defined]
        return view

    return mark


def tenant_blueprint(name: str, import_name: str, url_prefix: str = "") -> Blueprint:
    """A blueprint under `/t/<slug>`, run in the tenant's scope, for its members only."""
    blueprint = Blueprint(name, import_name, url_prefix=f"/t/<slug>{url_prefix}")
    blueprint.url_value_preprocessor(_take_slug)
    blueprint.before_request(check_input)
    blueprint.before_request(_enter_tenant)
    return blueprint


def init_app(app: Flask) -> None:
    app.before_request(_load_user)
    app.before_request(_name_actor)
    app.teardown_request(_leave)
    app.url_defaults(_fill_slug)
    app.context_processor(_template_context)


def find_user() -> User | None:
    user: User | None = g.get("user")
    return user


def get_user() -> User:
    """The signed-in user; for views behind a sign-in."""
    user = find_user()
    assert user is not None
    return user


def find_own_user() -> User | None:
    """The signed-in user, unless a tenant's identity provider signed them in: it answers for them
    in that tenant alone."""
    return None if is_of_provider() else find_user()


def is_of_provider() -> bool:
    return g.get("provider_of") is not None


def is_kept_out(place: Membership) -> bool:
    """Whether the place's tenant wants a sign-in with its identity provider first."""
    return place.tenant.sso_since is not None and place.tenant_id not in g.opened


def list_places() -> list[Membership]:
    """Those that the session opens, by name of the tenant. Asked for once in a request."""
    user = find_user()
    if user is None:
        return []
    if "memberships" not in g:
        only: int | None = g.provider_of
        found = list_memberships(user.id)
        g.memberships = [each for each in found if only in (None, each.tenant_id)]
    memberships: list[Membership] = g.memberships
    return memberships


def find_place(slug: str) -> Membership | None:
    return next((each for each in list_places() if each.tenant.slug == slug), None)


def get_tenant() -> Tenant:
    tenant: Tenant = g.tenant
    return tenant


def send_to_sign_in() -> ResponseReturnValue:
    """To the sign-in page and back here."""
    return _send_to("auth.sign_in")


def _send_to(endpoint: str, **values: Any) -> ResponseReturnValue:
    """To a page that leads back here; a fragment's page is left as a whole."""
    here = request.full_path.rstrip("?") if request.method == "GET" else None
    if htmx:
        here = _find_current_path()
    target = url_for(endpoint, next=here, **values)
    if htmx:
        return "", 401, {"HX-Redirect": target}
    return redirect(target)


def _find_current_path() -> str | None:
    """The page that sent a fragment's request, without the host."""
    parts = split_current_url()
    return parts.path + (f"?{parts.query}" if parts.query else "") if parts.path else None


def is_safe_target(target: str | None) -> bool:
    """Whether a `next` address stays on this site: a path, with neither host nor scheme."""
    if not target or not target.startswith("/") or target.startswith(("//", "/\\")):
        return False
    parts = urlsplit(target)
    return not parts.scheme and not parts.netloc and target.isprintable() and "\\" not in target


def _load_user() -> None:
    g.user = None
    token = session.get(TOKEN)
    if request.endpoint == "static" or not isinstance(token, str):
        return
    found = find_session(token, is_use=request.endpoint != "auth.show_session")
    if found is None:
        return  # the cookie stays: a page of before must not take that of a session renewed since
    g.user, g.user_session, g.session_digest = found.user, found, found.token_digest
    # As they are now: what the request does may end the session, and with it the row.
    g.provider_of, g.opened = found.provider_of, {found.provider_of, found.entered}
    g.session_seconds = seconds_left(found)


def _name_actor() -> None:
    """Whom the audit trail names. The route is kept as it is declared: an address may hold a
    secret."""
    rule, user = request.url_rule, find_user()
    if rule is None or request.endpoint in NO_ACTORS:
        return
    actor = Actor(
        ActorKind.USER if user else ActorKind.ANONYMOUS,
        user.email if user else "",
        user.id if user else None,
        request.remote_addr or "",
        f"{request.method} {rule.rule}",
    )
    g.acting = ExitStack()
    g.acting.enter_context(acting_as(actor))


def _take_slug(_endpoint: str | None, values: dict[str, Any] | None) -> None:
    g.slug = (values or {}).pop("slug", None)


def _enter_tenant() -> ResponseReturnValue | None:
    user = find_user()
    if user is None:
        return send_to_sign_in()
    membership = find_place(g.slug)
    if membership is None:
        log.warning("Refused user %s: %s, no place in this tenant.", user.id, request.endpoint)
        abort(404)
    if is_kept_out(membership):
        return _send_to("sso.show", slug=g.slug)
    # A provider answers for the second factors of those whom it signs in.
    if not is_of_provider() and lacks_factor(membership):
        return _send_to("second_factors.offer")
    g.membership, g.tenant = membership, membership.tenant
    view: Any = current_app.view_functions[request.endpoint or ""]
    permission: Permission = view.permission
    _check_allowed(membership, permission)
    g.scope = ExitStack()
    g.scope.enter_context(tenant_scope(membership.tenant_id))
    g.scope.enter_context(limited_to(read_limit(membership)))
    g.scope.enter_context(known_by(user.email))
    return None


def _check_allowed(membership: Membership, permission: Permission) -> None:
    """Raises PermissionDenied."""
    if not role_allows(membership.role, permission):
        raise PermissionDenied(
            f"Your role in this tenant, {membership.role}, does not allow this. Ask an owner."
        )
    if not role_allows(membership.role, permission, limited=membership.limited):
        raise PermissionDenied(
            "You see some of this tenant's clients, and this concerns the others too. Ask an owner."
        )


def _leave(_error: BaseException | None) -> None:
    for name in ("scope", "acting"):
        entered: ExitStack | None = g.pop(name, None)
        if entered is not None:
            entered.close()


def _fill_slug(endpoint: str, values: dict[str, Any]) -> None:
    if "tenant" in g and current_app.url_map.is_endpoint_expecting(endpoint, "slug"):
        values.setdefault("slug", g.tenant.slug)


def name_allowed(place: Membership | None = None) -> SimpleNamespace:
    """For each Permission, in small letters: whether the user's role allows it here, or in
    `place`."""
    place = place or g.get("membership")
    role, limited = (place.role, place.limited) if place else ("", False)
    return SimpleNamespace(
        **{each.name.lower(): role_allows(role, each, limited=limited) for each in Permission}
    )


def _find_menu_place() -> Membership | None:
    """Whose menu a page outside of tenants shows: of the tenant in its address, as where nothing
    was found, of the page that led to it, or the only one."""
    places = [each for each in list_places() if not is_kept_out(each)]
    named = [_slug_in(request.path), _slug_in(urlsplit(request.referrer or "").path)]
    by_slug = {each.tenant.slug: each for each in places}
    found = next((by_slug[slug] for slug in named if slug in by_slug), None)
    place = found or (places[0] if len(places) == 1 else None)
    if place is None or (not is_of_provider() and lacks_factor(place)):
        return None
    g.tenant = place.tenant  # for the addresses in its menu
    return place


def _slug_in(path: str) -> str | None:
    """Of the tenant that a path is about."""
    parts = path.split("/")
    return parts[2] if parts[:2] == ["", "t"] and len(parts) > 2 else None


def _template_context() -> dict[str, Any]:
    user = find_user()
    membership: Membership | None = None
    if user is not None:
        membership = g.get("membership") or _find_menu_place()
    limited = membership is not None and membership.limited
    return {
        "current_user": user,
        "session_seconds": g.get("session_seconds"),
        "current_tenant": g.get("tenant"),
        "memberships": list_places(),
        "is_of_provider": is_of_provider(),
        "conflicts_open": (membership.conflicts or 0) if membership and not limited else 0,
        "wants_code": membership is not None and membership.wants_code and not limited,
        "is_limited": limited,
        "may": name_allowed(membership),
    }
