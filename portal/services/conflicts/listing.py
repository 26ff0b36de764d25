"""Conflicts: questions about agents that wait for a person, found and shown."""

from __future__ import annotations

from collections.abc import Collection, Iterable
from dataclasses import dataclass
from typing import Any

from sqlalchemy import ColumnElement, ScalarSelect, func, or_, select
from sqlalchemy.orm import InstrumentedAttribute, joinedload

from portal.clock import iso_utc
from portal.db import db
from portal.errors import NotFound
from portal.models import Asset, AssetConflict
from portal.models.assets.conflict import REVERTED, Settlement
from portal.services.assets.sides import Comparison, Side, compare, side_of, side_of_evidence
from portal.services.lists.paging import Page, paginate_records
from portal.services.lists.search import any_contains, contains, split_words
from portal.sync.devices.identity.computers import Kind

SUGGESTED = (Kind.SAME_SERIAL, Kind.SAME_NAME, Kind.SAME_MAC, Kind.SAME_MODEL)
"""A look may pay; nothing depends on it."""
GROUPS: dict[str, tuple[str, ...]] = {
    "conflicts": tuple(
        str(kind) for kind in Kind if kind not in SUGGESTED and kind is not Kind.SET_ASIDE
    ),
    "set_aside": (str(Kind.SET_ASIDE),),
    "suggestions": tuple(map(str, SUGGESTED)),
    "reverted": (REVERTED,),
}
"""The kinds of each group. The first one needs a person."""
SETTLED = "settled"
"""Not a group: those of any kind that are answered."""
FIRST = "conflicts"

_SEARCHED = (Asset.name, Asset.rmm_device_id)
_IS_OPEN = AssetConflict.settled_at.is_(None)
NEEDS_PERSON = (_IS_OPEN, AssetConflict.kind.in_(GROUPS[FIRST]))


@dataclass(frozen=True, slots=True)
class ConflictFilter:
    """`group` is one of GROUPS, or SETTLED."""

    group: str = FIRST
    search: str = ""


@dataclass(frozen=True, slots=True)
class Shown:
    """A conflict with the agent's own side and those of the assets that may be its computer."""

    conflict: AssetConflict
    own: Side
    others: list[Side]

    @property
    def choices(self) -> list[Settlement]:
        return list_choices(self.conflict)

    @property
    def can_reopen(self) -> bool:
        return can_reopen(self.conflict)

    def compare(self, other: Side) -> list[Comparison]:
        return compare(other, self.own)


def list_conflicts(shown: ConflictFilter, page: int = 1) -> Page[Shown]:
    """The oldest first; of the settled ones the last first."""
    conditions = [*_of_group(shown.group), *_of_search(shown.search)]
    order = AssetConflict.id.desc() if shown.group == SETTLED else AssetConflict.id
    found = paginate_records(
        select(AssetConflict),
        select(AssetConflict.id).where(*conditions).order_by(order),
        select(func.count()).select_from(AssetConflict).where(*conditions),
        page,
    )
    return Page(show_conflicts(found.items), found.number, found.total)


def show_conflicts(conflicts: Collection[AssetConflict]) -> list[Shown]:
    """With their assets, in one statement."""
    ids = {id for each in conflicts for id in (each.asset_id, *_other_ids(each)) if id}
    assets = select(Asset).where(Asset.id.in_(ids)).options(joinedload(Asset.client))
    sides = {asset.id: side_of(asset) for asset in db.session.scalars(assets)} if ids else {}
    return [_show(each, sides) for each in conflicts]


def count_open() -> dict[str, int]:
    """How many there are of each group."""
    rows = db.session.execute(
        select(AssetConflict.kind, func.count()).where(_IS_OPEN).group_by(AssetConflict.kind)
    )
    by_kind = {row[0]: row[1] for row in rows}
    return {group: sum(by_kind.get(kind, 0) for kind in kinds) for group, kinds in GROUPS.items()}


def any_conflicts() -> bool:
    """Settled ones too."""
    return db.session.scalar(select(AssetConflict.id).limit(1)) is not None


