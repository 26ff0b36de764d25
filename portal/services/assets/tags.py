"""Tags: words that people put on assets, to find them by and for rules to look at."""

from __future__ import annotations

from dataclasses import dataclass

from sqlalchemy import delete, exists, func, select

from portal.chunks import chunked
from portal.db import count_changed, db, insert, transaction
from portal.errors import InvalidInput
from portal.models import Asset, AssetTag
from portal.scope import get_tenant_id
from portal.services.assets.choosing import Chosen
from portal.services.audit.actions import Action
from portal.services.audit.record import Target, record

LONGEST_TAG = 40
MOST_TAGS = 20
"""That an asset is given; one that two were merged into may have more."""
_AT_ONCE = 1000


@dataclass(frozen=True, slots=True)
class Tagged:
    """`full`: how many were left as they were, because they have as many tags as they may."""

    tag: str
    changed: int
    full: int = 0


def add_tag(chosen: Chosen, text: str) -> Tagged:
    """To each of the assets that has it not yet. Raises InvalidInput."""
    tag = clean_tag(text)
    changed = full = 0
    with transaction() as session:
        has_it = exists().where(AssetTag.asset_id == Asset.id, AssetTag.tag == tag)
        number = (
            select(func.count(AssetTag.id)).where(AssetTag.asset_id == Asset.id).scalar_subquery()
        )
        rows = session.execute(
            select(Asset.id, number).where(*chosen.to_conditions(), ~has_it).order_by(Asset.id)
        ).all()
        ids = [asset_id for asset_id, count in rows if count < MOST_TAGS]
        full = len(rows) - len(ids)
        for some in chunked(ids, _AT_ONCE):
            same = {"tenant_id": get_tenant_id(), "tag": tag}
            values = [same | {"asset_id": asset_id} for asset_id in some]
            added = insert(AssetTag).on_conflict_do_nothing().returning(AssetTag.id)
            changed += len(session.scalars(added, values).all())
        if changed:
            _record(Action.ASSETS_TAGGED, chosen, tag, changed)
    return Tagged(tag, changed, full)


def remove_tag(chosen: Chosen, text: str) -> Tagged:
    """From each of the assets that has it. Raises InvalidInput."""
    tag = clean_tag(text)
    with transaction() as session:
        which = select(Asset.id).where(*chosen.to_conditions())
        changed = count_changed(
            session, delete(AssetTag).where(AssetTag.tag == tag, AssetTag.asset_id.in_(which))
        )
        if changed:
            _record(Action.ASSETS_UNTAGGED, chosen, tag, changed)
    return Tagged(tag, changed)


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


def _record(action: Action, chosen: Chosen, tag: str, number: int) -> None:
    """One asset is named, and of many how many they are."""
    if chosen.shown is None and len(chosen.ids) == 1:
        [asset_id] = chosen.ids
        name = db.session.scalar(select(Asset.name).where(Asset.id == asset_id)) or ""
        record(action, Target("asset", asset_id, name), after={"tag": tag})
    else:
        record(action, Target("asset"), after={"tag": tag, "assets": number})
