"""Reconciling alerts: whatever webhooks reported or missed, Tactical's list corrects it."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import datetime
from itertools import islice
from typing import Any

from sqlalchemy import select

from portal.clock import utc_now
from portal.db import db, release, transaction
from portal.errors import PortalError
from portal.models import Alert, Integration
from portal.models.alerts.alert import AlertSource, AlertStatus
from portal.sync.alerts.gaps import count_missed_days, settle_storm
from portal.sync.alerts.hints import close_alert
from portal.sync.alerts.locks import lock_alerts
from portal.sync.alerts.write import AlertDecision, write_alerts
from portal.sync.runs.log import RunLog, log_entry
from portal.tactical.alerts import TacticalAlert, TacticalAlerts
from portal.tactical.api import Tactical
from portal.tactical.errors import MissingPermission, NotFoundInTactical
from portal.tactical.record_errors import UnusableRecord
from portal.tactical.records import BadRecord

AT_ONCE = 500
MOST_UNANSWERED = 3
"""In a row; then Tactical is away, and the rest is left to the next run."""


@dataclass(slots=True)
class Listed:
    """What the list of unresolved alerts showed: ids, and conditions for alerts without one."""

    ids: set[str] = field(default_factory=set)
    conditions: set[str] = field(default_factory=set)


def sync_alerts(integration: Integration, tactical: Tactical, run_log: RunLog) -> None:
    """Take over what is active at Tactical, then look at what is active only here.

    Raises TacticalError and EgressError: an answer that is no list changes nothing.
    """
    is_restricted = integration.key_restricted is not False
    days = max(integration.alert_history_days, count_missed_days(integration, run_log))
    run_log.set_phase("Reading alerts")
    asked_at = utc_now()
    history = tactical.alerts.list_since(days) if days else iter(())
    unresolved = tactical.alerts.list_unresolved()
    listed = Listed()
    # What is open is in the other list, which was asked for later.
    over = (alert for alert in history if isinstance(alert, TacticalAlert) and alert.resolved)
    _write(integration.id, over, run_log, Listed())
    _write(integration.id, unresolved, run_log, listed)
    run_log.set_phase("Checking alerts that Tactical does not list")
    _close_unlisted(integration.id, tactical.alerts, run_log, listed)
    _settle_nameless(integration.id, listed, asked_at, is_restricted)
    settle_storm(asked_at)


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
            written = write_alerts(session, integration_id, good, AlertSource.BACKFILL)
            counts = written.counts + Counter(seen=len(batch), failed=len(bad))
            entries = [log_entry("failed", b.hint, b.hint, b.reason) for b in bad]
            entries += [_make_entry(decision) for decision in written.changed]
            run_log.record(session, counts, entries)
        listed.ids.update(d.values["external_alert_id"] for d in written.decisions)
        listed.conditions.update(d.values["condition"] for d in written.decisions)


def _make_entry(decision: AlertDecision) -> dict[str, Any]:
    values = decision.values
    return log_entry(
        decision.action,
        values["external_alert_id"],
        values["hostname"] or "",
        f"{str(values['status']).capitalize()}: {values['message'] or values['alert_type']}",
    )


def _close_unlisted(
    integration_id: int, alerts: TacticalAlerts, run_log: RunLog, listed: Listed
) -> None:
    """The key's role limits the list, so each alert that is missing is asked for by its id."""
    missing = _list_missing(integration_id, listed)
    unanswered = 0
    for number, (alert_id, external_id) in enumerate(missing):
        run_log.check()
        problem = _check_one(integration_id, alerts, run_log, alert_id, external_id)
        is_answer = problem is None or isinstance(problem, MissingPermission | UnusableRecord)
        unanswered = 0 if is_answer else unanswered + 1
        if problem is not None:
            run_log.warn(
                f"Alert {external_id} could not be checked and stays open: {problem.message}"
            )
        left = len(missing) - number - 1
        if unanswered >= MOST_UNANSWERED and left:
            run_log.warn(f"Tactical does not answer, so {left} more alerts were left as they are.")
            return


def _list_missing(integration_id: int, listed: Listed) -> list[tuple[int, str]]:
    rows = db.session.execute(
        select(Alert.id, Alert.external_alert_id).where(
            Alert.integration_id == integration_id,
            Alert.status != AlertStatus.RESOLVED,
            Alert.external_alert_id.is_not(None),
        )
    ).all()
    release()
    return [(row[0], row[1] or "") for row in rows if row[1] not in listed.ids]


def _settle_nameless(
    integration_id: int, listed: Listed, asked_at: datetime, is_restricted: bool
) -> None:
    """Alerts that a webhook reported without an id.

    Where the list shows their condition, the record of it takes their place. Where it does
    not, they are over, unless the key may not see everything.
    """
    with transaction() as session:
        lock_alerts(session, integration_id)
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
) -> PortalError | None:
    """Resolved or gone closes it; a refusal or an error, which is returned, leaves it open."""
    try:
        found = alerts.get(int(external_id))
    except NotFoundInTactical as error:
        if error.is_html:
            return error
        _close_gone(integration_id, run_log, alert_id)
        return None
    except PortalError as error:
        return error
    with transaction() as session:
        written = write_alerts(session, integration_id, [found], AlertSource.BACKFILL)
        entries = [_make_entry(decision) for decision in written.changed]
        run_log.record(session, written.counts + Counter(seen=1), entries)
    return None


def _close_gone(integration_id: int, run_log: RunLog, alert_id: int) -> None:
    with transaction() as session:
        lock_alerts(session, integration_id)
        alert = session.get(Alert, alert_id, populate_existing=True)
        if alert is None or alert.status is AlertStatus.RESOLVED:
            return  # a webhook was quicker
        close_alert(session, alert, utc_now())
        entry = log_entry("gone", alert.external_alert_id or "", alert.hostname or "")
        run_log.record(session, Counter(seen=1, updated=1), [entry])
