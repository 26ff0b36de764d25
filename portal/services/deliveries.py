"""Processing deliveries: each one is a hint to look at Tactical's own record."""

from __future__ import annotations

import logging
import random
import time
from datetime import timedelta

import msgspec
from sqlalchemy import ColumnElement, select
from sqlalchemy.orm import Session

from portal.db import db, release, transaction, utc_now
from portal.errors import NotFound, PortalError
from portal.models import Delivery, Integration
from portal.models.alert import AlertSource
from portal.models.integration import IntegrationState
from portal.models.webhook import DeliveryStatus
from portal.services.agent_refreshes import schedule_refreshes, start_due_refreshes
from portal.services.integrations import open_tactical
from portal.sync.alert_hints import close_vanished, find_alert, write_hint
from portal.sync.alerts import AlertDecision, write_alerts
from portal.tactical.alerts import TacticalAlert, TacticalAlerts
from portal.tactical.api import Tactical
from portal.tactical.errors import MissingPermission, NotFoundInTactical
from portal.tactical.webhook import Hint, read_delivery

log = logging.getLogger(__name__)

MOST_ATTEMPTS = 8
FIRST_PAUSE = timedelta(seconds=15)
LONGEST_PAUSE = timedelta(minutes=30)
CLAIM = timedelta(minutes=5)
"""A delivery whose process died is looked at again after this."""
AT_ONCE = 50


class Lookup(msgspec.Struct, frozen=True):
    """What asking Tactical about an alert came to."""

    alert: TacticalAlert | None = None
    is_gone: bool = False
    problem: str | None = None
    can_retry: bool = False


def process_due() -> int:
    """Process what is due of the scope's tenant, until nothing is; how many it were."""
    done = 0
    while claimed := _claim_due():
        _process(claimed)
        done += len(claimed)
        start_due_refreshes()
    return done


def list_tenants_with_due_deliveries() -> list[int]:
    """Across tenants."""
    return list(db.session.scalars(select(Delivery.tenant_id).where(_is_due()).distinct()))


def get_delivery(delivery_id: int) -> Delivery:
    delivery = db.session.scalar(
        select(Delivery).where(Delivery.id == delivery_id).execution_options(populate_existing=True)
    )
    if delivery is None:
        raise NotFound("There is no such delivery.")
    return delivery


def replay(delivery_id: int) -> Delivery:
    """Process a delivery again, from its body. It converges: ten replays leave one alert."""
    with transaction():
        delivery = get_delivery(delivery_id)
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
    delivery.due_at, delivery.attempts = utc_now(), 0


def _claim_due() -> list[Delivery]:
    """The oldest due ones, kept from other workers until they are done or their claim ends."""
    with transaction() as session:
        due = session.scalars(
            select(Delivery)
            .where(_is_due())
            .order_by(Delivery.id)
            .limit(AT_ONCE)
            .with_for_update(skip_locked=True)
        ).all()
        for delivery in due:
            delivery.due_at = utc_now() + CLAIM
            delivery.attempts += 1
    return list(due)


def _is_due() -> ColumnElement[bool]:
    return (Delivery.status == DeliveryStatus.PENDING) & (Delivery.due_at <= utc_now())


def _process(deliveries: list[Delivery]) -> None:
    """Deliveries of one integration share one look at each alert: the last word counts."""
    by_integration: dict[int, list[Delivery]] = {}
    for delivery in deliveries:
        by_integration.setdefault(delivery.integration_id, []).append(delivery)
    for integration_id, group in by_integration.items():
        integration = db.session.get_one(Integration, integration_id)
        lookups = _look_up_all(integration, group)
        for delivery in group:
            _apply_safely(delivery, lookups[delivery.external_alert_id])


