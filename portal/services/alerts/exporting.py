"""Alerts as rows of plain values: see `portal.services.export`."""

from __future__ import annotations

from collections.abc import Collection, Iterator

from portal.db import db
from portal.models import Alert
from portal.services.alerts.filters import AlertFilter, alert_conditions
from portal.services.alerts.listing import AlertRow, query_alerts
from portal.services.export import ROWS_AT_ONCE, Row
from portal.services.plain import plain
from portal.services.tickets.listing import TicketRow, list_current, to_short

ALERT_COLUMNS = (
    "external_alert_id",
    "agent_id",
    "asset",
    "client",
    "alert_type",
    "severity",
    "message",
    "status",
    "triggered_at",
    "resolved_at",
    "source",
    "occurrences",
    "acknowledged_by",
    "rule",
    "window",
    "alert_id",
    "ticket_ref",
    "ticket_url",
    "ticket_state",
    "snoozed_until",
    "snoozed_by",
)


def export_alerts(
    shown: AlertFilter | None = None, ids: Collection[int] | None = None
) -> Iterator[Row]:
    """The alerts that the filter shows, the oldest first; or these alone."""
    chosen = alert_conditions(shown or AlertFilter()) if ids is None else [Alert.id.in_(ids)]
    found = db.session.scalars(
        query_alerts(*chosen)
        .order_by(Alert.triggered_at, Alert.id)
        .execution_options(yield_per=ROWS_AT_ONCE)
    )
    for part in found.partitions():
        tickets = list_current([alert.id for alert in part])
        for row in map(AlertRow, part):
            yield to_alert_row(row, tickets.get(row.alert.id))


def to_alert_row(row: AlertRow, ticket: TicketRow | None) -> Row:
    """`ticket`: that of the present occurrence."""
    handling = row.alert.handling
    names = {
        "asset": row.alert.asset.name if row.alert.asset else None,
        "client": row.client.name if row.client else None,
        "acknowledged_by": handling.acknowledged_by if handling else None,
        "rule": handling.rule_name if handling else None,
        "window": handling.window_name if handling else None,
        "alert_id": str(row.alert.id),
        **to_short(ticket),
    }
    return {
        name: names[name] if name in names else plain(getattr(row.alert, name))
        for name in ALERT_COLUMNS
    }
