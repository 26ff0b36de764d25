"""Passkeys: checked when they are added and each time that they sign (WebAuthn).

The library checks origin, site, challenge, signature and counter; that the user was verified, it
checks only when asked to. Whose key it is, and that a challenge is used once, is ours to check.
"""

from __future__ import annotations

import hmac

from sqlalchemy import select
from sqlalchemy.orm import Session
from webauthn import verify_authentication_response, verify_registration_response
from webauthn.authentication.verify_authentication_response import VerifiedAuthentication
from webauthn.helpers import bytes_to_base64url, parse_authentication_credential_json
from webauthn.helpers.structs import AuthenticationCredential
from webauthn.registration.verify_registration_response import VerifiedRegistration

from portal.clock import utc_now
from portal.errors import InvalidInput
from portal.models import Passkey, User
from portal.services.accounts.second_factors.challenges import RelyingParty, Signed


class WrongPasskey(InvalidInput):
    def __init__(self) -> None:
        super().__init__("This passkey could not be used. Try again.", field="passkey")


def add_key(session: Session, user: User, signed: Signed, challenge: bytes, name: str) -> Passkey:
    """Raises InvalidInput."""
    found = _verify_new(signed, challenge)
    credential_id = bytes_to_base64url(found.credential_id)
    if session.scalar(select(Passkey).where(Passkey.credential_id == credential_id)) is not None:
        raise InvalidInput("This passkey was added already.", field="passkey")
    row = Passkey(
        user_id=user.id,
        credential_id=credential_id,
        public_key=found.credential_public_key,
        sign_count=found.sign_count,
        name=name,
    )
    session.add(row)
    session.flush()
    return row


def find_owner(session: Session, signed: Signed) -> int:
    """The id of the user whose key says so. Nothing is verified yet. Raises WrongPasskey."""
    key_id = _read_id(_parse(signed))
    user_id = session.scalar(select(Passkey.user_id).where(Passkey.credential_id == key_id))
    if user_id is None:
        raise WrongPasskey
    return user_id


def use_key(
    session: Session, user: User, signed: Signed, challenge: bytes | None, *, alone: bool = False
) -> None:
    """Check that it is a key of this user's and signed the challenge, with the user verified.

    `alone`: the key must say itself whose it is. Raises WrongPasskey.
    """
    credential = _parse(signed)
    key_id = _read_id(credential)
    row = session.scalar(
        select(Passkey).where(Passkey.credential_id == key_id, Passkey.user_id == user.id)
    )
    said = credential.response.user_handle
    known = bytes.fromhex(user.passkey_handle or "")
    is_own = not alone if said is None else hmac.compare_digest(said, known)
    if row is None or challenge is None or not is_own:
        raise WrongPasskey
    row.sign_count = _verify(credential, row, challenge, signed.party).new_sign_count
    row.last_used_at = utc_now()


def _parse(signed: Signed) -> AuthenticationCredential:
    try:
        return parse_authentication_credential_json(signed.credential)
    except Exception as error:  # whatever the library makes of what anybody may send
        raise WrongPasskey from error


def _read_id(credential: AuthenticationCredential) -> str:
    """As it is kept. The text beside the bytes may be anything; that both agree is verified."""
    return bytes_to_base64url(credential.raw_id)


def _verify_new(signed: Signed, challenge: bytes) -> VerifiedRegistration:
    try:
        return verify_registration_response(
            credential=signed.credential,
            expected_challenge=challenge,
            expected_rp_id=signed.party.id,
            expected_origin=signed.party.origin,
            require_user_verification=True,
        )
    except Exception as error:
        raise WrongPasskey from error


def _verify(
    credential: AuthenticationCredential, row: Passkey, challenge: bytes, party: RelyingParty
) -> VerifiedAuthentication:
    try:
        return verify_authentication_response(
            credential=credential,
            expected_challenge=challenge,
            expected_rp_id=party.id,
            expected_origin=party.origin,
            credential_public_key=row.public_key,
            credential_current_sign_count=row.sign_count,
            require_user_verification=True,
        )
    except Exception as error:
        raise WrongPasskey from error
