"""What becomes of two assets that are one computer. Pure: it reads nothing and writes nothing."""

from __future__ import annotations

from collections.abc import Set
from datetime import UTC, datetime
from typing import Any

from portal.errors import Refused
from portal.models import Asset
from portal.models.assets.asset import LOCKS
from portal.sync.devices.facts import FACTS, PLACE

OF_THE_AGENT = (
    "integration_id",
    "rmm_provider",
    "rmm_device_id",
    *PLACE,
    *FACTS,
    "agent_status",
    "status_at",
    "last_rmm_sync_at",
    "missing_since",
    "absent_runs",
)
"""What an asset has from its agent, and from no person."""

_NEVER = datetime.min.replace(tzinfo=UTC)


def check_mergeable(keep: Asset, other: Asset, set_aside: Set[int]) -> None:
    """Raises Refused where the two cannot be one computer, or nobody may say so. `set_aside` are
    ids of integrations."""
    if keep.id == other.id:
        raise Refused("An asset cannot be merged with itself. Choose another one.")
    if keep.client_id != other.client_id and not _is_of_one_place(keep, other):
        raise Refused(
            f"{keep.name} belongs to {keep.client.name} and {other.name} to {other.client.name}. "
            "Only assets of one client can be merged: give them the same client first."
        )
    if keep.integration_id != other.integration_id and not set_aside & {
        keep.integration_id,
        other.integration_id,
    }:
        raise Refused(
            f"{keep.name} and {other.name} come from two connections that are both in use, so "
            "they are kept apart."
        )


def choose_current(keep: Asset, other: Asset, set_aside: Set[int]) -> Asset:
    """The one whose agent the merged asset has: it is asked for, listed, and was seen last."""

    def rank(asset: Asset) -> tuple[bool, bool, datetime, bool]:
        return (
            asset.integration_id not in set_aside,
            asset.missing_since is None,
            asset.last_seen_at or _NEVER,
            asset is keep,
        )

    return max(keep, other, key=rank)


def plan_merged(keep: Asset, other: Asset, current: Asset) -> dict[str, Any]:
    """The columns of `keep` as they shall be. What a person edited stays: of both, what was
    edited on `keep`."""
    values = {name: getattr(current, name) for name in OF_THE_AGENT}
    values["client_id"] = keep.client_id
    for column, lock in LOCKS.items():
        edited = next((asset for asset in (keep, other) if getattr(asset, lock)), None)
        if edited is not None:
            values |= {column: getattr(edited, column), lock: True}
    are_retired = keep.retired_at is not None and other.retired_at is not None
    values["retired_at"] = current.retired_at if are_retired else None
    read = [asset.software_read_at for asset in (keep, other) if asset.software_read_at]
    values["software_read_at"] = max(read, default=None)
    return values | _plan_note(keep, other)


def _plan_note(keep: Asset, other: Asset) -> dict[str, Any]:
    """Nobody's words are lost: of two notes, both."""
    if not other.note or other.note == keep.note:
        return {}
    if not keep.note:
        return {name: getattr(other, name) for name in ("note", "note_at", "note_by")}
    later = max(keep, other, key=lambda asset: asset.note_at or _NEVER)
    note = f"{keep.note}\n\n{other.note}"
    return {"note": note, "note_at": later.note_at, "note_by": later.note_by}


def _is_of_one_place(keep: Asset, other: Asset) -> bool:
    """Of one organization in Tactical, where a person gave one of them to another client."""
    return (
        (keep.client_locked or other.client_locked)
        and keep.integration_id == other.integration_id
        and keep.rmm_organization_id == other.rmm_organization_id
    )
