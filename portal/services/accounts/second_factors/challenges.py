"""What a browser asks a passkey to sign: made here, kept on the server, used once."""

from __future__ import annotations

import ipaddress
from dataclasses import dataclass
from datetime import timedelta
from urllib.parse import urlsplit

from sqlalchemy import delete, select
from webauthn import generate_authentication_options, generate_registration_options, options_to_json
from webauthn.helpers import base64url_to_bytes, generate_challenge, generate_user_handle
from webauthn.helpers.structs import (
    AuthenticatorSelectionCriteria,
    PublicKeyCredentialDescriptor,
    ResidentKeyRequirement,
    UserVerificationRequirement,
)

from portal.clock import utc_now
from portal.db import changed_one, db, transaction
from portal.models import Passkey, PasskeyChallenge, User
from portal.models.accounts.passkey import PasskeyPurpose
from portal.services.accounts.second_factors.totp import ISSUER
from portal.services.accounts.tokens import digest, new_token

SIGN_WITHIN = timedelta(minutes=10)


@dataclass(frozen=True, slots=True)
class RelyingParty:
    """The site that passkeys belong to: its host name, and the origin that browsers report."""

    id: str
    origin: str


@dataclass(frozen=True, slots=True)
class Ceremony:
    """`token`: for the cookie. `options`: for the browser, as JSON."""

    token: str
    options: str


@dataclass(frozen=True, slots=True)
class Signed:
    """What came back: the browser's JSON, and the token of the cookie."""

    credential: str
    token: str
    party: RelyingParty


def find_problem(url: str) -> str | None:
    """Why browsers offer no passkeys at this address of the portal; None where they do."""
    parts = urlsplit(url)
    host = parts.hostname or ""
    try:
        ipaddress.ip_address(host)
    except ValueError:
        pass
    else:
        return (
            "Passkeys need a host name, and this page was opened by an IP address. Open the portal "
            "by its name, or use an authenticator app."
        )
    if parts.scheme != "https" and host != "localhost" and not host.endswith(".localhost"):
        return "Passkeys need https. Use an authenticator app, or ask your operator for https."
    return None


def get_party(url: str) -> RelyingParty:
    parts = urlsplit(url)
    return RelyingParty(parts.hostname or "", f"{parts.scheme}://{parts.netloc}")


def ask_to_add(user: User, party: RelyingParty) -> Ceremony:
    """For a new passkey, which verifies its user and can be found without a name."""
    challenge, handle = generate_challenge(), _hold_handle(user.id)
    options = generate_registration_options(
        rp_id=party.id,
        rp_name=ISSUER,
        user_id=bytes.fromhex(handle),
        user_name=user.email,
        challenge=challenge,
        authenticator_selection=AuthenticatorSelectionCriteria(
            resident_key=ResidentKeyRequirement.REQUIRED,
            user_verification=UserVerificationRequirement.REQUIRED,
        ),
        exclude_credentials=_list_keys(user.id),
    )
    token = _keep(challenge, PasskeyPurpose.ADD, user.id)
    return Ceremony(token, options_to_json(options))


def ask_to_sign(party: RelyingParty, user_id: int | None) -> Ceremony:
    """For a passkey of the user; without one, of whoever chooses one to sign in with."""
    challenge = generate_challenge()
    options = generate_authentication_options(
        rp_id=party.id,
        challenge=challenge,
        allow_credentials=_list_keys(user_id) if user_id is not None else None,
        user_verification=UserVerificationRequirement.REQUIRED,
    )
    purpose = PasskeyPurpose.SIGN_IN if user_id is None else PasskeyPurpose.PROVE
    return Ceremony(_keep(challenge, purpose, user_id), options_to_json(options))


def take(token: str, purpose: PasskeyPurpose, user_id: int | None) -> bytes | None:
    """The challenge, which nobody can take again; None for one that does not hold."""
    key = PasskeyChallenge.token_digest == digest(token)
    with transaction() as session:
        row = session.scalar(select(PasskeyChallenge).where(key))
        if row is None or not changed_one(session, delete(PasskeyChallenge).where(key)):
            return None
        is_meant = (row.purpose, row.user_id) == (purpose, user_id)
        return row.challenge if is_meant and row.expires_at > utc_now() else None


def _keep(challenge: bytes, purpose: PasskeyPurpose, user_id: int | None) -> str:
    now, token = utc_now(), new_token()
    with transaction() as session:
        session.execute(delete(PasskeyChallenge).where(PasskeyChallenge.expires_at < now))
        session.add(
            PasskeyChallenge(
                token_digest=digest(token),
                challenge=challenge,
                purpose=purpose,
                user_id=user_id,
                expires_at=now + SIGN_WITHIN,
            )
        )
    return token


def _hold_handle(user_id: int) -> str:
    """The random name that passkeys know the user by, made on first use."""
    with transaction() as session:
        user = session.get_one(User, user_id, with_for_update=True, populate_existing=True)
        if user.passkey_handle is None:
            user.passkey_handle = generate_user_handle().hex()
        return user.passkey_handle


def _list_keys(user_id: int) -> list[PublicKeyCredentialDescriptor]:
    ids = db.session.scalars(select(Passkey.credential_id).where(Passkey.user_id == user_id))
    return [PublicKeyCredentialDescriptor(id=base64url_to_bytes(each)) for each in ids]
