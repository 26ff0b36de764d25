"""What a maintenance window kept back, and what became of it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from sqlalchemy import Select, func, select

from portal.db import db
from portal.models import Alert, AlertHandling
from portal.models.alerts.handling import HandlingState
from portal.services.lists.paging import Page, paginate

OUTCOMES = {
    HandlingState.HELD: "Kept back",
    HandlingState.UNDECIDED: "Looked at after the window",
    HandlingState.ACTED: "Acted on at its end",
    HandlingState.IGNORED: "Ignored by a rule at its end",
    HandlingState.SILENT: "Stayed silent",
}


_COLUMNS: tuple[Any, ...] = (AlertHandling, Alert)


@dataclass(frozen=True, slots=True)
class KeptBack:
    handling: AlertHandling
    alert: Alert

    @property
    def outcome(self) -> str:
        return OUTCOMES[HandlingState(self.handling.state)]


def list_kept_back(window_id: int, page: int) -> Page[KeptBack]:
    """The latest first."""
    is_its = AlertHandling.window_id == window_id
    rows: Select[Any] = (
        select(*_COLUMNS)
        .join(Alert, Alert.id == AlertHandling.alert_id)
        .where(is_its)
        .order_by(AlertHandling.id.desc())
    )
    total = select(func.count(AlertHandling.id)).where(is_its)
    return paginate(rows, total, page, _to_kept_back)


def count_kept_back(window_id: int) -> dict[HandlingState, int]:
    rows = db.session.execute(
        select(AlertHandling.state, func.count(AlertHandling.id))
        .where(AlertHandling.window_id == window_id)
        .group_by(AlertHandling.state)
    )
    return {HandlingState(state): number for state, number in rows}


def _to_kept_back(row: Any) -> KeptBack:
    handling, alert = row
    return KeptBack(handling, alert)
