"""Forged, stale and foreign tokens: each is refused, its reason is in the audit trail alone."""

from __future__ import annotations

import base64
import hashlib
import hmac
import json
import time
from collections.abc import Callable
from typing import Any

import pytest
from cryptography.hazmat.primitives.asymmetric.padding import PKCS1v15
from cryptography.hazmat.primitives.hashes import SHA256
from flask import Flask
from flask.testing import FlaskClient
from joserfc.jwk import ECKey, OctKey, RSAKey

from tests.oidc.conftest import last_reason, sign_in
from tests.support.identity_provider import (
    EC_KEY,
    KEY,
    OTHER_KEY,
    Claims,
    IdentityProvider,
    sign,
)
from tests.web.world import Place

pytestmark = pytest.mark.mainly("sqlite")

IMPOSTOR = RSAKey.generate_key(2048, {"kid": "first", "use": "sig"})
NOW = int(time.time())


def without(name: str) -> Callable[[Claims], None]:
    return lambda claims: claims.pop(name, None)


def having(**values: Any) -> Callable[[Claims], None]:
    return lambda claims: claims.update(values)


def earlier(seconds: int) -> Callable[[Claims], None]:
    def change(claims: Claims) -> None:
        for name in ("iat", "exp"):
            claims[name] -= seconds

    return change


CLAIMS: dict[str, tuple[Callable[[Claims], None], str]] = {
    "another issuer": (having(iss="https://evil.example"), "it was issued by another provider"),
    "issuer with a slash": (
        lambda claims: claims.update(iss=claims["iss"] + "/"),
        "it was issued by another provider",
    ),
    "no issuer": (without("iss"), "it lacks iss"),
    "another audience": (having(aud="wiki"), "it was issued for another application"),
    "no audience": (without("aud"), "it lacks aud"),
    "a number as audience": (having(aud=7), "it was issued for another application"),
    "several audiences, no azp": (having(aud=["portal", "wiki"]), "does not say which asked"),
    "azp of another": (having(aud=["portal", "wiki"], azp="wiki"), "another application asked"),
    "azp of another, one audience": (having(azp="wiki"), "another application asked"),
    "expired": (earlier(400), "it has expired"),
    "never expires": (without("exp"), "it lacks exp"),
    "expiry as text": (having(exp="never"), "its exp is wrong"),
    "not yet valid": (having(nbf=NOW + 3600), "it is not valid yet"),
    "issued in the future": (having(iat=NOW + 3600), "it was issued in the future"),
    "kept for long": (having(iat=NOW - 3600), "it was issued too long ago"),
    "no time of issue": (without("iat"), "it lacks iat"),
    "another nonce": (having(nonce="another"), "it was issued for another sign-in"),
    "no nonce": (without("nonce"), "it lacks nonce"),
    "nonce in a list": (
        lambda claims: claims.update(nonce=[claims["nonce"], "x"]),
        "it was issued for another sign-in",
    ),
    "no subject": (without("sub"), "it lacks sub"),
    "subject as a number": (having(sub=1), "it names nobody"),
    "empty subject": (having(sub=""), "it names nobody"),
    "endless subject": (having(sub="a" * 256), "it names nobody"),
    "subject with NUL": (having(sub="anna-1\0"), "it names nobody"),
    "another access token": (having(at_hash="AAAAAAAAAAAAAAAAAAAAAA"), "another access token"),
    "at_hash as a number": (having(at_hash=1), "another access token"),
}


@pytest.mark.parametrize("name", CLAIMS)
def test_claims(
    app: Flask, http: FlaskClient, anna: int, company: Place, idp: IdentityProvider, name: str
) -> None:
    idp.change_claims, reason = CLAIMS[name]
    assert_refused(app, http, company, idp, reason)


def unsigned(claims: Claims) -> str:
    return f"{_part({'alg': 'none'})}.{_part(claims)}."


def hmac_of_public_key(claims: Claims) -> str:
    """Signed by what everybody has, taken for a shared secret."""
    body = f"{_part({'alg': 'HS256', 'kid': 'first'})}.{_part(claims)}"
    mac = hmac.new(KEY.as_pem(private=False), body.encode(), hashlib.sha256).digest()
    return f"{body}.{_encode(mac)}"


def own_key_inside(claims: Claims) -> str:
    return sign(claims, ECKey.generate_key("P-256"), "ES256", kid="first")


def altered(claims: Claims) -> str:
    head, _body, signature = sign(claims, KEY).split(".")
    return f"{head}.{_part({**claims, 'sub': 'anna-1', 'admin': True})}.{signature}"


