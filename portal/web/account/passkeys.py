"""What pages exchange with a browser's passkeys, and at which address of the portal they work."""

from __future__ import annotations

from urllib.parse import urlsplit

from flask import current_app, request, session

from portal.config import Settings
from portal.services.accounts.second_factors import challenges
from portal.services.accounts.second_factors.challenges import Ceremony, RelyingParty, Signed
from portal.services.accounts.second_factors.status import FactorStatus

CEREMONY = "passkey"
"""Where the signed cookie keeps the token of the challenge that the page shows."""


def find_problem() -> str | None:
    """Why there are no passkeys on this page; None where they work."""
    public_url = _settings().public_url
    if public_url and urlsplit(public_url).hostname != urlsplit(request.host_url).hostname:
        return f"Passkeys work at {public_url} only. Open the portal there."
    return challenges.find_problem(_site())


def get_party() -> RelyingParty:
    return challenges.get_party(_site())


def ask_for_passkey(user_id: int, factors: FactorStatus) -> str | None:
    """The options for a passkey of the user's, as JSON; None where none can be used."""
    if not factors.passkeys or find_problem() is not None:
        return None
    return begin(challenges.ask_to_sign(get_party(), user_id))


def begin(ceremony: Ceremony) -> str:
    """The options, as JSON. The browser's page before this one cannot be sent any more."""
    session[CEREMONY] = ceremony.token
    return ceremony.options


def read_signed(credential: str | None) -> Signed | None:
    """What a browser sent; None when there is nothing."""
    token = session.pop(CEREMONY, "")
    return Signed(credential, str(token), get_party()) if credential else None


def _site() -> str:
    return _settings().public_url or request.host_url


def _settings() -> Settings:
    settings: Settings = current_app.extensions["settings"]
    return settings
