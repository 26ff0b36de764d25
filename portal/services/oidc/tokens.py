"""An ID token, checked in every respect before anything in it is believed."""

from __future__ import annotations

import base64
import hashlib
import hmac
import json
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass
from typing import Any, Final

from joserfc import jwt
from joserfc.errors import (
    BadSignatureError,
    ClaimError,
    ExpiredTokenError,
    JoseError,
    MissingClaimError,
)
from joserfc.jwk import ECKey, JWKRegistry, RSAKey

ALGORITHMS: Final = ("RS256", "ES256", "PS256")
"""Never what the provider or the token says: those may be chosen by whoever forges one."""
LONGEST_TOKEN = 64 * 1024
LEEWAY = 60
"""Seconds that the clocks may differ."""
OLDEST = 600
"""Seconds since a token was issued: it comes at once, so an older one was kept by somebody."""
LONGEST_SUBJECT = 255
FEWEST_RSA_BITS = 2048
NO_KEY = "no key of the provider has the number that the token names"
WRONG = {
    "iss": "it was issued by another provider",
    "aud": "it was issued for another application",
    "nonce": "it was issued for another sign-in",
    "nbf": "it is not valid yet",
    "iat": "it was issued in the future",
    "sub": "it names nobody",
}
PUBLIC = ("kty", "kid", "alg", "use", "n", "e", "crv", "x", "y")
"""What is taken of a key; a private part would have no business there."""
REQUIRED = ("iss", "aud", "exp", "iat", "sub", "nonce")

Keys = Sequence[dict[str, Any]]


class TokenRefused(Exception):
    """`reason`, in words for the audit trail. It holds nothing secret."""

    def __init__(self, reason: str) -> None:
        super().__init__(reason)
        self.reason = reason


class UnknownKey(TokenRefused):
    """The provider may have a new key since its keys were read."""

    def __init__(self) -> None:
        super().__init__(NO_KEY)


@dataclass(frozen=True, slots=True)
class Expected:
    """`access_token` as it came beside the token, if one did; `now` in seconds since 1970."""

    issuer: str
    client_id: str
    nonce: str
    now: int
    access_token: str | None = None


def read_token(token: str, keys: Keys, expected: Expected) -> dict[str, Any]:
    """Its claims. Raises TokenRefused, and UnknownKey where newer keys of the provider may help."""
    header = _read_header(token)
    key = _find_key(header, keys)
    try:
        decoded = jwt.decode(token, key, algorithms=list(ALGORITHMS))
    except BadSignatureError as error:
        raise TokenRefused("its signature is not the provider's") from error
    except (JoseError, ValueError, TypeError, RecursionError) as error:
        raise TokenRefused(f"it cannot be read ({type(error).__name__})") from error
    _check_claims(decoded.claims, expected)
    return decoded.claims


def find_usable(keys: object) -> list[dict[str, Any]]:
    """Those of a provider's keys that may verify a token: one that is malformed, weak, or for
    something else does not spoil the others."""
    found = keys if isinstance(keys, list) else []
    return [key for key in found if isinstance(key, dict) and _import_key(key) is not None]


def _read_header(token: str) -> dict[str, Any]:
    """What is checked before a key is chosen; the library checks the rest."""
    if len(token) > LONGEST_TOKEN:
        raise TokenRefused("it is too long")
    parts = token.split(".")
    if len(parts) != 3:
        raise TokenRefused("it is no signed token")
    try:
        padded = parts[0] + "=" * (-len(parts[0]) % 4)
        header = json.loads(base64.urlsafe_b64decode(padded.encode("ascii")))
    except (ValueError, RecursionError) as error:
        raise TokenRefused("it is no signed token") from error
    if not isinstance(header, dict):
        raise TokenRefused("it is no signed token")
    if header.get("alg") not in ALGORITHMS:
        raise TokenRefused(f"it is not signed by one of {', '.join(ALGORITHMS)}")
    if header.get("typ", "JWT") != "JWT":
        raise TokenRefused("it is a token of another kind")
    return header


