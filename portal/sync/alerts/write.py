"""Deciding what Tactical's word on alerts changes, and writing it in a few statements."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from portal.clock import utc_now
from portal.db import upsert
from portal.models import Alert, OrganizationMapping
from portal.models.alerts.alert import AlertSource, AlertStatus
from portal.scope import get_tenant_id
from portal.sync.alerts.links import find_asset_ids
from portal.sync.alerts.locks import lock_alerts
from portal.sync.alerts.news import BY_LIST, BY_WEBHOOK, RESOLVED, News, tell_confirmed, tell_news
from portal.tactical.alerts import TacticalAlert
from portal.tactical.webhook import condition_key

COMPARED = (
    "agent_id",
    "asset_id",
    "external_organization_id",
    "hostname",
    "alert_type",
    "severity",
    "message",
    "status",
    "triggered_at",
    "resolved_at",
    "snoozed_until",
    "snoozed_by",
    "external_check_id",
    "external_task_id",
)
"""What Tactical (and the asset found for it) says; a change of any is an update."""


@dataclass(frozen=True, slots=True)
class AlertDecision:
    """`action` is created, updated or unchanged; `news` is triggered, resolved or None."""

    action: str
    news: str | None
    values: Mapping[str, Any]
    occurrences: int
    asked_at: datetime
    confirms: bool = False
    """Whether only a webhook had reported the alert before."""


@dataclass(frozen=True, slots=True)
class WrittenAlerts:
    """The decisions, in the order of the alerts; `ids`: the portal's own, by Tactical's."""

    decisions: list[AlertDecision]
    ids: dict[str, int]

    @property
    def counts(self) -> Counter[str]:
        """By action."""
        return Counter(decision.action for decision in self.decisions)

    @property
    def changed(self) -> list[AlertDecision]:
        return [decision for decision in self.decisions if decision.action != "unchanged"]


def plan_alert(
    alert: TacticalAlert,
    known: Alert | None,
    asset_id: int | None,
    organization_id: str | None,
) -> AlertDecision:
    """What to write about one alert. Pure."""
    values, asked_at = _values(alert, asset_id, organization_id), alert.asked_at
    is_open = values["status"] is not AlertStatus.RESOLVED
    if known is None:
        first = "triggered" if is_open else "resolved"
        return AlertDecision("created", first, values, 1, asked_at)
    if known.confirmed_at is not None and known.confirmed_at > asked_at:
        # Another process asked later and was quicker to write: this answer is out of date.
        return AlertDecision("unchanged", None, values, known.occurrences, known.confirmed_at)
    if asset_id is None:
        values["asset_id"] = known.asset_id
    if organization_id is None:
        values["external_organization_id"] = known.external_organization_id
    if _keeps_snooze(known, values):
        kept = ("status", "snoozed_until", "snoozed_by")
        values |= {name: getattr(known, name) for name in kept}
    was_open = known.status is not AlertStatus.RESOLVED
    reopened = is_open and not was_open
    news = "triggered" if reopened else "resolved" if was_open and not is_open else None
    changed = any(getattr(known, name) != values[name] for name in COMPARED)
    action = "updated" if changed or known.confirmed_at is None else "unchanged"
    # An unconfirmed resolving was only said, and turned out not to be.
    was_confirmed = known.confirmed_at is not None
    occurrences = known.occurrences + (reopened and was_confirmed)
    return AlertDecision(action, news, values, occurrences, asked_at, not was_confirmed)


def _keeps_snooze(known: Alert, values: Mapping[str, Any]) -> bool:
    """Tactical knows nothing of a snooze of ours, which ends by the clock; one of its own takes the
    place of ours."""
    is_ours = known.status is AlertStatus.SNOOZED and known.snoozed_by is not None
    return is_ours and values["status"] is AlertStatus.ACTIVE


def write_alerts(
    session: Session, integration_id: int, alerts: Sequence[TacticalAlert], source: AlertSource
) -> WrittenAlerts:
    """Take Tactical's word on these alerts."""
    lock_alerts(session, integration_id)
    known = _load_known(session, integration_id, alerts)
    agent_ids = {alert.agent_id for alert in alerts if alert.agent_id}
    assets = find_asset_ids(session, integration_id, agent_ids)
    organizations = _load_organization_ids(session, integration_id, alerts)
    decisions = [
        plan_alert(
            alert,
            known.get(str(alert.pk)),
            assets.get(alert.agent_id or ""),
            organizations.get(alert.organization_name or ""),
        )
        for alert in alerts
    ]
    written = WrittenAlerts(decisions, {pk: alert.id for pk, alert in known.items()})
    changed = written.changed
    if source is AlertSource.WEBHOOK:
        _confirm_unchanged(known, decisions)
        session.flush()
    if changed:
        written.ids.update(_upsert(session, integration_id, changed, source))
    news = [_make_news(written, each, source) for each in changed if each.news]
    tell_news(session, integration_id, news, confirmed=True)
    confirming = [written.ids[d.values["external_alert_id"]] for d in changed if d.confirms]
    tell_confirmed(session, confirming)
    return written


