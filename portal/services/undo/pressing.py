"""Taking back what was offered: by the way that belongs to what was done."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Final

from portal.errors import PermissionDenied, PortalError
from portal.models import Membership
from portal.models.undo.offer import UndoKind
from portal.services.accounts.permissions import Permission, role_allows
from portal.services.assets import tags
from portal.services.helpdesks import customers
from portal.services.organizations import many
from portal.services.saved_views import keeping
from portal.services.undo.offers import claim_offer, release_offer

Change = dict[str, Any]


@dataclass(frozen=True, slots=True)
class _Way:
    """`take_back` says what it did as a sentence. It leaves alone what has changed since, and
    raises Refused where nothing is left to take back."""

    permission: Permission
    take_back: Callable[[Membership, Change], str]


def press(place: Membership, offer_id: int) -> str:
    """What was done, as a sentence. Raises NotFound, Refused and PermissionDenied."""
    offer = claim_offer(offer_id, place.user_id)
    try:
        way = _WAYS[offer.kind]
        if not role_allows(place.role, way.permission, limited=place.limited):
            raise PermissionDenied("Your role does not allow this any more. Ask an owner.")
        return way.take_back(place, offer.change)
    except PortalError:
        release_offer(offer_id, place.user_id)
        raise


def _restore_view(place: Membership, change: Change) -> str:
    return f"{keeping.restore_view(place, change['view_id']).name} is back."


_WAYS: Final[Mapping[UndoKind, _Way]] = {
    UndoKind.MAPPING: _Way(
        Permission.MAP, lambda place, change: many.take_back(change["run_id"], place.user_id)
    ),
    UndoKind.VIEW_DELETED: _Way(Permission.READ, _restore_view),
    UndoKind.SHARED_VIEW_DELETED: _Way(Permission.SHARE_VIEWS, _restore_view),
    UndoKind.TAGGED: _Way(Permission.EDIT, lambda _place, change: tags.take_back_adding(**change)),
    UndoKind.CUSTOMERS_MAPPED: _Way(
        Permission.MAP, lambda _place, change: customers.take_back_mapping(**change)
    ),
    UndoKind.UNTAGGED: _Way(
        Permission.EDIT,
        lambda _place, change: tags.take_back_removing(**change),
    ),
}
