"""Processing deliveries: each one is a hint to look at Tactical's own record."""

from __future__ import annotations

import logging
import math
import time
from collections import defaultdict
from collections.abc import Mapping

import msgspec
from sqlalchemy import select
from sqlalchemy.orm import Session

from portal import queue
from portal.clock import utc_now
from portal.db import db, transaction
from portal.errors import PORTAL_FAULT, NotFound, Refused
from portal.models import Delivery
from portal.models.alerts.alert import AlertSource
from portal.models.deliveries.delivery import DeliveryStatus
from portal.scope import get_tenant_id
from portal.services.deliveries.agent_refreshes import schedule_refreshes, start_due_refreshes
from portal.services.deliveries.claims import (
    Claimed,
    claim_due,
    find_own,
    finish,
    give_back,
    hand_back,
    is_due,
    keep,
    list_own,
)
from portal.services.deliveries.lookups import Lookup, Lookups
from portal.sync.alerts.hints import close_vanished, find_alert, find_by_pk, find_ids, write_hint
from portal.sync.alerts.write import AlertDecision, write_alerts
from portal.tactical.alerts import TacticalAlert
from portal.tactical.webhook import TRIGGER, Hint, read_delivery

log = logging.getLogger(__name__)

TURN_SECONDS = 3.0
"""Then it is the turn of the tenant's other work, refreshes of agents above all."""
UP_TO_DATE = "The alert was up to date."


def process_turn() -> None:
    """Process what is due of the tenant for a few seconds; the rest stands in line again."""
    process_due(time.monotonic() + TURN_SECONDS)
    if db.session.scalar(select(Delivery.id).where(is_due()).limit(1)) is not None:
        queue.enqueue("process_deliveries", get_tenant_id())


def process_due(give_up: float = math.inf) -> int:
    """Process what is due of the scope's tenant, until nothing is; how many it were.

    `give_up`: begin no more after that time of the monotonic clock.
    """
    done, lookups = 0, Lookups()
    while time.monotonic() < give_up and (claimed := claim_due()):
        with keep(claimed):
            _process(claimed, lookups)
        done += len(claimed)
        start_due_refreshes()
    return done


def list_tenants_with_due_deliveries() -> list[int]:
    """Across tenants."""
    return list(db.session.scalars(select(Delivery.tenant_id).where(is_due()).distinct()))


def get_delivery(delivery_id: int) -> Delivery:
    delivery = db.session.scalar(
        select(Delivery).where(Delivery.id == delivery_id).execution_options(populate_existing=True)
    )
    if delivery is None:
        raise NotFound("There is no such delivery.")
    return delivery


def replay(delivery_id: int) -> Delivery:
    """Process a delivery again. It converges: ten replays leave one alert.

    Raises NotFound, and Refused for one whose body would have to be read and was dropped.
    """
    with transaction():
        delivery = get_delivery(delivery_id)
        if delivery.hint is None and delivery.is_body_dropped:
            raise Refused(
                "Its body was dropped to make room for newer ones, and nothing of it had been "
                "understood: it cannot be processed again."
            )
        _reset(delivery)
    return delivery


def replay_failed() -> int:
    """Replay every failed delivery; how many."""
    with transaction() as session:
        failed = session.scalars(
            select(Delivery).where(Delivery.status == DeliveryStatus.FAILED)
        ).all()
        for delivery in failed:
            _reset(delivery)
    return len(failed)


def _reset(delivery: Delivery) -> None:
    """As if it had just come in; a body that is a test or unreadable stays what it is."""
    if delivery.hint is None:
        hint = read_delivery(delivery.body.encode()).hint
        if hint is None:
            return
        # Read by a portal that has learnt to read it since.
        delivery.hint, delivery.event = msgspec.to_builtins(hint), hint.event
        delivery.external_alert_id, delivery.agent_id = hint.alert_id, hint.agent_id
    delivery.status, delivery.reason = DeliveryStatus.PENDING, None
    delivery.lease, delivery.due_at, delivery.attempts = None, utc_now(), 0


def _process(claimed: list[Claimed], lookups: Lookups) -> None:
    """Deliveries of one integration share one look at each alert: the last word counts."""
    by_integration: dict[int, list[Claimed]] = defaultdict(list)
    for each in claimed:
        by_integration[each.integration_id].append(each)
    for integration_id, group in by_integration.items():
        found = lookups.ask(integration_id, [c.asked_about for c in group if c.asked_about])
        for each in _take_together(integration_id, group, found):
            if each.asked_about is None:
                _apply_safely(each, Lookup())
            elif each.asked_about in found:
                _apply_safely(each, found[each.asked_about])
            else:
                hand_back(each)


