"""The room that the bodies of a tenant's deliveries take up: a sum kept with them, and a limit."""

from __future__ import annotations

import time
from collections.abc import Sequence
from dataclasses import dataclass

from flask import current_app
from sqlalchemy import Row, func, select, update
from sqlalchemy.orm import Session

from portal.config import Settings
from portal.db import db, release, transaction
from portal.models import Delivery, WebhookUsage
from portal.models.deliveries.delivery import HAS_SETTLED_BODY
from portal.scope import all_tenants, tenant_scope

MIB = 1024 * 1024
TRIMMED_TO = 0.9
"""Of the limit, so that room is not made anew for every delivery."""
ROWS_AT_ONCE = 500
TURN_SECONDS = 0.5
"""For each tenant; what is left to do then is done by the next tick."""


@dataclass(frozen=True, slots=True)
class Storage:
    """Bytes of the scope's tenant. `must_wait`: what is over the limit waits to be processed."""

    used: int
    limit: int
    must_wait: bool

    @property
    def percent(self) -> int:
        return min(round(100 * self.used / self.limit), 100)


def get_storage() -> Storage:
    used = db.session.scalar(select(WebhookUsage.body_bytes)) or 0
    limit = _limit()
    settled = select(Delivery.id).where(HAS_SETTLED_BODY).limit(1)
    return Storage(used, limit, used > limit and db.session.scalar(settled) is None)


def trim_bodies() -> None:
    """Drop the oldest bodies of tenants that are over the limit. Across tenants.

    Of what is settled only: what waits to be processed is kept, however much it is.
    """
    with all_tenants():
        over = select(WebhookUsage.tenant_id).where(WebhookUsage.body_bytes > _limit())
        tenants = db.session.scalars(over).all()
    release()
    for tenant_id in tenants:
        give_up = time.monotonic() + TURN_SECONDS
        with tenant_scope(tenant_id):
            while _trim_some() and time.monotonic() < give_up:
                pass


def free_room(session: Session, delivery_ids: Sequence[int]) -> None:
    """Subtract deliveries that are about to be deleted in this transaction."""
    usage = _lock_usage(session)
    kept = select(func.sum(Delivery.kept_bytes)).where(Delivery.id.in_(delivery_ids))
    if usage is not None:
        usage.body_bytes -= int(session.scalar(kept) or 0)


def _trim_some() -> bool:
    """Whether any body was dropped."""
    with transaction() as session:
        usage = _lock_usage(session)
        if usage is None:
            return False
        excess = usage.body_bytes - round(_limit() * TRIMMED_TO)
        oldest = session.execute(
            select(Delivery.id, Delivery.kept_bytes)
            .where(HAS_SETTLED_BODY)
            .order_by(Delivery.id)
            .limit(ROWS_AT_ONCE)
        ).all()
        ids, freed = _choose(oldest, excess)
        session.execute(
            update(Delivery)
            .where(Delivery.id.in_(ids))
            .values(body="", kept_bytes=0)
            .execution_options(synchronize_session=False)
        )
        usage.body_bytes -= freed
    return bool(ids)


def _choose(oldest: Sequence[Row[int, int]], excess: int) -> tuple[list[int], int]:
    """As many as are needed, and the bytes that they free."""
    ids, freed = [], 0
    for delivery_id, size in oldest:
        if freed >= excess:
            break
        ids.append(delivery_id)
        freed += size
    return ids, freed


def _lock_usage(session: Session) -> WebhookUsage | None:
    """Before any delivery is locked: intake locks it first too."""
    return session.scalars(
        select(WebhookUsage).with_for_update().execution_options(populate_existing=True)
    ).first()


def _limit() -> int:
    settings: Settings = current_app.extensions["settings"]
    return settings.webhook_storage * MIB
