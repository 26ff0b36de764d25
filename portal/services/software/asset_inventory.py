"""The software of one asset: what it has, what it had, what came and went."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import ColumnElement, select
from sqlalchemy.orm import contains_eager

from portal.db import db
from portal.models import AssetSoftware, SoftwareTitle
from portal.services.lists.search import any_contains, split_words


@dataclass(frozen=True, slots=True)
class SoftwareHistoryEntry:
    """A version of a title came or went."""

    install: AssetSoftware
    at: datetime
    went: bool


def list_software_of_asset(asset_id: int, search: str = "") -> list[AssetSoftware]:
    """All that it has or had, by name: an asset's list is a few hundred rows."""
    found = db.session.scalars(
        select(AssetSoftware)
        .join(AssetSoftware.title)
        .options(contains_eager(AssetSoftware.title))
        .where(*asset_conditions(asset_id, search))
        .order_by(SoftwareTitle.normalized_name, AssetSoftware.version, AssetSoftware.id)
    )
    return list(found)


def asset_conditions(
    asset_id: int, search: str = "", gone: bool | None = None
) -> list[ColumnElement[bool]]:
    """Of installs of the asset; without `gone` of those that it has and of those that it had."""
    columns = (SoftwareTitle.name, SoftwareTitle.publisher, AssetSoftware.version)
    conditions = [any_contains(columns, word) for word in split_words(search)]
    if gone is not None:
        removed_at = AssetSoftware.removed_at
        conditions.append(removed_at.is_not(None) if gone else removed_at.is_(None))
    return [AssetSoftware.asset_id == asset_id, *conditions]


def list_changes(installs: list[AssetSoftware]) -> list[SoftwareHistoryEntry]:
    """What came and what went, the newest first."""
    changes = [SoftwareHistoryEntry(each, each.first_seen_at, went=False) for each in installs]
    changes += [
        SoftwareHistoryEntry(each, each.removed_at, went=True)
        for each in installs
        if each.removed_at
    ]
    return sorted(changes, key=lambda change: change.at, reverse=True)
