"""Assets that were merged into others: their addresses lead on."""

from __future__ import annotations

from sqlalchemy import select

from portal.db import db
from portal.errors import NotFound
from portal.models import Asset, RemovedAsset


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
