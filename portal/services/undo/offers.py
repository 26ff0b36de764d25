"""Offers to take something back: for a few minutes, once, and to whoever did it."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

from sqlalchemy import delete, select, update
from sqlalchemy.orm import Session

from portal.clock import utc_now
from portal.db import count_changed, transaction
from portal.errors import NotFound, Refused
from portal.models import UndoOffer
from portal.models.undo.offer import SHAPE, UndoKind
from portal.scope import beyond_clients
from portal.services.audit.actor import current_actor
from portal.wording import plural

VALID_FOR = timedelta(minutes=10)
KEPT_FOR = timedelta(days=1)
"""So that whoever is late is told so."""
TOO_LATE = (
    f"This can be undone for {VALID_FOR.seconds // 60} minutes, and they are over. "
    "Change it back by hand."
)
OUTDATED = (
    "The portal was updated since this was done, so it can be undone here no more. "
    "Change it back by hand."
)
PRESSED = "This was undone already."
CHANGED_SINCE = "It was changed since, so nothing was undone."


def offer_undo(kind: UndoKind, change: dict[str, Any]) -> int | None:
    """After the transaction of the change: the number of the offer, or None where no person who is
    signed in made the change."""
    user_id = current_actor().user_id
    if user_id is None:
        return None
    with beyond_clients(), transaction() as session:
        _prune(session)
        offer = UndoOffer(user_id=user_id, kind=kind, change=change)
        session.add(offer)
        session.flush()
        return offer.id


def extend_offer(session: Session, offer_id: int | None, change: dict[str, Any]) -> None:
    """As more of it is done, in the transaction of the change: lists grow. Nothing where there is
    no offer any more."""
    offer = session.get(UndoOffer, offer_id) if offer_id else None
    if offer is None:
        return
    before = offer.change
    grown = {
        name: before.get(name, []) + value if isinstance(value, list) else value
        for name, value in change.items()
    }
    offer.change = before | grown


def claim_offer(offer_id: int, user_id: int) -> UndoOffer:
    """For whoever presses it: from now on it is pressed. Raises NotFound for another's, and Refused
    where it was pressed already, it is too late, or another version of the portal made it."""
    with beyond_clients(), transaction() as session:
        offer = _hold(session, offer_id, user_id)
        if offer.pressed_at is not None:
            raise Refused(PRESSED)
        if offer.made_at < utc_now() - VALID_FOR:
            raise Refused(TOO_LATE)
        if offer.shape != SHAPE:
            raise Refused(OUTDATED)
        offer.pressed_at = utc_now()
    return offer


def release_offer(offer_id: int, user_id: int) -> None:
    """It was refused or failed, and nothing was taken back: it may be pressed again."""
    with beyond_clients(), transaction() as session:
        _hold(session, offer_id, user_id).pressed_at = None


def renew_offer(offer_id: int | None) -> None:
    """What it takes back took its time, and is done now: the minutes begin anew."""
    if offer_id is None:
        return
    waiting = update(UndoOffer).where(UndoOffer.id == offer_id, UndoOffer.pressed_at.is_(None))
    with transaction() as session:
        count_changed(session, waiting.values(made_at=utc_now()))


def _hold(session: Session, offer_id: int, user_id: int) -> UndoOffer:
    own = select(UndoOffer).where(UndoOffer.id == offer_id, UndoOffer.user_id == user_id)
    found = session.scalar(own.with_for_update().execution_options(populate_existing=True))
    if found is None:
        raise NotFound("There is nothing to undo here: it is too long ago, or another person's.")
    return found


def _prune(session: Session) -> None:
    count_changed(session, delete(UndoOffer).where(UndoOffer.made_at < utc_now() - KEPT_FOR))


def tell_undone(
    what: str,
    done: int,
    number: int,
    noun: str = "asset",
    after: str = "",
    many: str | None = None,
) -> str:
    """`Undone: tagged 3 assets backup. 1 asset was changed since and stays as it is.` `what` was
    done to so many, of the `number` that it had been done to."""
    text = f"Undone: {what} {plural(done, noun, many)}{after}."
    left = number - done
    if not left:
        return text
    stays, stay = "was changed since and stays as it is", "were changed since and stay as they are"
    return f"{text} {plural(left, noun, many)} {stays if left == 1 else stay}."
