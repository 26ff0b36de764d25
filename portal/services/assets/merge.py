"""Merging two assets by hand: looked at first, then done as a run that can be taken back."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from portal.clock import utc_now
from portal.db import db, transaction
from portal.models import Alert, Asset, AssetChange, AssetSoftware, SyncRun
from portal.models.runs.sync_run import SyncKind
from portal.services.assets.listing import get_asset
from portal.services.assets.sides import Comparison, compare, side_of
from portal.services.audit.actions import Action
from portal.services.audit.record import Target, record
from portal.services.lists.search import contains
from portal.sync.devices.merging.merge import load_pair, load_set_aside, merge_into
from portal.sync.devices.merging.rules import check_mergeable, choose_current
from portal.sync.runs.log import log_entry
from portal.sync.runs.person_runs import add_person_run, cause_of, record_done

MOST_OFFERED = 20


@dataclass(frozen=True, slots=True)
class MergePreview:
    """`other` goes into `keep`. Counts are of what comes along."""

    keep: Asset
    other: Asset
    current: Asset
    """The one whose agent, and so whose facts, the asset has then."""
    lines: list[Comparison]
    alerts: int
    software: int
    changes: int


def find_partners(asset: Asset, search: str) -> list[Asset]:
    """Assets of the same client that it can be merged with, those of the same name or serial
    number first."""
    alike = (Asset.name == asset.name) | (Asset.serial_number == asset.serial_number)
    found = select(Asset).where(Asset.client_id == asset.client_id, Asset.id != asset.id)
    for word in search.split():
        found = found.where(
            contains(Asset.name, word)
            | contains(Asset.serial_number, word)
            | contains(Asset.rmm_device_id, word)
        )
    order = (alike.desc().nulls_last(), Asset.name, Asset.id)
    return list(db.session.scalars(found.order_by(*order).limit(MOST_OFFERED)))


def preview_merge(keep_id: int, other_id: int) -> MergePreview:
    """Raises NotFound, and Refused where the two cannot be merged."""
    keep, other = get_asset(keep_id), get_asset(other_id)
    set_aside = load_set_aside(db.session())
    check_mergeable(keep, other, set_aside)
    alerts, software, changes = (
        db.session.scalar(select(func.count()).where(table.asset_id == other_id)) or 0
        for table in (Alert, AssetSoftware, AssetChange)
    )
    lines = compare(side_of(keep), side_of(other))
    current = choose_current(keep, other, set_aside)
    return MergePreview(keep, other, current, lines, alerts, software, changes)


def merge_assets(keep_id: int, other_id: int, user_id: int | None = None) -> SyncRun:
    """The run that stands for it. Raises NotFound and Refused."""
    for asset_id in (keep_id, other_id):
        get_asset(asset_id)  # of one that was merged, it says into what
    with transaction() as session:
        pair = select(Asset.name).where(Asset.id.in_([keep_id, other_id])).order_by(Asset.id)
        before = {"assets": list(session.scalars(pair))}
        run = merge_as_run(session, keep_id, other_id, user_id)
        keep = session.get_one(Asset, keep_id)
        after = {"assets": [keep.name], "merged_asset_id": other_id}
        after |= {"run_id": run.id, "did": run.title}
        record(Action.ASSETS_MERGED, Target("asset", keep_id, keep.name), before, after)
    return run


def merge_as_run(
    session: Session,
    keep_id: int,
    other_id: int,
    user_id: int | None,
    agent_of: int | None = None,
    notes: Sequence[str] = (),
) -> SyncRun:
    """In the caller's transaction; `agent_of` as `merge_into` has it. `notes` are sentences for
    the log."""
    keep, other, set_aside = load_pair(session, keep_id, other_id)
    title, entry = f"Merged {other.name} into {keep.name}", (other.rmm_device_id, other.name)
    in_use = other if keep.integration_id in set_aside else keep
    run = add_person_run(session, in_use.integration_id, SyncKind.MERGE, title, user_id)
    merge_into(session, keep_id, other_id, cause_of(run), utc_now(), agent_of)
    reason = " ".join([f"{title}.", *notes])
    counts = {"updated": 1, "removed": 1}
    record_done(session, run, counts, [log_entry("merged", *entry, reason)])
    return run
