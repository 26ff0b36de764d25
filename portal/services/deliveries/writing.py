"""Writing what deliveries came to: the alert, the delivery's outcome, and a look at the agent."""

from __future__ import annotations

import logging
import time
from collections.abc import Mapping, Sequence

import msgspec
from sqlalchemy.orm import Session

from portal.db import transaction
from portal.errors import PORTAL_FAULT
from portal.models.alerts.alert import AlertSource
from portal.services.deliveries.agent_refreshes import schedule_refreshes
from portal.services.deliveries.claims import (
    Claimed,
    find_own,
    finish,
    list_own,
    retry_later,
)
from portal.services.deliveries.lookups import Confirmed, Lookup
from portal.sync.alerts.hints import close_vanished, write_hint
from portal.sync.alerts.write import AlertDecision, write_alerts
from portal.tactical.alerts import TacticalAlert
from portal.tactical.webhook import TRIGGER, Hint

log = logging.getLogger(__name__)

UP_TO_DATE = "The alert was already up to date."


def write_together(integration_id: int, confirmed: Sequence[Confirmed]) -> set[Claimed]:
    """Write Tactical's records of the alerts that deliveries name, all in one transaction, which
    is several times quicker than one by one.

    Returns the deliveries that are done with; none, and nothing is written, when one of them
    breaks the transaction.
    """
    records = {
        each.claimed: each.lookup.alert
        for each in confirmed
        if each.claimed.is_named and each.lookup.alert is not None
    }
    if not records:
        return set()
    try:
        _write_records(integration_id, records)
    except Exception:
        log.warning("Deliveries are processed one by one.", exc_info=True)
        return set()
    return set(records)


def write_alone(confirmed: Confirmed) -> None:
    """One delivery that breaks the processing costs that delivery alone."""
    claimed = confirmed.claimed
    try:
        _write_one(claimed, confirmed.lookup)
    except Exception:
        log.exception("Delivery %s could not be processed.", claimed.id)
        with transaction() as session:
            delivery = find_own(session, claimed)
            if delivery is not None:
                retry_later(delivery, PORTAL_FAULT, can_retry=True)


def _write_records(integration_id: int, records: Mapping[Claimed, TacticalAlert]) -> None:
    begun = time.monotonic()
    by_delivery = {claimed.id: alert for claimed, alert in records.items()}
    with transaction() as session:
        own = list_own(session, list(records))
        alerts = {by_delivery[delivery.id].pk: by_delivery[delivery.id] for delivery in own}
        written = write_alerts(session, integration_id, list(alerts.values()), AlertSource.WEBHOOK)
        outcomes = dict(zip(alerts, map(_describe, written.decisions), strict=True))
        for delivery in own:
            alert = by_delivery[delivery.id]
            delivery.alert_id = written.ids.get(str(alert.pk))
            outcome = outcomes.pop(alert.pk, UP_TO_DATE)
            finish(delivery, outcome + _describe_agent(alert, delivery.agent_id))
            delivery.duration_ms = round((time.monotonic() - begun) * 1000 / len(own))
        agent_ids = [by_delivery[delivery.id].agent_id or delivery.agent_id for delivery in own]
        schedule_refreshes(session, integration_id, filter(None, agent_ids))


def _write_one(claimed: Claimed, lookup: Lookup) -> None:
    begun = time.monotonic()
    with transaction() as session:
        delivery = find_own(session, claimed)
        if delivery is None:
            return
        hint = msgspec.convert(delivery.hint, Hint)
        delivery.alert_id, outcome = _write_alert(session, claimed.integration_id, hint, lookup)
        if lookup.problem is None:
            finish(delivery, outcome)
            agent_id = (lookup.alert.agent_id if lookup.alert else None) or hint.agent_id
            schedule_refreshes(session, claimed.integration_id, [agent_id])
        else:  # the agent could not be read either
            retry_later(delivery, lookup.problem, lookup.can_retry)
        delivery.duration_ms = round((time.monotonic() - begun) * 1000)


def _write_alert(
    session: Session, integration_id: int, hint: Hint, lookup: Lookup
) -> tuple[int | None, str]:
    """The portal's id of the alert, if it has one, and what was done."""
    if lookup.alert is not None:
        return _write_record(session, integration_id, hint, lookup.alert)
    if lookup.is_gone:
        return close_vanished(session, integration_id, hint)
    return write_hint(session, integration_id, hint)


def _write_record(
    session: Session, integration_id: int, hint: Hint, alert: TacticalAlert
) -> tuple[int | None, str]:
    """Tactical's record wins, whatever the hint said."""
    written = write_alerts(session, integration_id, [alert], AlertSource.WEBHOOK)
    if hint.alert_id is None and hint.event == TRIGGER and alert.resolved:
        # It named none, and the one that was open is over: this is the next of its condition.
        return write_hint(session, integration_id, hint)
    outcome = _describe(written.decisions[0]) + _describe_agent(alert, hint.agent_id)
    return written.ids.get(str(alert.pk)), outcome


def _describe(decision: AlertDecision) -> str:
    if decision.news == "triggered":
        return "The alert is active."
    if decision.news == "resolved":
        return "The alert is resolved."
    return UP_TO_DATE if decision.action == "unchanged" else "Updated the alert."


def _describe_agent(alert: TacticalAlert, named: str | None) -> str:
    if alert.agent_id == named:
        return ""
    return " The call named a different agent than Tactical's record."
