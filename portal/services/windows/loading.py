"""The maintenance windows that count, as the planners want them."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import Select, or_, select
from sqlalchemy.orm import Session

from portal.models import MaintenanceWindow
from portal.services.windows.terms import Window, read_window


def load_windows(session: Session, now: datetime) -> list[Window]:
    """Those of the scope's tenant that are in force then or may come later, in one statement."""
    return [read_window(row) for row in session.scalars(select_ahead(now))]


def select_ahead(now: datetime) -> Select[MaintenanceWindow]:
    is_ahead = or_(MaintenanceWindow.over_at.is_(None), MaintenanceWindow.over_at > now)
    return (
        select(MaintenanceWindow)
        .where(MaintenanceWindow.deleted_at.is_(None), is_ahead)
        .order_by(MaintenanceWindow.id)
    )
