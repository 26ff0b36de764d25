"""Sites whose agents Tactical fails to list: left out for an hour, then asked for again."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import timedelta

from sqlalchemy import delete, select
from sqlalchemy.orm import Session

from portal.clock import utc_now
from portal.db import db, release, transaction, upsert
from portal.models import LeftOutSite
from portal.scope import get_tenant_id
from portal.sync.runs.log import RunLog
from portal.tactical.reading.listings import BrokenSite

LEFT_OUT_FOR = timedelta(hours=1)


def list_left_out(integration_id: int) -> frozenset[int]:
    """Tactical's pks of the sites not to ask for now."""
    found = db.session.scalars(
        select(LeftOutSite.external_site_id).where(
            LeftOutSite.integration_id == integration_id,
            LeftOutSite.failed_at > utc_now() - LEFT_OUT_FOR,
        )
    )
    pks = frozenset(found)
    release()
    return pks


def record_left_out(integration_id: int, broken: Iterable[BrokenSite], run_log: RunLog) -> None:
    """Warn of each, and remember those that failed in this run. Raises RunEnded."""
    with transaction() as session:
        _remember(session, integration_id, [site for site in broken if site.is_new])
    for site in broken:
        run_log.warn(site.describe())


def replace_left_out(session: Session, integration_id: int, broken: Iterable[BrokenSite]) -> None:
    """After everything was asked for anew: these and no others."""
    session.execute(delete(LeftOutSite).where(LeftOutSite.integration_id == integration_id))
    _remember(session, integration_id, broken)


def _remember(session: Session, integration_id: int, broken: Iterable[BrokenSite]) -> None:
    now, tenant_id = utc_now(), get_tenant_id()
    rows = [
        {
            "tenant_id": tenant_id,
            "integration_id": integration_id,
            "external_site_id": pk,
            "failed_at": now,
        }
        for pk in sorted({site.pk for site in broken})
    ]
    if rows:
        unique = ("integration_id", "external_site_id")
        session.execute(upsert(LeftOutSite, unique, ("failed_at",)), rows)