def _look_up_all(integration: Integration, deliveries: list[Delivery]) -> dict[str | None, Lookup]:
    """Ask Tactical about each alert once. The key None stands for "no alert named"."""
    lookups: dict[str | None, Lookup] = {None: Lookup()}
    ids = dict.fromkeys(d.external_alert_id for d in deliveries if d.external_alert_id)
    if integration.state is not IntegrationState.ACTIVE:
        waits = Lookup(problem="The connection to Tactical is not active.", can_retry=True)
        return lookups | dict.fromkeys(ids, waits)
    try:
        with open_tactical(integration) as tactical:
            release()
            for alert_id in ids:
                lookups[alert_id] = _look_up(tactical, alert_id)
    except PortalError as error:  # no credentials to be had
        problem = Lookup(problem=error.message, can_retry=error.retryable)
        return {alert_id: lookups.get(alert_id, problem) for alert_id in (None, *ids)}
    return lookups


def _look_up(tactical: Tactical, alert_id: str | None) -> Lookup:
    try:
        return Lookup(alert=TacticalAlerts(tactical.session).get(int(alert_id or 0)))
    except NotFoundInTactical as error:
        # An HTML 404 is another server's, not "no such alert".
        return Lookup(problem=error.message) if error.is_html else Lookup(is_gone=True)
    except MissingPermission as error:
        return Lookup(problem=error.message)
    except PortalError as error:
        # Wrong credentials too may be mended before the last attempt.
        return Lookup(problem=error.message, can_retry=True)


def _apply_safely(delivery: Delivery, lookup: Lookup) -> None:
    """One delivery that breaks the processing costs that delivery alone."""
    begun = time.monotonic()
    try:
        _apply(delivery.id, lookup, begun)
    except Exception:
        log.exception("Delivery %s could not be processed.", delivery.id)
        with transaction():
            row = get_delivery(delivery.id)
            _give_back(row, "The portal made a mistake; its log tells more.", can_retry=True)


def _apply(delivery_id: int, lookup: Lookup, begun: float) -> None:
    with transaction() as session:
        delivery = get_delivery(delivery_id)
        if delivery.status is not DeliveryStatus.PENDING:
            return
        hint = msgspec.convert(delivery.hint, Hint)
        if lookup.alert is not None:
            _take_record(session, delivery, hint, lookup.alert)
        elif lookup.is_gone:
            known = find_alert(session, delivery.integration_id, hint)
            delivery.alert_id = known.id if known else None
            _finish(delivery, close_vanished(session, delivery.integration_id, hint))
        else:
            alert_id, outcome = write_hint(session, delivery.integration_id, hint)
            delivery.alert_id = alert_id
            if lookup.problem is None:
                _finish(delivery, outcome)
            else:
                _give_back(delivery, lookup.problem, lookup.can_retry)
        delivery.duration_ms = round((time.monotonic() - begun) * 1000)
        schedule_refreshes(session, delivery.integration_id, [hint.agent_id])


def _take_record(session: Session, delivery: Delivery, hint: Hint, alert: TacticalAlert) -> None:
    """Tactical's record wins, whatever the hint said."""
    _counts, decisions = write_alerts(
        session, delivery.integration_id, [alert], AlertSource.WEBHOOK
    )
    known = find_alert(session, delivery.integration_id, hint)
    delivery.alert_id = known.id if known else None
    note = ""
    if alert.agent_id != hint.agent_id:
        note = " The delivery named another agent than Tactical's record does."
    _finish(delivery, _told(decisions[0]) + note)


def _told(decision: AlertDecision) -> str:
    if decision.news == "triggered":
        return "The alert is active."
    if decision.news == "resolved":
        return "The alert is resolved."
    return "The alert was up to date." if decision.action == "unchanged" else "Updated the alert."


def _finish(delivery: Delivery, outcome: str) -> None:
    delivery.status, delivery.outcome, delivery.reason = DeliveryStatus.PROCESSED, outcome, None
    delivery.due_at, delivery.processed_at = None, utc_now()


def _give_back(delivery: Delivery, reason: str, can_retry: bool) -> None:
    """Try again later, each time after twice as long; after the last try it has failed."""
    delivery.reason = reason
    if can_retry and delivery.attempts < MOST_ATTEMPTS:
        pause = min(FIRST_PAUSE * 2 ** (delivery.attempts - 1), LONGEST_PAUSE)
        delivery.due_at = utc_now() + pause * random.uniform(0.8, 1.2)  # noqa: S311
        return
    delivery.status, delivery.due_at = DeliveryStatus.FAILED, None
    delivery.processed_at = utc_now()
