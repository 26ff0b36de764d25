"""How lists look for a person: how dense, with which columns, and which view a list begins with."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from typing import Any

from sqlalchemy.orm import Session

from portal.db import transaction
from portal.errors import NotFound
from portal.models import Membership
from portal.scope import beyond_clients
from portal.services.audit.actions import Action
from portal.services.audit.record import Target, record
from portal.services.saved_views.lists import LISTS, ListShape

COMFORTABLE, COMPACT = "comfortable", "compact"
DENSITIES = {COMFORTABLE: "Comfortable", COMPACT: "Compact"}


@dataclass(frozen=True, slots=True)
class Look:
    """Of one list, for one person."""

    list_name: str
    shape: ListShape
    columns: tuple[str, ...]


def get_shape(list_name: str) -> ListShape:
    """Raises NotFound."""
    shape = LISTS.get(list_name)
    if shape is None:
        raise NotFound("There is no such list.")
    return shape


def read_look(place: Membership, list_name: str, asked: str = "") -> Look:
    """`asked`: columns of an address, with commas between them, which win over what was chosen."""
    shape = get_shape(list_name)
    kept = _part(place.list_choices, "columns").get(list_name, ())
    return Look(list_name, shape, shape.choose(asked.split(",") if asked else kept))


def read_density(place: Membership) -> str:
    kept = (place.list_choices or {}).get("density")
    return kept if kept in DENSITIES else COMFORTABLE


def find_start(place: Membership, list_name: str) -> int | None:
    """The id of the view that the list begins with."""
    kept = _part(place.list_choices, "start").get(list_name)
    return kept if isinstance(kept, int) else None


def choose_look(place: Membership, list_name: str, columns: Collection[str], density: str) -> None:
    """The list shows these columns from now on, in order; all lists are as dense as this."""
    shape = get_shape(list_name)
    chosen = list(shape.choose(columns))
    kept = dict(_part(place.list_choices, "columns"))
    if tuple(chosen) == shape.standard:
        kept.pop(list_name, None)
    else:
        kept[list_name] = chosen
    density = density if density in DENSITIES else COMFORTABLE
    with beyond_clients(), transaction() as session:
        _keep(session, place, list_name, {"columns": kept, "density": density})


def keep_start(session: Session, place: Membership, list_name: str, view_id: int | None) -> None:
    """In a transaction of a service that may look beyond clients: what the list begins with."""
    kept = dict(_part(place.list_choices, "start"))
    kept.pop(list_name, None)
    if view_id is not None:
        kept[list_name] = view_id
    _keep(session, place, list_name, {"start": kept})


def _keep(session: Session, place: Membership, list_name: str, changes: dict[str, Any]) -> None:
    mine = session.get_one(Membership, place.id, with_for_update=True)
    before = dict(mine.list_choices or {})
    mine.list_choices = before | changes
    target = Target("list", list_name, LISTS[list_name].label)
    values = {name: before.get(name) for name in changes}, changes
    record(Action.LIST_LOOK_CHOSEN, target, *values)


def _part(choices: dict[str, Any] | None, name: str) -> dict[str, Any]:
    part = (choices or {}).get(name)
    return part if isinstance(part, dict) else {}
