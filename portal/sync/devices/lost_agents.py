"""Agents without an asset that Tactical has no more: nothing is to be asked about them."""

from __future__ import annotations

from collections.abc import Collection

from sqlalchemy import select, update

from portal.chunks import chunked
from portal.clock import utc_now
from portal.db import count_changed, db, release, transaction
from portal.models import AssetConflict
from portal.models.assets.conflict import Settlement
from portal.tactical.api import Tactical

IDS_AT_ONCE = 1000


def settle_lost(tactical: Tactical, integration_id: int, agent_ids: Collection[str]) -> set[str]:
    """Settle as gone what is asked about agents without an asset that a listing which proves it did
    not have, once a second one, of another endpoint, does not have them either.

    The agents without those that are there after all. Raises TacticalError and EgressError.
    """
    conflict = AssetConflict
    open_ones = (
        conflict.integration_id == integration_id,
        conflict.asset_id.is_(None),
        conflict.settled_at.is_(None),
    )
    if not agent_ids:
        return set()
    asked = set(db.session.scalars(select(conflict.agent_id).where(*open_ones)))
    release()
    asked &= set(agent_ids)
    absent = tactical.find_absent(asked) if asked else set()
    gone = {"settled_at": utc_now(), "settled_as": Settlement.GONE}
    for some in chunked(sorted(absent), IDS_AT_ONCE):
        these = (*open_ones, conflict.agent_id.in_(some))
        with transaction() as session:
            count_changed(session, update(conflict).where(*these).values(**gone))
    return set(agent_ids) - (asked - absent)
