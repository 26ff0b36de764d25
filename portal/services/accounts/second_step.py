"""The second step of signing in: between the right password and the second factor."""

from __future__ import annotations

from dataclasses import dataclass

from sqlalchemy import delete, select
from sqlalchemy.orm import joinedload

from portal.clock import utc_now
from portal.db import changed_one, db, transaction
from portal.errors import InvalidInput, Refused
from portal.models import PendingSignIn
from portal.models.accounts.passkey import PasskeyPurpose
from portal.services.accounts.places import is_shut_out
from portal.services.accounts.second_factors import passkeys
from portal.services.accounts.second_factors.challenges import (
    Ceremony,
    RelyingParty,
    Signed,
    ask_to_sign,
    take,
)
from portal.services.accounts.second_factors.proof import Proof, proven
from portal.services.accounts.second_factors.recovery_codes import FEW, count_codes
from portal.services.accounts.second_factors.status import lock_user
from portal.services.accounts.sign_in import SignIn, open_session
from portal.services.accounts.throttle import Caller, attempt, count_question
from portal.services.accounts.tokens import digest
from portal.services.audit.people import record_failure


class StepExpired(Refused):
    """The password must be given again."""

    def __init__(self) -> None:
        super().__init__("Your sign-in took too long. Enter your password again.")


@dataclass(frozen=True, slots=True)
class Finished:
    """`few_codes`: how many recovery codes are left, if they are few; else None."""

    sign_in: SignIn
    few_codes: int | None


def get_pending(token: str) -> PendingSignIn:
    """With its user. Raises StepExpired when it took too long, is done, or never was."""
    found = db.session.scalar(
        select(PendingSignIn)
        .options(joinedload(PendingSignIn.user))
        .where(PendingSignIn.token_digest == digest(token), PendingSignIn.expires_at > utc_now())
    )
    if found is None:
        raise StepExpired
    return found


def ask_for_passkey(party: RelyingParty, caller: Caller) -> Ceremony:
    """For whoever signs in with one alone. Raises TooManyAttempts."""
    count_question(caller)
    return ask_to_sign(party, None)


def sign_in_by_passkey(signed: Signed, caller: Caller) -> SignIn:
    """With a passkey alone: it is what the user has, and it verified the user.

    Raises InvalidInput, with one message for every reason, and TooManyAttempts.
    """
    with attempt(caller):
        challenge = take(signed.token, PasskeyPurpose.SIGN_IN, None)
        try:
            with transaction() as session:
                user = lock_user(session, passkeys.find_owner(session, signed))
                if user is None or is_shut_out(user.id):
                    raise passkeys.WrongPasskey
                passkeys.use_key(session, user, signed, challenge, alone=True)
                return open_session(session, user, caller)
        except InvalidInput:
            record_failure(None, "")
            raise


def finish(token: str, proof: Proof, caller: Caller) -> Finished:
    """The session, in place of the step, which cannot be used again.

    Raises StepExpired, InvalidInput and TooManyAttempts.
    """
    pending = get_pending(token)
    done = delete(PendingSignIn).where(
        PendingSignIn.token_digest == pending.token_digest, PendingSignIn.expires_at > utc_now()
    )
    with proven(pending.user_id, proof, caller) as (session, user):
        if not changed_one(session, done) or is_shut_out(user.id):
            raise StepExpired
        left = count_codes(session, user.id)
        return Finished(open_session(session, user, caller), left if left <= FEW else None)
