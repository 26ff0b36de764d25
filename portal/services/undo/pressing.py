"""Taking back what was offered: by the way that belongs to what was done."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import wraps
from typing import Any, Final

from portal.errors import PermissionDenied
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

Outcome = str | list[Errand]
"""What was done, as a sentence; or what a worker does about it in Tactical."""


@dataclass(frozen=True, slots=True)
class Way:
    """`take_back` is told the place of whoever presses and, by name, what the offer keeps. It
    leaves alone what has changed since, and raises Refused where nothing is left."""

    permission: Permission
    take_back: Callable[..., Outcome]


def press(place: Membership, offer_id: int) -> Outcome:
    """Raises NotFound, Refused and PermissionDenied."""
    offer = claim_offer(offer_id, place.user_id)
    try:
        way = WAYS[offer.kind]
        if not role_allows(place.role, way.permission, limited=place.limited):
            raise PermissionDenied("Your role does not allow this any more. Ask an owner.")
        return way.take_back(place, **offer.change)
    except Exception:
        release_offer(offer_id, place.user_id)
        raise


def _by_run(place: Membership, run_id: int) -> str:
    return take_back_run(run_id, place.user_id)


def _by_worker(place: Membership, run_id: int) -> str:
    request_revert(run_id, place.user_id)
    return "Being undone. Sync runs show what goes back."


def _map_back(place: Membership, run_id: int) -> str:
    return many.take_back(run_id, place.user_id)


def _settle_back(place: Membership, run_ids: list[int], kept: list[int]) -> str:
    return take_back_settling(run_ids, kept, place.user_id)


def _move_back(place: Membership, client_id: int, was: list[tuple[int, int, bool]]) -> str:
    return take_back_moving(client_id, was, place.user_id)


def _restore_view(place: Membership, view_id: int) -> str:
    return f"{keeping.restore_view(place, view_id).name} is back."


def _alone(take_back: Callable[..., Outcome]) -> Callable[..., Outcome]:
    """Where it is the same for everybody who may."""

    @wraps(take_back)
    def take_back_for(_place: Membership, **change: Any) -> Outcome:
        return take_back(**change)

    return take_back_for


WAYS: Final[Mapping[UndoKind, Way]] = {
    UndoKind.MAPPING: Way(Permission.MAP, _map_back),
    UndoKind.CUSTOMERS_MAPPED: Way(Permission.MAP, _alone(customers.take_back_mapping)),
    UndoKind.RETIRED: Way(Permission.EDIT, _by_run),
    UndoKind.MERGED: Way(Permission.MAP, _by_run),
    UndoKind.SETTLED: Way(Permission.MAP, _settle_back),
    UndoKind.APPLIED: Way(Permission.MAP, _by_worker),
    UndoKind.MOVED: Way(Permission.EDIT, _move_back),
    UndoKind.TAGGED: Way(Permission.EDIT, _alone(tags.take_back_adding)),
    UndoKind.UNTAGGED: Way(Permission.EDIT, _alone(tags.take_back_removing)),
    UndoKind.ACKNOWLEDGED: Way(Permission.ACT_ON_ALERTS, _alone(take_back_acknowledging)),
    UndoKind.UNACKNOWLEDGED: Way(Permission.ACT_ON_ALERTS, _alone(take_back_unacknowledging)),
    UndoKind.ASSIGNED: Way(Permission.ACT_ON_ALERTS, _alone(take_back_assigning)),
    UndoKind.SNOOZED: Way(Permission.ACT_ON_ALERTS, _alone(take_back_snoozing)),
    UndoKind.UNSNOOZED: Way(Permission.ACT_ON_ALERTS, _alone(take_back_unsnoozing)),
    UndoKind.SNOOZED_DAYS: Way(Permission.ACT_ON_ALERTS, _alone(take_back_snoozing_days)),
    UndoKind.UNSNOOZED_DAYS: Way(Permission.ACT_ON_ALERTS, _alone(take_back_waking)),
    UndoKind.RULES_SWITCHED: Way(Permission.CHANGE_RULES, _alone(rules.take_back_switching)),
    UndoKind.WATCH_SWITCHED: Way(Permission.CHANGE_RULES, _alone(take_back_switching)),
    UndoKind.WATCH_REMOVED: Way(Permission.CHANGE_RULES, _alone(take_back_removing)),
    UndoKind.WINDOW_DELETED: Way(Permission.CHANGE_RULES, _alone(restore_windows)),
    UndoKind.VIEW_DELETED: Way(Permission.READ, _restore_view),
    UndoKind.SHARED_VIEW_DELETED: Way(Permission.SHARE_VIEWS, _restore_view),
}
