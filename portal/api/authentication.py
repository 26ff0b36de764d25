"""Who asks: by a token and nothing else. No session, no cookie."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import ExitStack
from typing import Any, TypeVar

from flask import Response, current_app, g, request

from portal.scope import limited_to, tenant_scope
from portal.services.api.access import Access, TokenForbidden, TokenRefused, identify
from portal.services.api.rate import Rate, TooManyRequests, count_refusal, count_request
from portal.services.api.tokens import Scope

View = TypeVar("View", bound=Callable[..., Any])


def opened_by(scope: Scope) -> Callable[[View], View]:
    """Say which scope a view needs; without it, `read`."""

    def mark(view: View) -> View:
        view.scope = scope  # type: ignore[attr-defined]
        return view

    return mark


def authenticate() -> None:
    """Before each view: enter the scope of the token's tenant and clients. Raises TokenRefused,
    TokenForbidden and TooManyRequests."""
    access = _identify(request.remote_addr or "")
    rate = g.api_rate = count_request(access.token_id)
    if rate.is_used_up:
        raise TooManyRequests(
            rate.reset, f"This token may be used {rate.limit} times a minute. Wait for the next."
        )
    view: Any = current_app.view_functions[request.endpoint or ""]
    needed: Scope = getattr(view, "scope", Scope.READ)
    if needed not in access.scopes:
        raise TokenForbidden(f"This token does not have the scope {needed}, which this needs.")
    g.api_access = access
    g.api_scope = ExitStack()
    g.api_scope.enter_context(tenant_scope(access.tenant_id))
    g.api_scope.enter_context(limited_to(access.clients))


def leave(_error: BaseException | None) -> None:
    entered: ExitStack | None = g.pop("api_scope", None)
    if entered is not None:
        entered.close()


def add_rate(response: Response) -> Response:
    """What the token has left of this minute."""
    rate: Rate | None = g.get("api_rate")
    if rate is not None:
        response.headers["RateLimit-Limit"] = str(rate.limit)
        response.headers["RateLimit-Remaining"] = str(max(0, rate.remaining))
        response.headers["RateLimit-Reset"] = str(rate.reset)
    return response


def get_access() -> Access:
    access: Access = g.api_access
    return access


def _identify(address: str) -> Access:
    """What is refused is counted; a token that is valid is not held up by others' guesses."""
    try:
        return identify(_read_token(), address)
    except TokenRefused:
        count_refusal(address)
        raise


def _read_token() -> str:
    """Raises TokenRefused."""
    kind, _, token = request.headers.get("Authorization", "").partition(" ")
    if kind.lower() != "bearer" or not token.strip():
        raise TokenRefused(
            "Send a token of the API in the header Authorization, as `Bearer rmmp_…`. Owners make "
            "one under API in the portal; operators with `portal tokens add`."
        )
    return token.strip()
