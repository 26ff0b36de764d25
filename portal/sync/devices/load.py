"""What is stored about the records of one page, in two statements."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace
from itertools import compress
from typing import Any

from sqlalchemy import ColumnElement, Row, and_, select
from sqlalchemy.orm import Session

from portal.db import is_among
from portal.models import Asset, AssetConflict, ExternalEntityMapping, OrganizationMapping
from portal.models.assets.asset import LOCKS
from portal.sync.devices.facts import FACTS, PLACE
from portal.sync.devices.held_conflicts import is_open
from portal.sync.devices.plan import KnownAsset, KnownOrganization

_LOOKS = (
    "agent_status",
    "status_at",
    "last_rmm_sync_at",
    "missing_since",
    "absent_runs",
    "retired_at",
)
_FACT_COLUMNS = (*PLACE, *FACTS)


def load_organizations(session: Session, integration_id: int) -> dict[str, KnownOrganization]:
    """All organization mappings, by Tactical's client pk as text.

    Locked for the transaction, so that nobody maps an organization to another client
    between the plan for a page and its writing.
    """
    rows = session.execute(
        select(
            OrganizationMapping.external_organization_id,
            OrganizationMapping.external_organization_name,
            OrganizationMapping.client_id,
            OrganizationMapping.auto_sync_assets,
        )
        .where(OrganizationMapping.integration_id == integration_id)
        .with_for_update(read=True)
    )
    return {row[0]: KnownOrganization(row[0], row[1], row[2], row[3]) for row in rows}


def lock_in_order(*conditions: ColumnElement[bool]) -> ColumnElement[bool]:
    """For an update of these assets: they are locked in one order for all, so that no two writers
    wait for each other. It would take them as they lie."""
    ids = select(Asset.id).where(*conditions).order_by(Asset.id).with_for_update(of=Asset)
    return Asset.id.in_(ids)


def load_assets(
    session: Session, integration_id: int, agent_ids: Iterable[str]
) -> dict[str, KnownAsset]:
    """The assets of these agents, by agent_id.

    Locked too, so that nobody edits one by hand before the page overwrites it.
    """
    rows = session.execute(
        select(
            Asset.id,
            Asset.rmm_device_id,
            Asset.client_id,
            ExternalEntityMapping.external_pk,
            AssetConflict.evidence,
            *(getattr(Asset, name) for name in (*_LOOKS, *LOCKS.values(), *_FACT_COLUMNS)),
        )
        .join(ExternalEntityMapping, ExternalEntityMapping.asset_id == Asset.id)
        .outerjoin(AssetConflict, and_(AssetConflict.asset_id == Asset.id, is_open()))
        .where(
            Asset.integration_id == integration_id,
            is_among(Asset.rmm_device_id, agent_ids),
        )
        # In one order for all, so that no two writers wait for each other; what is held of the
        # agent itself behind what is held of one whose asset this is by now.
        .order_by(Asset.id, AssetConflict.agent_id == Asset.rmm_device_id, AssetConflict.id)
        .with_for_update(of=Asset)
    )
    found: dict[str, KnownAsset] = {}
    for row in rows:
        agent_id, asset = row[1], _make_known(row)
        earlier = found.get(agent_id)  # there are several where several things are held
        found[agent_id] = replace(asset, held={**earlier.held, **asset.held}) if earlier else asset
    return found


def _make_known(row: Row[*tuple[Any, ...]]) -> KnownAsset:
    """By position: each value of thousands of rows is slow to find by its name."""
    asset_id, _, client_id, external_pk, evidence, status, status_at, *rest = row
    synced_at, missing_since, absent_runs, retired_at, *rest = rest
    return KnownAsset(
        id=asset_id,
        client_id=client_id,
        facts=dict(zip(_FACT_COLUMNS, rest[len(LOCKS) :], strict=True)),
        external_pk=external_pk,
        agent_status=status,
        status_at=status_at,
        synced_at=synced_at,
        missing_since=missing_since,
        absent_runs=absent_runs,
        retired_at=retired_at,
        locks=frozenset(compress(LOCKS, rest)),
        held=evidence["held"] if evidence else {},
    )
