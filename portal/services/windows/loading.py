"""The maintenance windows that count, as the planners want them."""

from __future__ import annotations

import logging
from datetime import datetime

from sqlalchemy import Select, or_, select
from sqlalchemy.orm import Session

from portal.errors import InvalidInput
from portal.models import MaintenanceWindow
from portal.services.windows.terms import Window, read_window

log = logging.getLogger(__name__)


def load_windows(session: Session, now: datetime) -> list[Window]:
    """Those of the scope's tenant that are in force then or may come later, in one statement. One
    that cannot be read keeps nothing back, and nothing else waits for it."""
    found = (_read(row) for row in session.scalars(select_ahead(now)))
    return [window for window in found if window is not None]


def _read(row: MaintenanceWindow) -> Window | None:
    try:
        return read_window(row)
    except InvalidInput as error:
        log.warning("Maintenance window %s keeps nothing back: %s", row.id, error)
        return None


def select_ahead(now: datetime) -> Select[MaintenanceWindow]:
    is_ahead = or_(MaintenanceWindow.over_at.is_(None), MaintenanceWindow.over_at > now)
    return (
        select(MaintenanceWindow)
        .where(MaintenanceWindow.deleted_at.is_(None), is_ahead)
        .order_by(MaintenanceWindow.id)
    )
