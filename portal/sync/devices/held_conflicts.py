"""What a revert took back, as open conflicts of the kind `reverted`: one for each agent."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import ColumnElement, and_, select
from sqlalchemy.orm import Session

from portal.chunks import chunked
from portal.clock import utc_now
from portal.db import insert
from portal.models import AssetConflict
from portal.models.assets.conflict import REVERTED, Settlement
from portal.scope import get_tenant_id
from portal.sync.devices.held import LISTED

IDS_AT_ONCE = 1000
MERGED = "merged"
"""The action of a merge that was taken back: `Held.asset_id` is of the asset that is there again.
"""


@dataclass(frozen=True, slots=True)
class Held:
    """`values` is `{column: Tactical's value}`. Without an asset, what its agent was."""

    agent_id: str
    asset_id: int | None
    name: str
    action: str
    values: Mapping[str, Any]


def is_open() -> ColumnElement[bool]:
    return and_(AssetConflict.kind == REVERTED, AssetConflict.settled_at.is_(None))


def hold(session: Session, integration_id: int, run_id: int, items: Sequence[Held]) -> None:
    """Have the sync leave this alone. What is held already of the same agent stays so."""
    known = _load(session, integration_id, [item.agent_id for item in items])
    new = []
    for item in items:
        conflict = known.get(item.agent_id)
        if conflict is None:
            new.append(_row(integration_id, run_id, item))
            continue
        values = dict(conflict.evidence["held"]) | dict(item.values)
        conflict.asset_id, conflict.run_id = item.asset_id, run_id
        conflict.evidence = {"held": values, "action": item.action, "name": item.name}
        conflict.reason = _reason(item)
    session.flush()
    if new:
        session.execute(insert(AssetConflict), new)


def release_held(
    session: Session, integration_id: int, released: Mapping[str, Iterable[str] | None]
) -> None:
    """Of agents by id: these columns, or all of them, are held no more. Where nothing is left, the
    question is settled as gone."""
    for agent_id, conflict in _load(session, integration_id, list(released)).items():
        columns = released[agent_id]
        held = dict(conflict.evidence["held"])
        left = {} if columns is None else {k: v for k, v in held.items() if k not in set(columns)}
        conflict.evidence = {**conflict.evidence, "held": left or held}
        if not left:
            conflict.settled_at, conflict.settled_as = utc_now(), Settlement.GONE
    session.flush()


def list_unmarked(session: Session, integration_id: int) -> set[str]:
    """Agents whose assets a revert took the mark as missing from."""
    rows = session.execute(
        select(AssetConflict.agent_id, AssetConflict.evidence).where(
            AssetConflict.integration_id == integration_id, is_open()
        )
    )
    return {row.agent_id for row in rows if row.evidence["held"].get(LISTED) is True}


def _load(
    session: Session, integration_id: int, agent_ids: Sequence[str]
) -> dict[str, AssetConflict]:
    found: dict[str, AssetConflict] = {}
    for some in chunked(agent_ids, IDS_AT_ONCE):
        rows = session.scalars(
            select(AssetConflict)
            .where(
                AssetConflict.integration_id == integration_id,
                AssetConflict.agent_id.in_(some),
                is_open(),
            )
            .order_by(AssetConflict.id)
            .with_for_update()
            .execution_options(populate_existing=True)
        )
        found |= {row.agent_id: row for row in rows}
    return found


def _row(integration_id: int, run_id: int, item: Held) -> dict[str, Any]:
    now = utc_now()
    return {
        "tenant_id": get_tenant_id(),
        "integration_id": integration_id,
        "kind": REVERTED,
        "agent_id": item.agent_id,
        "asset_id": item.asset_id,
        "other_asset_id": None,
        "reason": _reason(item),
        "evidence": {"held": dict(item.values), "action": item.action, "name": item.name},
        "run_id": run_id,
        "opened_at": now,
        "seen_at": now,
        "settled_at": None,
        "settled_as": None,
        "settled_by": None,
    }


def _reason(item: Held) -> str:
    if item.asset_id is None:
        return (
            f"{item.name} was removed when a run was undone. The sync does not create it again "
            "until Tactical changes it or you apply it."
        )
    if item.action == MERGED:
        return (
            f"{item.name} was merged into the older asset with its serial number, and that was "
            "undone. Syncs keep both assets until Tactical changes the serial number or you apply "
            "the merge."
        )
    return (
        f"What Tactical says of {item.name} was undone. The sync leaves it so until Tactical "
        "changes it or you apply it."
    )