def _take_together(
    integration_id: int, group: list[Claimed], found: Mapping[str, Lookup]
) -> list[Claimed]:
    """Take Tactical's records of the alerts that deliveries name, all in one transaction, which is
    several times quicker. Returns the other deliveries, to be applied one by one; all of them,
    with nothing done, when one of them breaks it."""
    records: dict[int, TacticalAlert] = {}
    for each in group:
        alert = found.get(each.asked_about or "", Lookup()).alert
        if each.is_named and alert is not None:
            records[each.id] = alert
    try:
        if records:
            _take_records(integration_id, [c for c in group if c.id in records], records)
    except Exception:
        log.warning("Deliveries are processed one by one.", exc_info=True)
        return group
    return [each for each in group if each.id not in records]


def _take_records(
    integration_id: int, claimed: list[Claimed], records: Mapping[int, TacticalAlert]
) -> None:
    begun = time.monotonic()
    with transaction() as session:
        own = list_own(session, claimed)
        alerts = {records[delivery.id].pk: records[delivery.id] for delivery in own}
        _counts, decisions = write_alerts(
            session, integration_id, list(alerts.values()), AlertSource.WEBHOOK
        )
        ids = find_ids(session, integration_id, map(str, alerts))
        outcomes = dict(zip(alerts, map(_told, decisions), strict=True))
        for delivery in own:
            alert = records[delivery.id]
            delivery.alert_id = ids.get(str(alert.pk))
            outcome = outcomes.pop(alert.pk, UP_TO_DATE)
            finish(delivery, outcome + _tell_agent(alert, delivery.agent_id))
            delivery.duration_ms = round((time.monotonic() - begun) * 1000 / len(own))
        agent_ids = [records[delivery.id].agent_id or delivery.agent_id for delivery in own]
        schedule_refreshes(session, integration_id, filter(None, agent_ids))


def _apply_safely(claimed: Claimed, lookup: Lookup) -> None:
    """One delivery that breaks the processing costs that delivery alone."""
    begun = time.monotonic()
    try:
        _apply(claimed, lookup, begun)
    except Exception:
        log.exception("Delivery %s could not be processed.", claimed.id)
        with transaction() as session:
            delivery = find_own(session, claimed)
            if delivery is not None:
                give_back(delivery, PORTAL_FAULT, True)


def _apply(claimed: Claimed, lookup: Lookup, begun: float) -> None:
    with transaction() as session:
        delivery = find_own(session, claimed)
        if delivery is None:
            return
        hint = msgspec.convert(delivery.hint, Hint)
        if lookup.alert is not None:
            _take_record(session, delivery, hint, lookup.alert)
        elif lookup.is_gone:
            known = find_alert(session, delivery.integration_id, hint)
            delivery.alert_id = known.id if known else None
            finish(delivery, close_vanished(session, delivery.integration_id, hint))
        else:
            alert_id, outcome = write_hint(session, delivery.integration_id, hint)
            delivery.alert_id = alert_id
            if lookup.problem is None:
                finish(delivery, outcome)
            else:
                give_back(delivery, lookup.problem, lookup.can_retry)
        delivery.duration_ms = round((time.monotonic() - begun) * 1000)
        if lookup.problem is None:  # else the agent could not be read either
            agent_id = (lookup.alert.agent_id if lookup.alert else None) or hint.agent_id
            schedule_refreshes(session, delivery.integration_id, [agent_id])


def _take_record(session: Session, delivery: Delivery, hint: Hint, alert: TacticalAlert) -> None:
    """Tactical's record wins, whatever the hint said."""
    _counts, decisions = write_alerts(
        session, delivery.integration_id, [alert], AlertSource.WEBHOOK
    )
    known = find_by_pk(session, delivery.integration_id, str(alert.pk))
    delivery.alert_id = known.id if known else None
    outcome = _told(decisions[0]) + _tell_agent(alert, hint.agent_id)
    if hint.alert_id is None and hint.event == TRIGGER and alert.resolved:
        # It named none, and the one that was open is over: this is the next of its condition.
        delivery.alert_id, outcome = write_hint(session, delivery.integration_id, hint)
    finish(delivery, outcome)


def _told(decision: AlertDecision) -> str:
    if decision.news == "triggered":
        return "The alert is active."
    if decision.news == "resolved":
        return "The alert is resolved."
    return UP_TO_DATE if decision.action == "unchanged" else "Updated the alert."


def _tell_agent(alert: TacticalAlert, named: str | None) -> str:
    if alert.agent_id == named:
        return ""
    return " The delivery named another agent than Tactical's record does."
