"""A browser on its way to the identity provider and back: bound to it, once, within minutes."""

from __future__ import annotations

import base64
import hashlib
import hmac
from dataclasses import dataclass
from datetime import timedelta
from urllib.parse import urlencode, urlsplit

from sqlalchemy import delete, select

from portal.clock import utc_now
from portal.db import changed_one, db, transaction
from portal.errors import Refused
from portal.models import OidcFlow, OidcProvider
from portal.models.oidc.identity import FlowPurpose
from portal.services.accounts.tokens import digest, new_token

WITHIN = timedelta(minutes=10)


class FlowGone(Refused):
    """It took too long, was used, is another browser's, or never was."""

    def __init__(self) -> None:
        super().__init__(
            "This sign-in took too long, was used already, or was started in another browser. "
            "Start again."
        )


@dataclass(frozen=True, slots=True)
class Journey:
    """What is wanted. `callback`: the portal's address that the provider sends people back to.
    `browser`: a random word that the browser keeps."""

    purpose: FlowPurpose
    callback: str
    browser: str
    user_id: int | None = None
    invitation_id: int | None = None
    next: str = ""


def begin(provider: OidcProvider, journey: Journey) -> str:
    """The address to send the browser to. The provider was discovered."""
    assert provider.endpoints is not None
    now, state = utc_now(), new_token()
    issuer, client_id, endpoints = provider.issuer, provider.client_id, provider.endpoints
    with transaction() as session:
        session.execute(delete(OidcFlow).where(OidcFlow.expires_at < now))
        session.add(
            OidcFlow(
                state_digest=digest(state),
                browser_digest=digest(journey.browser),
                purpose=journey.purpose,
                issuer=issuer,
                client_id=client_id,
                user_id=journey.user_id,
                invitation_id=journey.invitation_id,
                next=journey.next,
                started_at=now,
                expires_at=now + WITHIN,
            )
        )
        scopes = f"openid {provider.scopes}".strip()
    verifier = make_verifier(journey.browser, state)
    asked = {
        "response_type": "code",
        "client_id": client_id,
        "redirect_uri": journey.callback,
        "scope": scopes,
        "state": state,
        "nonce": make_nonce(journey.browser, state),
        "code_challenge": make_challenge(verifier),
        "code_challenge_method": "S256",
    }
    if journey.purpose is FlowPurpose.PROVE:
        # Not by the sign-in that the provider remembers: it asks again, and says when it did.
        asked |= {"prompt": "login", "max_age": "0"}
    url: str = endpoints["authorization"]
    return f"{url}{'&' if urlsplit(url).query else '?'}{urlencode(asked)}"


def find(state: str, browser: str) -> OidcFlow:
    """Of this browser. Raises FlowGone."""
    query = select(OidcFlow).where(
        OidcFlow.state_digest == digest(state), OidcFlow.expires_at > utc_now()
    )
    flow = db.session.scalar(query.execution_options(populate_existing=True))
    if flow is None or not browser:
        raise FlowGone
    if not hmac.compare_digest(flow.browser_digest, digest(browser)):
        raise FlowGone
    return flow


def take(flow: OidcFlow) -> None:
    """From now on nobody can come back by it. Raises FlowGone for whoever is second."""
    with transaction() as session:
        used = delete(OidcFlow).where(OidcFlow.state_digest == flow.state_digest)
        if not changed_one(session, used):
            raise FlowGone
        session.expunge(flow)


def make_verifier(browser: str, state: str) -> str:
    """Of PKCE: only the browser that began has both words, and the provider sees one."""
    return _derive("verifier", browser, state)


def make_nonce(browser: str, state: str) -> str:
    return _derive("nonce", browser, state)


def make_challenge(verifier: str) -> str:
    hashed = hashlib.sha256(verifier.encode()).digest()
    return base64.urlsafe_b64encode(hashed).rstrip(b"=").decode()


def _derive(purpose: str, browser: str, state: str) -> str:
    return hmac.new(browser.encode(), f"{purpose}.{state}".encode(), hashlib.sha256).hexdigest()
