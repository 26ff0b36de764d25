"""Taking back what was offered: by the way that belongs to what was done."""

from __future__ import annotations

import logging
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Final

from sqlalchemy.exc import OperationalError, SQLAlchemyError

from portal.errors import PermissionDenied, PortalError, Refused
from portal.models import Errand, Membership
from portal.models.undo.offer import UndoKind
from portal.services.accounts.permissions import Permission, role_allows
from portal.services.alerts.acknowledging import (
    take_back_acknowledging,
    take_back_unacknowledging,
)
from portal.services.alerts.assigning import take_back_assigning
from portal.services.alerts.sleeping import take_back_snoozing_days, take_back_waking
from portal.services.alerts.snoozing import take_back_snoozing, take_back_unsnoozing
from portal.services.assets import tags
from portal.services.assets.moving import take_back_moving
from portal.services.conflicts.reopening import take_back_settling
from portal.services.helpdesks import customers
from portal.services.organizations import many
from portal.services.rules import changes as rules
from portal.services.runs.reverts import request_revert
from portal.services.saved_views import keeping
from portal.services.undo.offers import claim_offer, release_offer
from portal.services.undo.runs import take_back_run
from portal.services.watches.keeping import take_back_removing, take_back_switching
from portal.services.windows.editing import restore_windows

log = logging.getLogger(__name__)

MISFITS = (LookupError, TypeError, ValueError, AttributeError, SQLAlchemyError)
"""What comes of an offer that another version of the portal made."""
OUTDATED = (
    "The portal was updated since this was done, so it can be undone here no more. "
    "Change it back by hand."
)

Change = dict[str, Any]
Outcome = str | list[Errand]
"""What was done, as a sentence; or what a worker does about it in Tactical."""


@dataclass(frozen=True, slots=True)
class _Way:
    """`take_back` leaves alone what has changed since, and raises Refused where nothing is left."""

    permission: Permission
    take_back: Callable[[Membership, Change], Outcome]


def press(place: Membership, offer_id: int) -> Outcome:
    """Raises NotFound, Refused and PermissionDenied."""
    offer = claim_offer(offer_id, place.user_id)
    try:
        way = _WAYS[offer.kind]
        if not role_allows(place.role, way.permission, limited=place.limited):
            raise PermissionDenied("Your role does not allow this any more. Ask an owner.")
        return way.take_back(place, offer.change)
    except PortalError:
        release_offer(offer_id, place.user_id)
        raise
    except OperationalError:  # the database is not there
        raise
    except MISFITS as error:
        log.warning("Offer %d to undo %s has another shape.", offer_id, offer.kind, exc_info=True)
        release_offer(offer_id, place.user_id)
        raise Refused(OUTDATED) from error


def _restore_view(place: Membership, change: Change) -> str:
    return f"{keeping.restore_view(place, change['view_id']).name} is back."


def _revert(place: Membership, change: Change) -> str:
    return take_back_run(change["run_id"], place.user_id)


def _revert_by_worker(place: Membership, change: Change) -> str:
    request_revert(change["run_id"], place.user_id)
    return "Being undone. Sync runs show what goes back."


def _by(permission: Permission, take_back: Callable[..., Outcome]) -> _Way:
    """Where the change alone says what to do, by name."""
    return _Way(permission, lambda _place, change: take_back(**change))


_WAYS: Final[Mapping[UndoKind, _Way]] = {
    UndoKind.MAPPING: _Way(
        Permission.MAP, lambda place, change: many.take_back(change["run_id"], place.user_id)
    ),
    UndoKind.CUSTOMERS_MAPPED: _by(Permission.MAP, customers.take_back_mapping),
    UndoKind.RETIRED: _Way(Permission.EDIT, _revert),
    UndoKind.MERGED: _Way(Permission.MAP, _revert),
    UndoKind.SETTLED: _Way(
        Permission.MAP, lambda place, change: take_back_settling(**change, user_id=place.user_id)
    ),
    UndoKind.APPLIED: _Way(Permission.MAP, _revert_by_worker),
    UndoKind.MOVED: _Way(
        Permission.EDIT, lambda place, change: take_back_moving(**change, user_id=place.user_id)
    ),
    UndoKind.TAGGED: _by(Permission.EDIT, tags.take_back_adding),
    UndoKind.UNTAGGED: _by(Permission.EDIT, tags.take_back_removing),
    UndoKind.ACKNOWLEDGED: _by(Permission.ACT_ON_ALERTS, take_back_acknowledging),
    UndoKind.UNACKNOWLEDGED: _by(Permission.ACT_ON_ALERTS, take_back_unacknowledging),
    UndoKind.ASSIGNED: _by(Permission.ACT_ON_ALERTS, take_back_assigning),
    UndoKind.SNOOZED: _by(Permission.ACT_ON_ALERTS, take_back_snoozing),
    UndoKind.UNSNOOZED: _by(Permission.ACT_ON_ALERTS, take_back_unsnoozing),
    UndoKind.SNOOZED_DAYS: _by(Permission.ACT_ON_ALERTS, take_back_snoozing_days),
    UndoKind.UNSNOOZED_DAYS: _by(Permission.ACT_ON_ALERTS, take_back_waking),
    UndoKind.RULES_SWITCHED: _by(Permission.CHANGE_RULES, rules.take_back_switching),
    UndoKind.WATCH_SWITCHED: _by(Permission.CHANGE_RULES, take_back_switching),
    UndoKind.WATCH_REMOVED: _by(Permission.CHANGE_RULES, take_back_removing),
    UndoKind.WINDOW_DELETED: _by(Permission.CHANGE_RULES, restore_windows),
    UndoKind.VIEW_DELETED: _Way(Permission.READ, _restore_view),
    UndoKind.SHARED_VIEW_DELETED: _Way(Permission.SHARE_VIEWS, _restore_view),
}
