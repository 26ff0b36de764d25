"""Assets that were removed or merged into others: kept for a while, and their addresses lead on."""

from __future__ import annotations

from datetime import timedelta

from sqlalchemy import and_, or_, select

from portal.clock import utc_now
from portal.db import db
from portal.errors import NotFound
from portal.models import Asset, RemovedAsset
from portal.services.assets.history import KEPT_DAYS
from portal.services.lists.pruning import delete_in_parts

KEPT_FOR = timedelta(days=30)
"""So long a run can be undone: what removed assets had is kept for as long."""
DELETED_KEPT_FOR = timedelta(days=KEPT_DAYS)
"""What is kept of one that was deleted for good, for the lists of past days: as long as the history
of the others."""
PRUNED_AT_ONCE = 100
"""One may have thousands of software entries."""


class AssetMerged(NotFound):
    """The asset went into another one, where whoever asks for it is led."""

    def __init__(self, into_id: int, into_name: str) -> None:
        super().__init__(f"This asset was merged into {into_name}.")
        self.into_id = into_id


def find_merged(asset_id: int) -> AssetMerged | None:
    """What became of an asset that is no more; None where it was not merged."""
    found = db.session.execute(
        select(Asset.id, Asset.name)
        .join(RemovedAsset, RemovedAsset.into_asset_id == Asset.id)
        .where(RemovedAsset.asset_id == asset_id)
    ).first()
    return None if found is None else AssetMerged(found.id, found.name)


def prune_removed_assets() -> int:
    """Delete what nothing can be made of any more; how many. What was merged goes on to lead to
    the asset that it went into."""
    now, table = utc_now(), RemovedAsset
    is_deleted, at = table.run_id.is_(None), table.removed_at
    is_old = or_(and_(~is_deleted, at < now - KEPT_FOR), at < now - DELETED_KEPT_FOR)
    old = select(table.id).where(is_old, table.into_asset_id.is_(None)).limit(PRUNED_AT_ONCE)
    return delete_in_parts(RemovedAsset, lambda: db.session.scalars(old).all())
