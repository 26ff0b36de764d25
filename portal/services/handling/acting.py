"""Letting a rule act on alerts that began before it was switched on: somebody wants it to."""

from __future__ import annotations

from sqlalchemy import ColumnElement, and_, select, update
from sqlalchemy.orm import Session

from portal import queue
from portal.clock import iso_utc, utc_now
from portal.db import count_changed, transaction
from portal.errors import NotFound, Refused
from portal.models import Alert, AlertHandling, AlertRule
from portal.models.alerts.alert import IS_PRESENT, AlertStatus
from portal.models.alerts.handling import HandlingState
from portal.scope import get_tenant_id
from portal.services.alerts.occurrences import add_handlings
from portal.services.audit.actions import Action
from portal.services.audit.record import Target, record
from portal.services.handling.decision import FORCE
from portal.sync.alerts.news import SUPERSEDED


def act_now(rule_id: int) -> int:
    """Look anew at all alerts that are active and of which nobody was told; how many they are.

    Of the rules, this one acts on them although they began before it. Raises NotFound, and Refused
    while it is switched off.
    """
    with transaction() as session:
        rule = session.get(AlertRule, rule_id, populate_existing=True)
        if rule is None:
            raise NotFound("This rule does not exist.")
        if rule.switched_on_at is None:
            raise Refused("The rule is switched off. Switch it on first.")
        _add_missing(session)
        number = _wake(session, rule_id)
        about = Target("rule", rule.id, rule.name)
        record(Action.RULE_ACTED, about, after={"alerts": number})
    queue.enqueue("handle_alerts", get_tenant_id())
    return number


def _wake(session: Session, rule_id: int) -> int:
    """How many. What other rules were told to act on, and nobody has decided yet, stays so."""
    now = utc_now()
    force = {"do": FORCE, "at": iso_utc(now), "rule_id": rule_id}
    undecided = session.scalars(
        select(AlertHandling)
        .where(_is_among_active(AlertHandling.state == HandlingState.UNDECIDED))
        .with_for_update()
        .execution_options(populate_existing=True)
    ).all()
    for handling in undecided:
        before = [step for step in handling.plan if step["do"] == FORCE]
        handling.plan = [step for step in before if step["rule_id"] != rule_id] + [force]
        handling.due_at = now
    session.flush()
    is_silent = and_(
        AlertHandling.state == HandlingState.SILENT, AlertHandling.reason != SUPERSEDED
    )
    silent = update(AlertHandling).where(_is_among_active(is_silent))
    values = {"state": HandlingState.UNDECIDED, "plan": [force], "due_at": now}
    return len(undecided) + count_changed(session, silent.values(values))


def _is_among_active(condition: ColumnElement[bool]) -> ColumnElement[bool]:
    active = (
        select(AlertHandling.id)
        .join(Alert, IS_PRESENT)
        .where(Alert.status != AlertStatus.RESOLVED, AlertHandling.over_at.is_(None), condition)
    )
    return AlertHandling.id.in_(active)


def _add_missing(session: Session) -> None:
    """Handlings of alerts that began before the portal acted on any."""
    alerts = session.scalars(
        select(Alert)
        .outerjoin(AlertHandling, IS_PRESENT)
        .where(Alert.status != AlertStatus.RESOLVED, AlertHandling.id.is_(None))
    ).all()
    if alerts:
        add_handlings(session, alerts)
