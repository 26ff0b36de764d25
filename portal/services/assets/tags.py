"""Tags: words that people put on assets, to find them by and for rules to look at."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import ColumnElement, delete, exists, func, select
from sqlalchemy.orm import Session

from portal.chunks import chunked
from portal.clock import utc_now
from portal.db import db, insert, transaction
from portal.errors import InvalidInput, Refused
from portal.models import Asset, AssetTag
from portal.models.undo.offer import UndoKind
from portal.scope import get_tenant_id
from portal.services.assets.choosing import Chosen
from portal.services.audit.actions import Action
from portal.services.audit.record import Target, record
from portal.services.audit.values import MOST_LISTED, list_some
from portal.services.undo.offers import CHANGED_SINCE, offer_undo, tell_undone
from portal.wording import plural

LONGEST_TAG = 40
MOST_TAGS = 20
"""That an asset is given; one that two were merged into may have more."""
_AT_ONCE = 1000


@dataclass(frozen=True, slots=True)
class Tagged:
    """`full`: how many were left as they were, because they have as many tags as they may.
    `undo`: the number of the offer to take it back."""

    tag: str
    changed: int
    full: int = 0
    undo: int | None = None


def add_tag(chosen: Chosen, text: str) -> Tagged:
    """To each of the assets that has it not yet. Raises InvalidInput."""
    tag = clean_tag(text)
    with transaction() as session:
        at = utc_now()
        ids, full = _add(session, chosen.to_conditions(), tag, at)
        _record(Action.ASSETS_TAGGED, tag, ids)
    change = {"tag": tag, "asset_ids": ids, "at": at.isoformat()}
    undo = offer_undo(UndoKind.TAGGED, change) if ids else None
    return Tagged(tag, len(ids), full, undo)


def remove_tag(chosen: Chosen, text: str) -> Tagged:
    """From each of the assets that has it. Raises InvalidInput."""
    tag = clean_tag(text)
    with transaction() as session:
        which = select(Asset.id).where(*chosen.to_conditions())
        its = AssetTag.tag == tag, AssetTag.asset_id.in_(which)
        ids = _remove(session, *its)
        _record(Action.ASSETS_UNTAGGED, tag, ids)
    change = {"tag": tag, "asset_ids": ids}
    undo = offer_undo(UndoKind.UNTAGGED, change) if ids else None
    return Tagged(tag, len(ids), undo=undo)


def take_back_adding(tag: str, asset_ids: Sequence[int], at: str) -> str:
    """Undo `add_tag`, of that moment. Raises Refused where none has it from then any more."""
    then = datetime.fromisoformat(at)
    ids: list[int] = []
    with transaction() as session:
        for some in chunked(asset_ids, _AT_ONCE):
            its = AssetTag.asset_id.in_(some), AssetTag.tag == tag, AssetTag.added_at == then
            ids += _remove(session, *its)
        if not ids:
            raise Refused(CHANGED_SINCE)
        _record(Action.ASSETS_UNTAGGED, tag, ids)
    return tell_undone("tagged", len(ids), len(asset_ids), after=f" {tag}")


def take_back_removing(tag: str, asset_ids: Sequence[int]) -> str:
    """Undo `remove_tag`. Raises Refused where all of them have it again, or are gone."""
    ids: list[int] = []
    with transaction() as session:
        for some in chunked(asset_ids, _AT_ONCE):
            ids += _add(session, [Asset.id.in_(some)], tag, utc_now())[0]
        if not ids:
            raise Refused(CHANGED_SINCE)
        _record(Action.ASSETS_TAGGED, tag, ids)
    return tell_undone(f"took {tag} off", len(ids), len(asset_ids))


def _add(
    session: Session, conditions: Sequence[ColumnElement[bool]], tag: str, at: datetime
) -> tuple[list[int], int]:
    """The ids of the assets that got it, and how many have too many."""
    has_it = exists().where(AssetTag.asset_id == Asset.id, AssetTag.tag == tag)
    number = select(func.count(AssetTag.id)).where(AssetTag.asset_id == Asset.id).scalar_subquery()
    rows = session.execute(
        select(Asset.id, number).where(*conditions, ~has_it).order_by(Asset.id)
    ).all()
    ids = [asset_id for asset_id, count in rows if count < MOST_TAGS]
    added: list[int] = []
    for some in chunked(ids, _AT_ONCE):
        same = {"tenant_id": get_tenant_id(), "tag": tag, "added_at": at}
        values = [same | {"asset_id": asset_id} for asset_id in some]
        adding = insert(AssetTag).on_conflict_do_nothing().returning(AssetTag.asset_id)
        added += session.scalars(adding, values)
    return added, len(rows) - len(ids)


def _remove(session: Session, *conditions: ColumnElement[bool]) -> list[int]:
    """The ids of the assets that had it."""
    removing = delete(AssetTag).where(*conditions).returning(AssetTag.asset_id)
    quick = removing.execution_options(synchronize_session=False)
    return sorted(session.scalars(quick))


def clean_tag(text: str) -> str:
    """In lower case, one word: hyphens stand for blanks. Raises InvalidInput."""
    tag = "-".join(text.lower().split())
    if not tag:
        raise InvalidInput("Enter a tag, such as “backup”.", field="tag")
    if not tag.isprintable() or "," in tag:
        raise InvalidInput("A tag has no comma, and no character without a look.", field="tag")
    if len(tag) > LONGEST_TAG:
        raise InvalidInput(f"A tag has at most {LONGEST_TAG} characters.", field="tag")
    return tag


def _record(action: Action, tag: str, asset_ids: Sequence[int]) -> None:
    """The assets by name, as many as a row keeps."""
    if not asset_ids:
        return
    some = select(Asset.name).where(Asset.id.in_(asset_ids[:MOST_LISTED])).order_by(Asset.id)
    names = list(db.session.scalars(some))
    about, values = Target("asset", asset_ids[0], names[0]), dict[str, Any](tag=tag)
    if len(asset_ids) > 1:
        about = Target("asset", "", plural(len(asset_ids), "asset"))
        values |= {"assets": list_some(names, len(asset_ids))}
    if action is Action.ASSETS_TAGGED:
        record(action, about, after=values)
    else:
        record(action, about, before=values)