def needs_person_count(
    tenant_id: InstrumentedAttribute[int] | None = None,
) -> ScalarSelect[int]:
    """How many conflicts wait for a person, to be selected with other figures: of the tenant of
    the scope, or of another column's."""
    found = select(func.count()).select_from(AssetConflict).where(*NEEDS_PERSON)
    if tenant_id is not None:
        found = found.where(AssetConflict.tenant_id == tenant_id)
    return found.scalar_subquery()


def find_conflicted(asset_ids: Iterable[int]) -> set[int]:
    """Those of the assets that a conflict waits about."""
    ids = list(asset_ids)
    if not ids:
        return set()
    rows = db.session.execute(
        select(AssetConflict.asset_id, AssetConflict.other_asset_id).where(
            *NEEDS_PERSON,
            or_(AssetConflict.asset_id.in_(ids), AssetConflict.other_asset_id.in_(ids)),
        )
    )
    return {id for row in rows for id in row if id is not None}


def get_conflict(conflict_id: int, *, locked: bool = False) -> AssetConflict:
    """As the database has it; `locked` for the rest of the transaction. Raises NotFound."""
    conflict = db.session.get(
        AssetConflict, conflict_id, with_for_update=locked, populate_existing=True
    )
    if conflict is None:
        raise NotFound("This conflict does not exist.")
    return conflict


def list_choices(conflict: AssetConflict) -> list[Settlement]:
    """How it can be settled."""
    if conflict.settled_at is not None:
        return []
    if conflict.kind == REVERTED:
        return [Settlement.APPLY]
    if conflict.other_asset_id is None:
        return [Settlement.SEPARATE]
    if conflict.asset_id is None:
        return [Settlement.RELINK, Settlement.SEPARATE]
    return [Settlement.RELINK, Settlement.MERGE, Settlement.SEPARATE]


def can_reopen(conflict: AssetConflict) -> bool:
    """Whether nothing but the decision itself came of it; all else is a run that can be undone."""
    return conflict.settled_as is Settlement.SEPARATE


def export_conflicts() -> list[dict[str, Any]]:
    """The open ones of all groups, the oldest first: ids of assets are text, as in exports."""
    rows = db.session.scalars(select(AssetConflict).where(_IS_OPEN).order_by(AssetConflict.id))
    return [
        {
            "id": row.id,
            "kind": row.kind,
            "agent_id": row.agent_id,
            "asset_id": None if row.asset_id is None else str(row.asset_id),
            "other_asset_id": None if row.other_asset_id is None else str(row.other_asset_id),
            "reason": row.reason,
            "opened_at": iso_utc(row.opened_at),
            "evidence": row.evidence,
        }
        for row in rows
    ]


def _show(conflict: AssetConflict, sides: dict[int, Side]) -> Shown:
    own = sides.get(conflict.asset_id or 0)
    newcomer = conflict.evidence.get("newcomer") or {"agent_id": conflict.agent_id}
    others = [sides[id] for id in _other_ids(conflict) if id in sides and id != conflict.asset_id]
    return Shown(conflict, own or side_of_evidence(newcomer), others)


def _other_ids(conflict: AssetConflict) -> list[int]:
    """The likeliest first, then the others of the evidence."""
    if conflict.settled_at is not None or conflict.other_asset_id is None:
        return [conflict.other_asset_id] if conflict.other_asset_id else []
    ids = [asset["asset_id"] for asset in conflict.evidence.get("assets", ())]
    return list(dict.fromkeys([conflict.other_asset_id, *ids]))


def _of_group(group: str) -> list[ColumnElement[bool]]:
    if group == SETTLED:
        return [~_IS_OPEN]
    return [_IS_OPEN, AssetConflict.kind.in_(GROUPS.get(group, GROUPS[FIRST]))]


def _of_search(search: str) -> list[ColumnElement[bool]]:
    return [
        or_(
            contains(AssetConflict.reason, word),
            contains(AssetConflict.agent_id, word),
            *(
                column.in_(select(Asset.id).where(any_contains(_SEARCHED, word)))
                for column in (AssetConflict.asset_id, AssetConflict.other_asset_id)
            ),
        )
        for word in split_words(search)
    ]
