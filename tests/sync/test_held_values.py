"""What reverts took back of two assets stays so after both became one."""

from __future__ import annotations

import pytest

from portal.db import db
from portal.models import Asset, AssetConflict
from portal.models.assets.conflict import REVERTED
from portal.services.assets.merge import merge_assets
from tests.assets.tables import get, import_pair, see_last
from tests.runs.test_reverting import revert
from tests.support.msp import Msp

pytestmark = pytest.mark.mainly("postgresql")


def told(asset_id: int) -> tuple[str, str, str]:
    asset = get(Asset, asset_id)
    return asset.rmm_device_id, asset.name, asset.description


def open_ones() -> list[str]:
    found = db.session.query(AssetConflict).filter_by(kind=REVERTED, settled_at=None).all()
    db.session.rollback()
    return [each.agent_id for each in found]


def test_both_are_respected_and_each_ends_when_tactical_changes_it(msp: Msp) -> None:
    keep_id, other_id = import_pair(msp)
    agents = msp.tactical.control.agents
    (keep, *_), (other, name, description) = told(keep_id), told(other_id)
    agents.edit(agent_id=keep, hostname="ONE")
    agents.edit(agent_id=other, description="Front desk")
    revert(msp.sync())
    agents.edit(agent_id=other, hostname="ONE")
    see_last(other_id, keep_id)
    merge_assets(keep_id, other_id)
    for _ in range(2):
        msp.sync()
        assert told(keep_id) == (other, name, description)
    agents.edit(agent_id=other, hostname="TWO")
    msp.sync()
    assert told(keep_id) == (other, "TWO", description)
    assert open_ones() == [other]
    agents.edit(agent_id=other, description="Back office")
    msp.sync()
    assert told(keep_id) == (other, "TWO", "Back office")
    assert open_ones() == []
