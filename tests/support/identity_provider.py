"""An identity provider of the tests' own, on loopback: it checks PKCE as a good one does, and
forges as a bad one would."""

from __future__ import annotations

import base64
import hashlib
import json
import secrets
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qs, urlencode, urlsplit

from joserfc import jwt
from joserfc.jwk import ECKey, Key, RSAKey

CLIENT_ID, CLIENT_SECRET = "portal", "the secret: of the portal"
KEY = RSAKey.generate_key(2048, {"kid": "first", "use": "sig"})
OTHER_KEY = RSAKey.generate_key(2048, {"kid": "second", "use": "sig"})
EC_KEY = ECKey.generate_key("P-256", {"kid": "curve", "use": "sig"})

Claims = dict[str, Any]


@dataclass
class IdentityProvider:
    """`person` signs in without being asked. `forge` may change the claims or the token."""

    issuer: str = ""
    person: Claims = field(default_factory=lambda: {"sub": "anna-1"})
    keys: list[Key] = field(default_factory=lambda: [KEY])
    change_claims: Callable[[Claims], object] | None = None
    make_token: Callable[[Claims], str] | None = None
    change_document: Callable[[dict[str, Any]], object] | None = None
    in_form: bool = False
    """Whether it takes the client's secret in the form, and not in the header."""
    slow: threading.Event | None = None
    """While it is not set, the token endpoint drips."""
    asked: list[str] = field(default_factory=list)
    """The paths, in the order in which they were called."""
    codes: dict[str, dict[str, str]] = field(default_factory=dict)
    waiting: threading.Semaphore = field(default_factory=lambda: threading.Semaphore(0))
    """Released for each call that drips."""

    def document(self) -> dict[str, Any]:
        found: dict[str, Any] = {
            "issuer": self.issuer,
            "authorization_endpoint": f"{self.issuer}/authorize",
            "token_endpoint": f"{self.issuer}/token",
            "jwks_uri": f"{self.issuer}/keys",
            "response_types_supported": ["code"],
            "id_token_signing_alg_values_supported": ["RS256"],
            "code_challenge_methods_supported": ["S256"],
            "token_endpoint_auth_methods_supported": ["client_secret_basic"],
        }
        if self.change_document:
            self.change_document(found)
        return found

    def authorize(self, query: dict[str, str]) -> str:
        """Where the browser is sent back to. Asserts what a strict provider refuses."""
        assert (query["response_type"], query["client_id"]) == ("code", CLIENT_ID), query
        assert "openid" in query["scope"].split()
        assert query["code_challenge_method"] == "S256"
        assert len(query["state"]) >= 43
        assert len(query["nonce"]) >= 43
        code = secrets.token_urlsafe(16)
        self.codes[code] = query
        back = urlencode({"code": code, "state": query["state"]})
        return f"{query['redirect_uri']}?{back}"

    def redeem(self, form: dict[str, str], authorization: str) -> tuple[int, dict[str, Any]]:
        if not self._knows(form, authorization):
            return 401, {"error": "invalid_client"}
        begun = self.codes.pop(form.get("code", ""), None)
        hashed = hashlib.sha256(form.get("code_verifier", "").encode()).digest()
        challenge = base64.urlsafe_b64encode(hashed).rstrip(b"=").decode()
        is_same = begun is not None and begun["redirect_uri"] == form.get("redirect_uri")
        if begun is None or not is_same or challenge != begun["code_challenge"]:
            return 400, {"error": "invalid_grant"}
        access_token = secrets.token_urlsafe(16)
        claims = self.claims(begun, access_token)
        if self.change_claims:
            self.change_claims(claims)
        token = self.make_token(claims) if self.make_token else sign(claims, self.keys[0])
        return 200, {"access_token": access_token, "token_type": "Bearer", "id_token": token}

    def _knows(self, form: dict[str, str], authorization: str) -> bool:
        pair = f"{CLIENT_ID}:{CLIENT_SECRET.replace(':', '%3A').replace(' ', '%20')}"
        basic = "Basic " + base64.b64encode(pair.encode()).decode()
        shown = (form.get("client_id"), form.get("client_secret"), authorization)
        if self.in_form:
            return shown == (CLIENT_ID, CLIENT_SECRET, "")
        return authorization == basic and shown[1] is None

    def claims(self, begun: dict[str, str], access_token: str) -> Claims:
        now = int(time.time())
        half = hashlib.sha256(access_token.encode()).digest()[:16]
        return {
            "iss": self.issuer,
            "aud": CLIENT_ID,
            "exp": now + 300,
            "iat": now,
            "auth_time": now,
            "nonce": begun["nonce"],
            "at_hash": base64.urlsafe_b64encode(half).rstrip(b"=").decode(),
            **self.person,
        }


def sign(claims: Claims, key: Key, alg: str = "RS256", **header: Any) -> str:
    made = {"alg": alg, "kid": key.kid, **header}
    return jwt.encode(
        {name: value for name, value in made.items() if value is not None},
        claims,
        key,
        algorithms=[alg],
    )


@contextmanager
def run_provider() -> Iterator[IdentityProvider]:
    provider = IdentityProvider()

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            parts = urlsplit(self.path)
            provider.asked.append(parts.path)
            if parts.path == "/.well-known/openid-configuration":
                self._answer(200, provider.document())
            elif parts.path == "/keys":
                found = [key.as_dict(private=False) for key in provider.keys]
                self._answer(200, {"keys": found})
            elif parts.path == "/authorize":
                query = {name: values[0] for name, values in parse_qs(parts.query).items()}
                self.send_response(302)
                self.send_header("Location", provider.authorize(query))
                self.send_header("Content-Length", "0")
                self.end_headers()
            else:
                self._answer(404, {})

        def do_POST(self) -> None:
            provider.asked.append(self.path)
            sent = self.rfile.read(int(self.headers["Content-Length"])).decode()
            form = {name: values[0] for name, values in parse_qs(sent).items()}
            if provider.slow is not None and not provider.slow.is_set():
                self._drip(provider.slow)
            status, answer = provider.redeem(form, self.headers.get("Authorization", ""))
            self._answer(status, answer)

        def _drip(self, enough: threading.Event) -> None:
            """A header now and then, so that no single read takes long."""
            self.wfile.write(b"HTTP/1.1 200 OK\r\n")
            provider.waiting.release()
            while not enough.wait(0.05):
                self.wfile.write(b"X-Wait: 1\r\n")
                self.wfile.flush()

        def _answer(self, status: int, body: dict[str, Any]) -> None:
            text = json.dumps(body).encode()
            self.send_response(status)
            self.send_header("Content-Type", "application/json")
            self.send_header("Content-Length", str(len(text)))
            self.end_headers()
            self.wfile.write(text)

        def log_message(self, *_args: Any) -> None:
            pass

        def handle_error(self, *_args: Any) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server.handle_error = lambda *_args: None  # type: ignore[method-assign]
    provider.issuer = f"http://127.0.0.1:{server.server_port}"
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02})
    thread.start()
    try:
        yield provider
    finally:
        if provider.slow is not None:
            provider.slow.set()
        server.shutdown()
        thread.join()
        server.server_close()
