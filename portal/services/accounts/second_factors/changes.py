"""Second factors set up and taken away, by their user or by an operator."""

from __future__ import annotations

from datetime import timedelta

from sqlalchemy import delete, select
from sqlalchemy.orm import Session

from portal.clock import utc_now
from portal.db import count_changed, db, transaction
from portal.errors import InvalidInput, NotFound, Refused
from portal.models import Authenticator, Passkey, PasskeyChallenge, User
from portal.models.accounts.passkey import PasskeyPurpose
from portal.services.accounts.second_factors import passkeys, recovery_codes, totp
from portal.services.accounts.second_factors.challenges import (
    Ceremony,
    RelyingParty,
    Signed,
    ask_to_add,
    take,
)
from portal.services.accounts.second_factors.proof import Proof, proven
from portal.services.accounts.second_factors.status import find_app, has_factor, lock_user
from portal.services.accounts.sign_in import end_sessions
from portal.services.accounts.throttle import Caller
from portal.services.accounts.users import get_user
from portal.services.audit.actions import Action
from portal.services.audit.actor import Actor
from portal.services.audit.people import record_of_user
from portal.services.text import clean_line

SET_UP_WITHIN = timedelta(minutes=30)


def begin_app(user_id: int, proof: Proof, caller: Caller) -> None:
    """A new secret for an authenticator app, which counts once `confirm_app` was given a code.

    Raises InvalidInput, Refused and TooManyAttempts.
    """
    with proven(user_id, proof, caller) as (session, user):
        if find_app(session, user_id) is not None:
            raise Refused("An authenticator app is set up already. Remove it first.")
        totp.put_new_secret(session, user)
        record_of_user(Action.APP_BEGUN, user)


def find_new_app(user_id: int) -> totp.SharedSecret | None:
    """What the app is given that is being set up; None when none is, or it took too long."""
    row = _find_unconfirmed(db.session(), user_id)
    return totp.read_secret(row, db.session.get_one(User, user_id).email) if row else None


def confirm_app(user_id: int, code: str, keep_session: str) -> list[str]:
    """The app counts from now on; recovery codes, if it is the user's first second factor.

    Then other sessions end: they were opened without one. Raises InvalidInput and NotFound.
    """
    with transaction() as session:
        user = lock_user(session, user_id)
        row = _find_unconfirmed(session, user_id)
        if user is None or row is None:
            raise NotFound("Setting up the app took too long. Start again.")
        totp.use_code(session, row, code)
        is_first = not has_factor(session, user_id)
        row.confirmed_at = utc_now()
        session.flush()
        record_of_user(Action.APP_ADDED, user, after={"is_first_factor": is_first})
        return _begin_with_factor(session, user_id, keep_session) if is_first else []


def remove_app(user_id: int, proof: Proof, keep_session: str, caller: Caller) -> None:
    """Other sessions end. Raises InvalidInput and TooManyAttempts."""
    with proven(user_id, proof, caller) as (session, user):
        session.execute(delete(Authenticator).where(Authenticator.user_id == user_id))
        record_of_user(Action.APP_REMOVED, user)
        _end_without_factor(session, user_id, keep_session)


def begin_passkey(user_id: int, proof: Proof, party: RelyingParty, caller: Caller) -> Ceremony:
    """What the browser gives to a new passkey. Raises InvalidInput and TooManyAttempts."""
    with proven(user_id, proof, caller) as (_session, user):
        pass
    return ask_to_add(user, party)


def add_passkey(user_id: int, name: str, signed: Signed, keep_session: str) -> list[str]:
    """It counts from now on; recovery codes, if it is the user's first second factor.

    Then other sessions end. Raises InvalidInput.
    """
    name = clean_line(name, "name", "a name for the passkey")
    challenge = take(signed.token, PasskeyPurpose.ADD, user_id)
    if challenge is None:
        raise InvalidInput("Adding the passkey took too long. Start again.", field="passkey")
    with transaction() as session:
        user = lock_user(session, user_id)
        if user is None:
            raise passkeys.WrongPasskey
        is_first = not has_factor(session, user_id)
        passkeys.add_key(session, user, signed, challenge, name)
        record_of_user(Action.PASSKEY_ADDED, user, after={"name": name})
        return _begin_with_factor(session, user_id, keep_session) if is_first else []


def get_passkey(user_id: int, passkey_id: int) -> Passkey:
    """Raises NotFound for one that is not the user's."""
    found = db.session.scalar(select(Passkey).filter_by(id=passkey_id, user_id=user_id))
    if found is None:
        raise NotFound("There is no such passkey. It may have been removed.")
    return found


def rename_passkey(user_id: int, passkey_id: int, name: str) -> None:
    """Raises InvalidInput and NotFound."""
    name = clean_line(name, "name", "a name for the passkey")
    with transaction():
        passkey, user = get_passkey(user_id, passkey_id), db.session.get_one(User, user_id)
        before, passkey.name = {"name": passkey.name}, name
        record_of_user(Action.PASSKEY_RENAMED, user, before, {"name": name})


def remove_passkey(
    user_id: int, passkey_id: int, proof: Proof, keep_session: str, caller: Caller
) -> None:
    """Other sessions end. Raises InvalidInput, NotFound and TooManyAttempts."""
    before = {"name": get_passkey(user_id, passkey_id).name}
    with proven(user_id, proof, caller) as (session, user):
        session.execute(delete(Passkey).filter_by(id=passkey_id, user_id=user_id))
        record_of_user(Action.PASSKEY_REMOVED, user, before)
        _end_without_factor(session, user_id, keep_session)


def renew_codes(user_id: int, proof: Proof, caller: Caller) -> list[str]:
    """Ten new recovery codes in place of the old ones.

    Raises InvalidInput, Refused and TooManyAttempts.
    """
    with proven(user_id, proof, caller) as (session, user):
        if not has_factor(session, user_id):
            raise Refused("Recovery codes come with a second factor. Set one up first.")
        record_of_user(Action.CODES_RENEWED, user)
        return recovery_codes.make_codes(session, user_id)


def reset_factors(email: str) -> User:
    """Take every second factor of the user away and end the sessions, for an operator.

    Raises NotFound.
    """
    user_id = get_user(email).id
    with transaction() as session:
        user = lock_user(session, user_id)
        if user is None:
            raise NotFound(f"There is no user {email!r}. Check the address.")
        forget_factors(session, user)
    return user


def forget_factors(session: Session, user: User, actor: Actor | None = None) -> None:
    """Inside the transaction of whatever does so; `actor`: who does it, if not who acts."""
    had = {
        table: count_changed(session, delete(table).where(table.user_id == user.id))
        for table in (Authenticator, Passkey, PasskeyChallenge)
    }
    _end_without_factor(session, user.id, keep_session="")
    before = {"authenticator_app": bool(had[Authenticator]), "passkeys": had[Passkey]}
    record_of_user(Action.FACTORS_RESET, user, before, actor=actor)


def _find_unconfirmed(session: Session, user_id: int) -> Authenticator | None:
    row = session.get(Authenticator, user_id, populate_existing=True)
    if row is None or row.confirmed_at is not None:
        return None
    return row if row.created_at > utc_now() - SET_UP_WITHIN else None


def _begin_with_factor(session: Session, user_id: int, keep_session: str) -> list[str]:
    end_sessions(session, user_id, keep_session)
    return recovery_codes.make_codes(session, user_id)


def _end_without_factor(session: Session, user_id: int, keep_session: str) -> None:
    end_sessions(session, user_id, keep_session)
    if not has_factor(session, user_id):
        recovery_codes.forget_codes(session, user_id)