def _make_news(written: WrittenAlerts, decision: AlertDecision, source: AlertSource) -> News:
    values = {**decision.values, "occurrences": decision.occurrences}
    text = BY_WEBHOOK if source is AlertSource.WEBHOOK else BY_LIST
    return News(
        written.ids[values["external_alert_id"]],
        values,
        text if decision.news == "triggered" else RESOLVED,
        is_first=decision.action == "created",
    )


def _confirm_unchanged(known: Mapping[str, Alert], decisions: Iterable[AlertDecision]) -> None:
    """Even an unchanged alert was looked at, so that an older answer cannot come after it.

    Not for whole lists: a second run would write every row again.
    """
    for decision in decisions:
        if decision.action == "unchanged":
            known[decision.values["external_alert_id"]].confirmed_at = decision.asked_at


def _values(
    alert: TacticalAlert, asset_id: int | None, organization_id: str | None
) -> dict[str, Any]:
    status = AlertStatus.ACTIVE
    if alert.resolved:
        status = AlertStatus.RESOLVED
    elif alert.snoozed:
        status = AlertStatus.SNOOZED
    check, task = _text(alert.check_pk), _text(alert.task_pk)
    return {
        "external_alert_id": str(alert.pk),
        "condition": condition_key(alert.agent_id, alert.alert_type, check, task),
        "agent_id": alert.agent_id,
        "asset_id": asset_id,
        "external_organization_id": organization_id,
        "hostname": alert.hostname,
        "alert_type": alert.alert_type,
        "severity": alert.severity,
        "message": alert.message or None,
        "status": status,
        "triggered_at": alert.alert_time,
        # A re-opened alert keeps the time of its former resolving; it means nothing then.
        "resolved_at": alert.resolved_on if alert.resolved else None,
        "snoozed_until": alert.snooze_until if alert.snoozed else None,
        "snoozed_by": None,
        "external_check_id": check,
        "external_task_id": task,
    }


def _text(pk: int | None) -> str | None:
    return None if pk is None else str(pk)


def _upsert(
    session: Session,
    integration_id: int,
    decisions: Sequence[AlertDecision],
    source: AlertSource,
) -> dict[str, int]:
    """The ids by Tactical's."""
    now = utc_now()
    statement = upsert(
        Alert,
        unique=("integration_id", "external_alert_id"),
        updated=(*COMPARED, "condition", "confirmed_at", "occurrences"),
        index_where=Alert.external_alert_id.is_not(None),
    )
    rows = [
        {
            "tenant_id": get_tenant_id(),
            "integration_id": integration_id,
            "source": source,
            "received_at": now,
            "confirmed_at": decision.asked_at,
            "occurrences": decision.occurrences,
            **decision.values,
        }
        for decision in decisions
    ]
    returned = session.execute(statement.returning(Alert.external_alert_id, Alert.id), rows)
    return {row.external_alert_id or "": row.id for row in returned}


def _load_known(
    session: Session, integration_id: int, alerts: Iterable[TacticalAlert]
) -> dict[str, Alert]:
    found = session.scalars(
        select(Alert)
        .where(
            Alert.integration_id == integration_id,
            Alert.external_alert_id.in_([str(alert.pk) for alert in alerts]),
        )
        .execution_options(populate_existing=True)
    )
    return {alert.external_alert_id or "": alert for alert in found}


def _load_organization_ids(
    session: Session, integration_id: int, alerts: Iterable[TacticalAlert]
) -> dict[str, str]:
    """By name: an alert has no id of it, and Tactical's client names are unique."""
    names = {alert.organization_name for alert in alerts if alert.organization_name}
    rows = session.execute(
        select(
            OrganizationMapping.external_organization_name,
            OrganizationMapping.external_organization_id,
        ).where(
            OrganizationMapping.integration_id == integration_id,
            OrganizationMapping.external_organization_name.in_(names),
        )
    )
    return {row[0]: row[1] for row in rows}
