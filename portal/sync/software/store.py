"""What is stored of software: a fixed handful of statements for the lists of many agents."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import ColumnElement, func, select, update
from sqlalchemy.orm import Session

from portal.chunks import chunked
from portal.clock import utc_now
from portal.db import add_rows, insert, upsert
from portal.models import Asset, AssetSoftware, ExternalEntityMapping, SoftwareTitle, SyncRun
from portal.models.runs.sync_run import COMPLETED, SyncKind
from portal.scope import get_tenant_id
from portal.sync.software.plan import Installs, KnownInstall, SoftwarePlan, TitleKey
from portal.sync.software.products import refresh_products
from portal.sync.software.watches import look_at_watches
from portal.tactical.reading.software_entries import Title

VALUES_AT_ONCE = 10_000
"""In one statement: SQLite takes 32,766, PostgreSQL 65,535."""
ROWS_AT_ONCE = 1000

_Stored = tuple[int, str, str]
"""Id, name and publisher of a title."""


def load_agents(session: Session, integration_id: int) -> dict[str, tuple[int, str]]:
    """Asset id and name, by agent_id."""
    rows = session.execute(
        select(ExternalEntityMapping.external_entity_id, Asset.id, Asset.name)
        .join(Asset, Asset.id == ExternalEntityMapping.asset_id)
        .where(ExternalEntityMapping.integration_id == integration_id)
    )
    return {row[0]: (row[1], row[2]) for row in rows}


def load_installs(session: Session, asset_ids: Sequence[int]) -> dict[int, Installs]:
    """What each asset has and had. The assets are locked, so that only one process writes it."""
    locked = session.scalars(
        select(Asset.id).where(Asset.id.in_(asset_ids)).order_by(Asset.id).with_for_update()
    )
    found: dict[int, Installs] = {asset_id: {} for asset_id in locked}
    rows = session.execute(
        select(
            AssetSoftware.asset_id,
            AssetSoftware.title_id,
            AssetSoftware.version,
            AssetSoftware.id,
            AssetSoftware.installed_on,
            AssetSoftware.removed_at.is_not(None),
        ).where(AssetSoftware.asset_id.in_(list(found)))
    )
    for asset_id, title_id, version, install_id, installed_on, removed in rows:
        found[asset_id][title_id, version] = KnownInstall(install_id, installed_on, bool(removed))
    return found


def get_title_ids(
    session: Session, titles: Mapping[TitleKey, Title], now: datetime
) -> dict[TitleKey, int]:
    """The ids of these titles, by key; the catalogue gets those that it lacks."""
    found = _find_title_ids(session, titles)
    # In order, so that two processes do not wait for each other's.
    missing = sorted(titles.keys() - found.keys())
    if not missing:
        return found
    rows = [_title_row(titles[key], now) for key in missing]
    session.execute(insert(SoftwareTitle).on_conflict_do_nothing(), rows)
    return found | _find_title_ids(session, missing)


def respell_titles(session: Session, chosen: Mapping[TitleKey, Title]) -> None:
    """Have the catalogue spell these titles so; it has them all."""
    stored = _find_titles(session, chosen)
    differing = sorted(
        key
        for key, title in chosen.items()
        if key in stored and stored[key][1:] != (title.name, title.publisher)
    )
    now = utc_now()
    for keys in chunked(differing, ROWS_AT_ONCE):
        unique = ("tenant_id", "normalized_name", "normalized_publisher")
        statement = upsert(SoftwareTitle, unique, ("name", "publisher"))
        session.execute(statement, [_title_row(chosen[key], now) for key in keys])


def apply_software(
    session: Session, plan: SoftwarePlan, asset_ids: Sequence[int], now: datetime
) -> None:
    """Write the plan, and that the lists of these assets were read."""
    columns = ("asset_id", "title_id", "version", "installed_on")
    same = {"first_seen_at": now}
    if plan.added:
        add_rows(session, AssetSoftware, same, columns, plan.added)
    if plan.dated:
        own: dict[str, Any] = {"tenant_id": get_tenant_id(), "removed_at": None, **same}
        unique = ("asset_id", "title_id", "version")
        rows = [own | each._asdict() for each in plan.dated]
        session.execute(upsert(AssetSoftware, unique, ("installed_on",)), rows)
    _set_removed(session, plan.removed, now)
    _set_removed(session, plan.returned, None)
    session.execute(
        update(Asset)
        .where(Asset.id.in_(asset_ids))
        .values(software_read_at=now)
        .execution_options(synchronize_session=False)
    )


def list_uncounted_titles(session: Session, integration_id: int, run_id: int) -> set[int]:
    """Every title, when this ingest or the one before it broke off: one that was killed had no
    time to count what it touched."""
    runs = (
        select(SyncRun.status, SyncRun.fencing_number)
        .where(
            SyncRun.integration_id == integration_id,
            SyncRun.kind == SyncKind.SOFTWARE,
            SyncRun.id <= run_id,
        )
        .order_by(SyncRun.id.desc())
        .limit(2)
    )
    this, *before = session.execute(runs).all()
    broke_off = this.fencing_number > 1 or any(run.status not in COMPLETED for run in before)
    return set(session.scalars(select(SoftwareTitle.id))) if broke_off else set()


def refresh_counts(session: Session, title_ids: Iterable[int]) -> None:
    """Count anew on how many assets, and in how many versions, these titles and their products
    are installed, and look whether that matches a watch.

    The lock lets installs be added meanwhile, which hold their title too.
    """
    counted = sorted(title_ids)
    for ids in chunked(counted, VALUES_AT_ONCE):
        session.execute(
            select(SoftwareTitle.id)
            .where(SoftwareTitle.id.in_(ids))
            .order_by(SoftwareTitle.id)
            .with_for_update(key_share=True)
        )
        session.execute(
            update(SoftwareTitle)
            .where(SoftwareTitle.id.in_(ids))
            .values(
                asset_count=_installed(AssetSoftware.asset_id),
                version_count=_installed(AssetSoftware.version),
            )
            .execution_options(synchronize_session=False)
        )
    product_ids = refresh_products(session, counted)
    if product_ids:
        look_at_watches(session, product_ids)


def recount_software_of(session: Session, asset_ids: Iterable[int]) -> None:
    """When assets become missing, what they have does not count; when they return, it does."""
    titles: set[int] = set()
    for ids in chunked(list(asset_ids), VALUES_AT_ONCE):
        titles.update(
            session.scalars(
                select(AssetSoftware.title_id)
                .where(AssetSoftware.asset_id.in_(ids), AssetSoftware.removed_at.is_(None))
                .distinct()
            )
        )
    refresh_counts(session, titles)


def _installed(column: Any) -> ColumnElement[int]:
    """How many values the column has where the title is installed, missing assets aside."""
    missing = select(Asset.id).where(Asset.missing_since.is_not(None))
    return (
        select(func.count(column.distinct()))
        .where(
            AssetSoftware.title_id == SoftwareTitle.id,
            AssetSoftware.removed_at.is_(None),
            AssetSoftware.asset_id.not_in(missing),
        )
        .scalar_subquery()
    )


def _find_title_ids(session: Session, keys: Iterable[TitleKey]) -> dict[TitleKey, int]:
    return {key: row[0] for key, row in _find_titles(session, keys).items()}


def _find_titles(session: Session, keys: Iterable[TitleKey]) -> dict[TitleKey, _Stored]:
    wanted = set(keys)
    found: dict[TitleKey, _Stored] = {}
    for names in chunked(sorted({name for name, _ in wanted}), VALUES_AT_ONCE):
        rows = session.execute(
            select(
                SoftwareTitle.normalized_name,
                SoftwareTitle.normalized_publisher,
                SoftwareTitle.id,
                SoftwareTitle.name,
                SoftwareTitle.publisher,
            ).where(SoftwareTitle.normalized_name.in_(names))
        )
        found |= {(r[0], r[1]): (r[2], r[3], r[4]) for r in rows if (r[0], r[1]) in wanted}
    return found


def _title_row(title: Title, now: datetime) -> dict[str, Any]:
    return {
        "tenant_id": get_tenant_id(),
        "name": title.name,
        "normalized_name": title.normalized_name,
        "publisher": title.publisher,
        "normalized_publisher": title.normalized_publisher,
        "asset_count": 0,
        "version_count": 0,
        "created_at": now,
    }


def _set_removed(session: Session, install_ids: Sequence[int], at: datetime | None) -> None:
    for ids in chunked(install_ids, VALUES_AT_ONCE):
        session.execute(
            update(AssetSoftware)
            .where(AssetSoftware.id.in_(ids))
            .values(removed_at=at)
            .execution_options(synchronize_session=False)
        )
