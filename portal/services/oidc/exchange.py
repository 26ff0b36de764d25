"""From the code that the browser brought to claims that were checked."""

from __future__ import annotations

import base64
from collections.abc import Callable
from dataclasses import dataclass
from datetime import timedelta
from typing import Any
from urllib.parse import quote

from portal.clock import utc_now
from portal.db import transaction
from portal.models import OidcProvider
from portal.services.oidc.calls import Patience, ProviderFailed, post_form
from portal.services.oidc.discovery import POST, Endpoints, discover, fetch_keys
from portal.services.oidc.entered import SECRET
from portal.services.oidc.settings import find_provider
from portal.services.oidc.tokens import Expected, TokenRefused, UnknownKey, read_token
from portal.vault import find_secret

ENDPOINTS_HOLD = timedelta(days=1)
KEYS_HOLD = timedelta(hours=1)
"""A key that the provider withdrew is believed for no longer than that."""


@dataclass(frozen=True, slots=True)
class Code:
    """As the browser brought it, and what belongs to it."""

    code: str
    verifier: str
    nonce: str
    callback: str


def exchange(provider: OidcProvider, code: Code, patience: Patience) -> dict[str, Any]:
    """The claims of the person. Raises ProviderFailed and TokenRefused."""
    issuer, client_id = provider.issuer, provider.client_id
    secret = find_secret(provider, SECRET) or ""
    endpoints = _read_endpoints(provider, patience)
    keys = provider.keys if _holds(provider.keys_at, KEYS_HOLD) else None
    answer = _redeem(endpoints, client_id, secret, code, patience)
    token = answer.get("id_token")
    if not isinstance(token, str):
        raise TokenRefused("the provider sent none")
    access = answer.get("access_token")
    expected = Expected(
        issuer=issuer,
        client_id=client_id,
        nonce=code.nonce,
        now=int(utc_now().timestamp()),
        access_token=access if isinstance(access, str) else None,
    )
    if keys is not None:
        try:
            return read_token(token, keys, expected)
        except UnknownKey:
            pass  # it may be a new one, so they are read again: once
    keys = fetch_keys(endpoints.keys, patience)
    _keep(issuer, lambda row: _set_keys(row, keys))
    return read_token(token, keys, expected)


def probe_secret(
    endpoints: Endpoints, provider: OidcProvider, callback: str, patience: Patience
) -> None:
    """Whether the token endpoint knows us: a code that never was is refused in any case, but by
    other words than a wrong secret. Raises ProviderFailed."""
    client_id, secret = provider.client_id, find_secret(provider, SECRET) or ""
    code = Code("a-code-that-never-was", "v" * 43, "", callback)
    fields, headers = _authenticate(endpoints, client_id, secret, code)
    status, answer = post_form(endpoints.token, fields, headers, patience)
    if answer.get("error") in ("invalid_client", "unauthorized_client") or status == 401:
        raise ProviderFailed(
            "The provider does not accept the client ID with this client secret. Check both, and "
            "that the secret has not expired there."
        )


def keep_learnt(issuer: str, endpoints: Endpoints, keys: list[dict[str, Any]]) -> None:
    def keep(row: OidcProvider) -> None:
        row.endpoints, row.endpoints_at = endpoints.to_row(), utc_now()
        _set_keys(row, keys)

    _keep(issuer, keep)


def _read_endpoints(provider: OidcProvider, patience: Patience) -> Endpoints:
    if provider.endpoints is not None and _holds(provider.endpoints_at, ENDPOINTS_HOLD):
        return Endpoints(**provider.endpoints)
    issuer = provider.issuer
    endpoints = discover(issuer, patience)

    def keep(row: OidcProvider) -> None:
        row.endpoints, row.endpoints_at = endpoints.to_row(), utc_now()

    _keep(issuer, keep)
    return endpoints


def _redeem(
    endpoints: Endpoints, client_id: str, secret: str, code: Code, patience: Patience
) -> dict[str, Any]:
    fields, headers = _authenticate(endpoints, client_id, secret, code)
    status, answer = post_form(endpoints.token, fields, headers, patience)
    if status != 200:
        word = str(answer.get("error", ""))[:100]
        raise ProviderFailed(f"The provider did not accept the code: {status} {word}.".strip())
    return answer


def _authenticate(
    endpoints: Endpoints, client_id: str, secret: str, code: Code
) -> tuple[dict[str, str], dict[str, str]]:
    """The fields and headers of a request for tokens."""
    fields = {
        "grant_type": "authorization_code",
        "code": code.code,
        "redirect_uri": code.callback,
        "code_verifier": code.verifier,
    }
    if endpoints.authentication == POST:
        return {**fields, "client_id": client_id, "client_secret": secret}, {}
    # Each encoded as in a form first (RFC 6749, 2.3.1), or a colon in the id would end it.
    pair = ":".join(quote(each, safe="") for each in (client_id, secret)).encode()
    return fields, {"Authorization": f"Basic {base64.b64encode(pair).decode()}"}


def _holds(since: Any, limit: timedelta) -> bool:
    return since is not None and utc_now() - since < limit


def _set_keys(row: OidcProvider, keys: list[dict[str, Any]]) -> None:
    row.keys, row.keys_at = keys, utc_now()


def _keep(issuer: str, change: Callable[[OidcProvider], None]) -> None:
    """Unless somebody put another provider in its place meanwhile."""
    with transaction():
        row = find_provider()
        if row is not None and row.issuer == issuer:
            change(row)
