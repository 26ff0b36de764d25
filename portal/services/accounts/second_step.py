"""The second step of signing in: between the right password and the second factor."""

from __future__ import annotations

from dataclasses import dataclass

from sqlalchemy import delete, select
from sqlalchemy.orm import joinedload

from portal.clock import utc_now
from portal.db import changed_one, db
from portal.errors import Refused
from portal.models import PendingSignIn
from portal.services.accounts.places import is_shut_out
from portal.services.accounts.second_factors.proof import Proof, proven
from portal.services.accounts.second_factors.recovery_codes import FEW, count_codes
from portal.services.accounts.sign_in import SignIn, open_session
from portal.services.accounts.throttle import Caller
from portal.services.accounts.tokens import digest


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