def _find_key(header: dict[str, Any], keys: Keys) -> RSAKey | ECKey:
    """The one that the token names. A token that names none is believed only where there is no
    choice."""
    number = header.get("kid")
    if number is None and len(keys) != 1:
        raise TokenRefused("it names no key, and the provider has several")
    named = keys if number is None else [key for key in keys if key.get("kid") == number]
    wanted = "EC" if header["alg"] == "ES256" else "RSA"
    for key in named:
        imported = _import_key(key)
        if imported is not None and key["kty"] == wanted:
            return imported
    raise UnknownKey if not named else TokenRefused("its algorithm does not fit the key it names")


def _import_key(key: dict[str, Any]) -> RSAKey | ECKey | None:
    if key.get("kty") not in ("RSA", "EC") or key.get("use", "sig") != "sig":
        return None
    if key.get("alg", ALGORITHMS[0]) not in ALGORITHMS:
        return None
    public = {name: key[name] for name in PUBLIC if isinstance(key.get(name), str)}
    with suppress(JoseError, ValueError, TypeError, KeyError):
        imported = JWKRegistry.import_key(public)
        if isinstance(imported, RSAKey):
            bits = imported.public_key.key_size
            return imported if bits >= FEWEST_RSA_BITS else None
        return imported if isinstance(imported, ECKey) else None
    return None


def _check_claims(claims: dict[str, Any], expected: Expected) -> None:
    rules: dict[str, jwt.ClaimsOption] = {name: {"essential": True} for name in REQUIRED}
    rules["iss"] = {"essential": True, "value": expected.issuer}
    rules["aud"] = {"essential": True, "value": expected.client_id}
    rules["nonce"] = {"essential": True, "value": expected.nonce}
    try:
        jwt.JWTClaimsRegistry(now=expected.now, leeway=LEEWAY, **rules).validate(claims)
    except MissingClaimError as error:
        raise TokenRefused(f"it lacks {error.claim.replace(',', ' and ')}") from error
    except ExpiredTokenError as error:
        raise TokenRefused("it has expired") from error
    except ClaimError as error:
        raise TokenRefused(WRONG.get(error.claim, f"its {error.claim} is wrong")) from error
    _check_strictly(claims, expected)
    _check_party(claims, expected)
    _check_access_token(claims, expected.access_token)


def _check_strictly(claims: dict[str, Any], expected: Expected) -> None:
    """What the library takes for right, or does not look at."""
    if not isinstance(claims["nonce"], str):  # a list that contains it passes there
        raise TokenRefused(WRONG["nonce"])
    if not isinstance(claims["sub"], str) or not 0 < len(claims["sub"]) <= LONGEST_SUBJECT:
        raise TokenRefused(WRONG["sub"])
    if "\0" in claims["sub"]:
        raise TokenRefused(WRONG["sub"])
    if claims["iat"] < expected.now - OLDEST:
        raise TokenRefused("it was issued too long ago")


def _check_party(claims: dict[str, Any], expected: Expected) -> None:
    """`azp`: to whom it was issued, where it is for several."""
    party = claims.get("azp")
    is_for_several = isinstance(claims["aud"], list) and len(claims["aud"]) > 1
    if party is None and is_for_several:
        raise TokenRefused("it is for several applications and does not say which asked for it")
    if party is not None and party != expected.client_id:
        raise TokenRefused("another application asked for it")


def _check_access_token(claims: dict[str, Any], access_token: str | None) -> None:
    """`at_hash` binds both tokens; all our algorithms hash with SHA-256."""
    bound = claims.get("at_hash")
    if bound is None:
        return
    hashed = hashlib.sha256((access_token or "").encode()).digest()[:16]
    wanted = base64.urlsafe_b64encode(hashed).rstrip(b"=")
    if not isinstance(bound, str) or not hmac.compare_digest(bound.encode(), wanted):
        raise TokenRefused("it belongs to another access token")
