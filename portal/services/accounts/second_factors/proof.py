"""A person proves again to be the user: by a second factor if there is one, else the password."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

from sqlalchemy.orm import Session

from portal.db import db, transaction
from portal.errors import InvalidInput
from portal.models import User
from portal.models.accounts.passkey import PasskeyPurpose
from portal.services.accounts.known_devices import find_device
from portal.services.accounts.passwords import password_matches
from portal.services.accounts.second_factors import passkeys, recovery_codes, totp
from portal.services.accounts.second_factors.challenges import Signed, take
from portal.services.accounts.second_factors.status import find_app, has_factor, lock_user
from portal.services.accounts.throttle import Caller, attempt
from portal.services.audit.people import record_refusal


@dataclass(frozen=True, slots=True)
class Proof:
    """What was entered: one of these. A password counts for a user without a second factor."""

    code: str = ""
    recovery_code: str = ""
    password: str = ""
    passkey: Signed | None = None


@contextmanager
def proven(user_id: int, proof: Proof, caller: Caller) -> Iterator[tuple[Session, User]]:
    """Run the block, in a transaction that holds the user's row, if the proof is right.

    It is counted as an attempt at the password is. What was used up is used up with what the
    block does: when it fails, nothing was. Raises InvalidInput and TooManyAttempts.
    """
    user = db.session.get_one(User, user_id)
    with attempt(caller, user.email, find_device(user, caller.device)):
        was = user.password_hash
        matches = bool(proof.password) and password_matches(was, proof.password)
        key = proof.passkey
        challenge = take(key.token, PasskeyPurpose.PROVE, user_id) if key else None
        with transaction() as session:
            now = lock_user(session, user_id)
            if now is None:
                raise InvalidInput("This user does not exist any more.")
            matches = matches and now.password_hash == was
            problem = _find_problem(session, now, proof, challenge, matches)
            if problem is None:
                yield session, now
        if problem is not None:
            record_refusal(user)
            raise problem


def _find_problem(
    session: Session, user: User, proof: Proof, challenge: bytes | None, matches: bool
) -> InvalidInput | None:
    """What is wrong with the proof; a code that is right is used up."""
    try:
        if has_factor(session, user.id):
            _use_factor(session, user, proof, challenge)
        elif not matches:
            return InvalidInput("This is not your current password.", field="password")
    except InvalidInput as error:
        return error
    return None


def _use_factor(session: Session, user: User, proof: Proof, challenge: bytes | None) -> None:
    if proof.passkey:
        passkeys.use_key(session, user, proof.passkey, challenge)
    elif proof.recovery_code:
        recovery_codes.use_code(session, user.id, proof.recovery_code)
    else:
        totp.use_code(session, find_app(session, user.id), proof.code)
