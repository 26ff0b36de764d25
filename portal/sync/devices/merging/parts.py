"""What refers to one of two assets that become one, but for what only belongs to it."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import ColumnElement, or_, select, update
from sqlalchemy.orm import Session

from portal.models import (
    Asset,
    AssetConflict,
    AssetTag,
    ExternalEntityMapping,
    SupersededAgent,
    Ticket,
)
from portal.models.assets.conflict import Settlement
from portal.models.tickets.ticket import LIVE
from portal.sync.devices.merging.snapshots import row_to_json
from portal.sync.history import to_json
from portal.sync.runs.cause import Cause


@dataclass(frozen=True, slots=True)
class Pair:
    """`other` goes into `keep`, which has the agent of `current` then: one of the two."""

    keep: Asset
    other: Asset
    current: Asset

    @property
    def loser(self) -> Asset:
        return self.keep if self.current is self.other else self.other

    @property
    def ids(self) -> tuple[int, int]:
        return self.keep.id, self.other.id


def supersede_loser(
    session: Session, pair: Pair, cause: Cause, at: datetime
) -> list[dict[str, Any]]:
    """The agent that is not current leads to the asset from then on; the rows as they were."""
    keep, loser = pair.keep, pair.loser
    superseded = select(SupersededAgent).where(
        or_(
            SupersededAgent.asset_id == pair.other.id,
            *(agent_is(asset.integration_id, asset.rmm_device_id) for asset in (keep, pair.other)),
        )
    )
    rows = list(session.scalars(superseded))
    before = [row_to_json(row) for row in rows]
    for row in rows:
        row.asset_id = keep.id
    by_agent = {(row.integration_id, row.agent_id): row for row in rows}
    own = by_agent.get((pair.current.integration_id, pair.current.rmm_device_id))
    if own is not None:
        session.delete(own)  # it was superseded, and is the agent again
    lost = by_agent.get((loser.integration_id, loser.rmm_device_id))
    if lost is None:
        lost = SupersededAgent(integration_id=loser.integration_id, agent_id=loser.rmm_device_id)
        session.add(lost)
    lost.asset_id, lost.run_id = keep.id, cause.run_id
    lost.superseded_at, lost.revived_at = at, None
    session.flush()
    return before


def agent_is(integration_id: int, agent_id: str) -> ColumnElement[bool]:
    return (SupersededAgent.integration_id == integration_id) & (
        SupersededAgent.agent_id == agent_id
    )


def move_entity(session: Session, pair: Pair) -> dict[int, dict[str, Any]]:
    """The mapping of the current agent is that of the asset; both as they were, by asset id."""
    rows = session.scalars(
        select(ExternalEntityMapping).where(ExternalEntityMapping.asset_id.in_(pair.ids))
    )
    entities = {row.asset_id: row for row in rows}
    before = {asset_id: row_to_json(row) for asset_id, row in entities.items()}
    if lost := entities.get(pair.loser.id):
        session.delete(lost)
    if kept := entities.get(pair.current.id):
        kept.asset_id = pair.keep.id
    session.flush()
    return before


def unite_tags(session: Session, pair: Pair) -> dict[str, Any]:
    """The kept asset has the tags of both; `own`: those of the other one, `came`: those of them
    that the kept one had not; `since`: when its own were put on it."""
    rows = session.execute(
        select(AssetTag.asset_id, AssetTag.tag, AssetTag.added_at).where(
            AssetTag.asset_id.in_(pair.ids)
        )
    ).all()
    since = {tag: to_json(at) for asset_id, tag, at in rows if asset_id == pair.other.id}
    own = set(since)
    came = own - {tag for asset_id, tag, _at in rows if asset_id == pair.keep.id}
    session.execute(
        update(AssetTag)
        .where(AssetTag.asset_id == pair.other.id, AssetTag.tag.in_(came))
        .values(asset_id=pair.keep.id)
        .execution_options(synchronize_session=False)
    )
    return {"own": sorted(own), "came": sorted(came), "since": since}


def move_conflicts(
    session: Session, pair: Pair, cause: Cause, now: datetime
) -> list[dict[str, Any]]:
    """What was asked about the other asset is asked of this one, and what was asked about the two
    is answered; the rows as they were."""
    rows = list(
        session.scalars(
            select(AssetConflict).where(
                or_(
                    AssetConflict.asset_id == pair.other.id,
                    AssetConflict.other_asset_id == pair.other.id,
                )
            )
        )
    )
    before = [row_to_json(row) for row in rows]
    for row in rows:
        _move_conflict(row, pair)
        if row.asset_id == row.other_asset_id:
            row.other_asset_id = None
            if row.settled_at is None:
                row.settled_at, row.settled_as = now, Settlement.MERGE
                row.settled_by = cause.user_id
    session.flush()
    return before


def _move_conflict(row: AssetConflict, pair: Pair) -> None:
    keep_id, other_id = pair.ids
    if row.asset_id == other_id:
        row.asset_id = keep_id
    if row.other_asset_id == other_id:
        row.other_asset_id = keep_id


def move_tickets(
    session: Session, from_id: int, to_id: int, only: Collection[int] | None = None
) -> list[int]:
    """Tickets of one asset become those of another, and so do the outages that they stand for,
    unless that one has a live ticket of the same; their ids. `only`: of these."""
    query = select(Ticket).where(Ticket.asset_id.in_((from_id, to_id))).order_by(Ticket.id)
    found = session.scalars(query).all()
    moved = [
        ticket
        for ticket in found
        if ticket.asset_id == from_id and (only is None or ticket.id in only)
    ]
    taken = {(each.helpdesk_id, each.outage) for each in found if each.status in LIVE}
    for ticket in moved:
        ticket.asset_id = to_id
        what, _, rest = ticket.outage.partition(f"asset {from_id}")
        renamed = f"asset {to_id}{rest}"
        is_its = not what and rest[:1] in ("", " ")
        if is_its and (ticket.helpdesk_id, renamed) not in taken:
            ticket.outage = renamed
    session.flush()
    return [ticket.id for ticket in moved]
