"""What is known of an alert from its webhook alone, while Tactical's own record is out of reach."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import case, select
from sqlalchemy.orm import Session

from portal.clock import utc_now
from portal.models import Alert, Asset
from portal.models.alerts.alert import AlertSource, AlertStatus, Severity
from portal.sync.alerts.alert_events import EVENT_COLUMNS
from portal.sync.alerts.links import find_asset_ids
from portal.sync.alerts.locks import lock_alerts
from portal.sync.alerts.news import BY_HINT, GONE, News, tell_news
from portal.tactical.webhook import RESOLVE, TRIGGER, Hint


def write_hint(session: Session, integration_id: int, hint: Hint) -> tuple[int | None, str]:
    """Note an unconfirmed alert, or its resolving; its id and what was done.

    Tactical's own record is left alone: the hint may be forged or late, and the record will
    be asked for again.
    """
    lock_alerts(session, integration_id)
    known = _find_alert(session, integration_id, hint)
    is_resolve = hint.event == RESOLVE
    if known is None or _is_next(hint, known):
        alert = _add_alert(session, integration_id, hint)
        return alert.id, "Added the alert, which Tactical has not confirmed yet."
    if known.confirmed_at is not None:
        return known.id, "Nothing changed: Tactical's own record of the alert is used instead."
    if is_resolve and known.status is not AlertStatus.RESOLVED:
        known.status = AlertStatus.RESOLVED
        known.resolved_at = hint.resolved_on or utc_now()
        known.snoozed_until = known.snoozed_by = None
        _tell(session, known, "A webhook says that it is resolved.")
        return known.id, "Marked the alert as resolved."
    if not is_resolve and known.status is AlertStatus.RESOLVED and _is_newer(hint, known):
        known.status, known.resolved_at = AlertStatus.ACTIVE, None
        known.triggered_at = hint.alert_time or utc_now()
        known.occurrences += 1
        _tell(session, known, BY_HINT)
        return known.id, "Marked the alert as active again."
    return known.id, "The alert was already up to date."


def _is_next(hint: Hint, known: Alert) -> bool:
    """A trigger that names no alert, after the record of its condition's last one was closed."""
    return (
        hint.alert_id is None
        and hint.event == TRIGGER
        and known.external_alert_id is not None
        and known.status is AlertStatus.RESOLVED
        and _is_newer(hint, known)
    )


def close_vanished(session: Session, integration_id: int, hint: Hint) -> tuple[int | None, str]:
    """Tactical has no such alert: it was deleted with its agent, check or task.

    Returns its id, if it is known here, and what was done.
    """
    lock_alerts(session, integration_id)
    known = _find_alert(session, integration_id, hint)
    if known is None:
        return None, "Tactical no longer has this alert."
    if known.status is AlertStatus.RESOLVED:
        return known.id, "Tactical no longer has this alert."
    close_alert(session, known, utc_now())
    return known.id, "Tactical no longer has this alert, so it was closed."


def close_alert(session: Session, alert: Alert, at: datetime) -> None:
    """Close an alert that Tactical does not have any more."""
    alert.status, alert.resolved_at, alert.confirmed_at = AlertStatus.RESOLVED, at, utc_now()
    alert.snoozed_until = alert.snoozed_by = None
    _tell(session, alert, GONE)


def _find_alert(session: Session, integration_id: int, hint: Hint) -> Alert | None:
    """By Tactical's id; without one, the open alert of the same condition, or its last one."""
    alerts = (
        select(Alert)
        .where(Alert.integration_id == integration_id)
        .execution_options(populate_existing=True)
    )
    if hint.alert_id is not None:
        return session.scalar(alerts.where(Alert.external_alert_id == hint.alert_id))
    is_closed = case((Alert.status == AlertStatus.RESOLVED, 1), else_=0)
    return session.scalar(
        alerts.where(Alert.condition == hint.condition)
        .order_by(is_closed, Alert.triggered_at.desc(), Alert.id.desc())
        .limit(1)
    )


def find_open_id(session: Session, integration_id: int, hint: Hint) -> str | None:
    """Tactical's id of the open alert that a hint without an id must mean, if there is one."""
    known = _find_alert(session, integration_id, hint)
    return known.external_alert_id if known and known.status is not AlertStatus.RESOLVED else None


def _add_alert(session: Session, integration_id: int, hint: Hint) -> Alert:
    asset = _find_asset(session, integration_id, hint.agent_id)
    is_resolved = hint.event == RESOLVE
    alert = Alert(
        integration_id=integration_id,
        external_alert_id=hint.alert_id,
        condition=hint.condition,
        agent_id=hint.agent_id,
        asset_id=asset.id if asset else None,
        external_organization_id=asset.rmm_organization_id if asset else hint.client_id,
        hostname=asset.name if asset else None,
        alert_type=hint.alert_type or "custom",
        severity=Severity(hint.severity or Severity.ERROR),
        message=hint.message,
        status=AlertStatus.RESOLVED if is_resolved else AlertStatus.ACTIVE,
        triggered_at=hint.alert_time or utc_now(),
        resolved_at=(hint.resolved_on or utc_now()) if is_resolved else None,
        source=AlertSource.WEBHOOK,
        external_check_id=hint.check_id,
        external_task_id=hint.task_id,
        occurrences=1,
    )
    session.add(alert)
    session.flush()
    _tell(session, alert, BY_HINT, is_first=True)
    return alert


def _find_asset(session: Session, integration_id: int, agent_id: str) -> Asset | None:
    asset_ids = find_asset_ids(session, integration_id, [agent_id])
    return session.get(Asset, asset_ids[agent_id]) if asset_ids else None


def _is_newer(hint: Hint, known: Alert) -> bool:
    """A trigger that comes after its own resolve is late news, not a new outage."""
    return hint.alert_time is None or hint.alert_time > known.triggered_at


def _tell(session: Session, alert: Alert, text: str, is_first: bool = False) -> None:
    names = (*EVENT_COLUMNS, "condition")
    news = News(alert.id, {name: getattr(alert, name) for name in names}, text, is_first)
    tell_news(session, alert.integration_id, [news], confirmed=alert.confirmed_at is not None)
