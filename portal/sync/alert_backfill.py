"""Reconciling alerts: whatever webhooks told or missed, Tactical's list puts it right."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import datetime
from itertools import islice
from typing import Any

from sqlalchemy import select

from portal.db import release, transaction, utc_now
from portal.errors import PortalError
from portal.models import Alert, Integration
from portal.models.alert import AlertSource, AlertStatus
from portal.sync.alert_hints import close_alert
from portal.sync.alerts import AlertDecision, write_alerts
from portal.sync.run_log import RunEnded, RunLog, log_entry
from portal.tactical.alerts import TacticalAlert, TacticalAlerts
from portal.tactical.api import Tactical
from portal.tactical.errors import NotFoundInTactical
from portal.tactical.records import BadRecord

AT_ONCE = 500


@dataclass(slots=True)
class Listed:
    """What the list of unresolved alerts showed: ids, and conditions for alerts without one."""

    ids: set[str] = field(default_factory=set)
    conditions: set[str] = field(default_factory=set)


def sync_alerts(integration: Integration, tactical: Tactical, run_log: RunLog) -> None:
    """Take over what is active at Tactical, then look at what is active only here.

    Raises TacticalError and EgressError: an answer that is no list changes nothing.
    """
    alerts = TacticalAlerts(tactical.session)
    days, is_restricted = integration.alert_history_days, integration.key_restricted is not False
    run_log.set_phase("Reading alerts")
    asked_at = utc_now()
    history = alerts.list_since(days) if days else iter(())
    unresolved = alerts.list_unresolved()
    listed = Listed()
    _write(integration.id, history, run_log, Listed())
    _write(integration.id, unresolved, run_log, listed)
    run_log.set_phase("Checking alerts that Tactical does not list")
    _close_unlisted(integration.id, alerts, run_log, listed, asked_at)
    _settle_nameless(integration.id, listed, asked_at, is_restricted)


def _write(
    integration_id: int,
    alerts: Iterator[TacticalAlert | BadRecord],
    run_log: RunLog,
    listed: Listed,
) -> None:
    while batch := list(islice(alerts, AT_ONCE)):
        good = [alert for alert in batch if isinstance(alert, TacticalAlert)]
        bad = [alert for alert in batch if isinstance(alert, BadRecord)]
        with transaction() as session:
            counts, decisions = write_alerts(session, integration_id, good, AlertSource.BACKFILL)
            counts += Counter(seen=len(batch), failed=len(bad))
            entries = [log_entry("failed", b.hint, b.hint, b.reason) for b in bad]
            entries += [_told(decision) for decision in decisions if decision.action != "unchanged"]
            run_log.record(session, counts, entries)
        listed.ids.update(decision.values["external_alert_id"] for decision in decisions)
        listed.conditions.update(decision.values["condition"] for decision in decisions)


def _told(decision: AlertDecision) -> dict[str, Any]:
    values = decision.values
    return log_entry(
        decision.action,
        values["external_alert_id"],
        values["hostname"] or "",
        f"{str(values['status']).capitalize()}: {values['message'] or values['alert_type']}",
    )


def _close_unlisted(
    integration_id: int,
    alerts: TacticalAlerts,
    run_log: RunLog,
    listed: Listed,
    asked_at: datetime,
) -> None:
    """The key's role limits the list, so each alert that is missing is asked for by its id."""
    with transaction() as session:
        rows = session.execute(
            select(Alert.id, Alert.external_alert_id).where(
                Alert.integration_id == integration_id,
                Alert.status != AlertStatus.RESOLVED,
                Alert.external_alert_id.is_not(None),
                Alert.received_at < asked_at,
            )
        ).all()
    release()
    for alert_id, external_id in rows:
        if external_id is None or external_id in listed.ids:
            continue
        if run_log.cancelled.is_set():
            raise RunEnded("The run was cancelled.")
        _check_one(integration_id, alerts, run_log, alert_id, external_id)


def _settle_nameless(
    integration_id: int, listed: Listed, asked_at: datetime, is_restricted: bool
) -> None:
    """Alerts that a webhook told without an id.

    Where the list shows their condition, the record of it takes their place. Where it does
    not, they are over, unless the key may not see everything.
    """
    with transaction() as session:
        nameless = session.scalars(
            select(Alert).where(
                Alert.integration_id == integration_id,
                Alert.external_alert_id.is_(None),
                Alert.status != AlertStatus.RESOLVED,
                Alert.received_at < asked_at,
            )
        ).all()
        for alert in nameless:
            if alert.condition in listed.conditions:
                session.delete(alert)
            elif not is_restricted:
                close_alert(session, alert, utc_now())


def _check_one(
    integration_id: int,
    alerts: TacticalAlerts,
    run_log: RunLog,
    alert_id: int,
    external_id: str,
) -> None:
    """Resolved or gone closes it; a refusal or an error leaves it open."""
    try:
        found = alerts.get(int(external_id))
    except NotFoundInTactical as error:
        if error.is_html:
            run_log.warn(f"Alert {external_id}: {error.message}")
            return
        with transaction() as session:
            alert = session.get_one(Alert, alert_id)
            close_alert(session, alert, utc_now())
            counts = Counter(seen=1, updated=1)
            run_log.record(session, counts, [log_entry("gone", external_id, alert.hostname or "")])
        return
    except PortalError as error:
        run_log.warn(f"Alert {external_id} could not be checked and stays open: {error.message}")
        return
    with transaction() as session:
        counts, _decisions = write_alerts(session, integration_id, [found], AlertSource.BACKFILL)
        run_log.record(session, counts + Counter(seen=1), [])
