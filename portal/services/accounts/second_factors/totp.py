"""Authenticator apps: a secret shared once, and codes of it that work once each (RFC 6238)."""

from __future__ import annotations

import hmac
from dataclasses import dataclass

import pyotp
from sqlalchemy import update
from sqlalchemy.orm import Session

from portal.clock import utc_now
from portal.db import changed_one
from portal.errors import InvalidInput
from portal.models import Authenticator, User
from portal.vault import get_vault, read_key_id

ISSUER = "RMM Portal"
SECRET_LETTERS = 32
"""Of base32: 160 bits, as long as the hash that apps make codes with."""
STEP_SECONDS = 30
"""How long a code is good for: neither the one before nor the one after it is taken."""


@dataclass(frozen=True, slots=True)
class SharedSecret:
    """What an app is given. `uri` holds the secret too, as QR codes have it."""

    secret: str
    uri: str


def put_new_secret(session: Session, user: User) -> None:
    """A secret that counts once its app has shown a code, in place of one that does not count."""
    row = session.merge(
        Authenticator(
            user_id=user.id,
            envelope=_seal(user.id, pyotp.random_base32(SECRET_LETTERS)),
            last_step=0,
            created_at=utc_now(),
            confirmed_at=None,
        )
    )
    session.flush()
    if read_key_id(row.envelope) not in get_vault().keys:
        # The key was removed meanwhile; now that we wrote, nobody removes one.
        row.envelope = _seal(user.id, get_vault().open(row.envelope, bind_to_user(user.id)))
        session.flush()


def read_secret(row: Authenticator, email: str) -> SharedSecret:
    """Raises SecretUnreadable."""
    totp = _open(row)
    return SharedSecret(totp.secret, totp.provisioning_uri(name=email, issuer_name=ISSUER))


def use_code(session: Session, row: Authenticator | None, code: str) -> None:
    """Raises InvalidInput for a code that is wrong, too old, or was used: one works once, and so
    does each that came before it."""
    step = int(utc_now().timestamp()) // STEP_SECONDS
    if row is None or not _is_code(row, code, step) or not _take_step(session, row.user_id, step):
        raise InvalidInput(
            "This code is not valid. Each code works once, and only while your app shows it: enter "
            "the one that it shows now. If it fails again, let the device that the app runs on "
            "set its clock by itself.",
            field="code",
        )


def bind_to_user(user_id: int) -> str:
    """What the envelope belongs to, and opens for alone."""
    return f"users/{user_id}/authenticator"


def _is_code(row: Authenticator, code: str, step: int) -> bool:
    """In a time that tells nothing."""
    typed, right = "".join(code.split()), _open(row).generate_otp(step)
    return hmac.compare_digest(right.encode(), typed.encode())


def _take_step(session: Session, user_id: int, step: int) -> bool:
    """Of many that send one code at once, one is taken."""
    return changed_one(
        session,
        update(Authenticator)
        .where(Authenticator.user_id == user_id, Authenticator.last_step < step)
        .values(last_step=step),
    )


def _open(row: Authenticator) -> pyotp.TOTP:
    return pyotp.TOTP(get_vault().open(row.envelope, bind_to_user(row.user_id)))


def _seal(user_id: int, secret: str) -> str:
    return get_vault().seal(secret, bind_to_user(user_id))
