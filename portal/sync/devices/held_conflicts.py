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
from portal.models import Asset, AssetConflict
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
    """Of agents by id: these columns of their assets, or all that is held of the agent itself, are
    held no more. Where nothing is left, the question is settled as gone."""
    named = [agent_id for agent_id, columns in released.items() if columns is not None]
    found = list(_load(session, integration_id, list(released)).items())
    found += _load_inherited(session, integration_id, named)
    for agent_id, conflict in found:
        columns = released[agent_id]
        held = dict(conflict.evidence["held"])
        left = {} if columns is None else {k: v for k, v in held.items() if k not in set(columns)}
        if left == held:
            continue
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


def _load_inherited(
    session: Session, integration_id: int, agent_ids: Sequence[str]
) -> list[tuple[str, AssetConflict]]:
    """What is held of assets that these agents have, and of other agents: those that the assets
    had before, or that went into them. Each with the agent that has the asset."""
    found: list[tuple[str, AssetConflict]] = []
    for some in chunked(agent_ids, IDS_AT_ONCE):
        rows = session.execute(
            select(Asset.rmm_device_id, AssetConflict)
            .join(AssetConflict, AssetConflict.asset_id == Asset.id)
            .where(
                Asset.integration_id == integration_id,
                Asset.rmm_device_id.in_(some),
                AssetConflict.agent_id != Asset.rmm_device_id,
                is_open(),
            )
            .order_by(AssetConflict.id)
            .with_for_update(of=AssetConflict)
            .execution_options(populate_existing=True)
        )
        found += [(row[0], row[1]) for row in rows]
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