HEADER: dict[str, Any] = {"alg": "RS256", "kid": "first"}
TOKENS: dict[str, tuple[Callable[[Claims], str], str]] = {
    "not signed": (unsigned, "it is not signed by one of RS256, ES256, PS256"),
    "HS256 with the public key": (hmac_of_public_key, "it is not signed by one of"),
    "HS256 with a secret": (
        lambda claims: sign(claims, OctKey.generate_key(256), "HS256", kid="first"),
        "it is not signed by one of",
    ),
    "RS384": (lambda claims: sign(claims, KEY, "RS384"), "it is not signed by one of"),
    "another key of the same number": (
        lambda claims: sign(claims, IMPOSTOR),
        "its signature is not the provider's",
    ),
    "a key that nobody has": (
        lambda claims: sign(claims, OTHER_KEY),
        "no key of the provider has the number that the token names",
    ),
    "an algorithm that does not fit": (
        lambda claims: sign(claims, EC_KEY, "ES256", kid="first"),
        "its algorithm does not fit the key it names",
    ),
    "a key of its own": (own_key_inside, "its algorithm does not fit the key it names"),
    "altered": (altered, "its signature is not the provider's"),
    "an access token": (
        lambda claims: sign(claims, KEY, typ="at+jwt"),
        "it is a token of another kind",
    ),
    "an extension that must be understood": (
        lambda claims: critical(claims),
        "it cannot be read (",
    ),
    "encrypted": (lambda _claims: "a.b.c.d.e", "it is no signed token"),
    "nothing like it": (lambda _claims: "%%%.b.c", "it is no signed token"),
    "a list as header": (lambda claims: f"W10.{_part(claims)}.AA", "it is no signed token"),
    "nested": (
        lambda _claims: sign_text(HEADER, f'{{"sub":{"[" * 20_000}{"]" * 20_000}}}'),
        "it cannot be read (RecursionError)",
    ),
    "too long": (lambda claims: sign({**claims, "pad": "a" * 70_000}, KEY), "it is too long"),
}


@pytest.mark.parametrize("name", TOKENS)
def test_tokens(
    app: Flask, http: FlaskClient, anna: int, company: Place, idp: IdentityProvider, name: str
) -> None:
    idp.make_token, reason = TOKENS[name]
    assert_refused(app, http, company, idp, reason)


def test_a_token_without_a_number_is_believed_where_there_is_one_key(
    app: Flask, http: FlaskClient, anna: int, company: Place, idp: IdentityProvider
) -> None:
    idp.make_token = lambda claims: sign(claims, KEY, kid=None)
    assert sign_in(http, idp).location == "/t/acme/"

    idp.keys = [OTHER_KEY, KEY]
    idp.make_token = lambda claims: sign(claims, KEY)
    assert sign_in(app.test_client(), idp).location == "/t/acme/"  # among the keys of before
    idp.make_token = lambda claims: sign(claims, OTHER_KEY)
    assert sign_in(app.test_client(), idp).location == "/t/acme/"  # which reads both
    idp.make_token = lambda claims: sign(claims, KEY, kid=None)
    http = app.test_client()
    assert_refused(app, http, company, idp, "it names no key, and the provider has several")


def test_the_algorithms_that_are_taken(
    app: Flask, http: FlaskClient, anna: int, idp: IdentityProvider
) -> None:
    idp.keys = [KEY, EC_KEY]
    for key, alg in ((EC_KEY, "ES256"), (KEY, "PS256"), (KEY, "RS256")):
        idp.make_token = lambda claims, key=key, alg=alg: sign(claims, key, alg)
        assert sign_in(app.test_client(), idp).location == "/t/acme/"


def assert_refused(
    app: Flask, http: FlaskClient, company: Place, idp: IdentityProvider, reason: str
) -> None:
    answer = sign_in(http, idp)

    assert answer.location == "/t/acme/sign-in"
    page = http.get(answer.location).text
    assert "did not work" in page
    assert reason not in page
    told = last_reason(app, company)
    assert told.startswith("The token was refused: ")
    assert reason in told
    assert "anna" not in told
    assert http.get("/t/acme/").status_code == 302


def critical(claims: Claims) -> str:
    """Signed as it should be, but for what it says that one must understand."""
    header = {**HEADER, "crit": ["only-for-admins"], "only-for-admins": 1}
    return sign_text(header, json.dumps(claims))


def sign_text(header: dict[str, Any], text: str) -> str:
    """Signed by the provider's key, whatever the text says."""
    body = f"{_part(header)}.{_encode(text.encode())}"
    private = KEY.private_key
    assert private is not None
    return f"{body}.{_encode(private.sign(body.encode(), PKCS1v15(), SHA256()))}"


def _part(value: Any) -> str:
    return _encode(json.dumps(value).encode())


def _encode(data: bytes) -> str:
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode()
