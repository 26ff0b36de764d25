"""What deciding about alerts looks at, read in a fixed number of statements for each batch."""

from __future__ import annotations

import logging
from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

import msgspec
from sqlalchemy import select
from sqlalchemy.orm import Session

from portal.errors import InvalidInput
from portal.models import Alert, AlertHandling, AlertRule, Channel, Helpdesk, Message, Tenant
from portal.models.alerts.handling import HandlingState
from portal.models.channels.message import MessageReason, MessageStatus
from portal.scope import get_tenant_id
from portal.services.handling.alert_facts import make_address
from portal.services.handling.trying import RuleInForce
from portal.services.rules.matching import Tally, find_unmet
from portal.services.rules.subjects import load_others, load_subjects
from portal.services.rules.terms import Steps, Subject, read_conditions, read_steps
from portal.services.windows.covering import InForce, list_in_force
from portal.services.windows.loading import load_windows

log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Known:
    """A message that was written about a handling."""

    id: int
    channel_id: int
    reason: MessageReason
    status: MessageStatus
    is_begun: bool
    """Whether the far side may have heard of it."""

    @property
    def counts(self) -> bool:
        """Whether its far side was told, or is about to be."""
        return self.status in (MessageStatus.WAITING, MessageStatus.SENT)


@dataclass(frozen=True, slots=True)
class Facts:
    """By the id of the handling: `subjects`, `messages`. `numbers`: how many alerts a rule counts,
    by handling and rule. `channels` and `helpdesks`: names of those that are switched on.
    `address`: below which the tenant's pages are."""

    now: datetime
    subjects: Mapping[int, Subject]
    alerts: Mapping[int, Alert]
    rules: Sequence[RuleInForce]
    in_force: Sequence[InForce]
    messages: Mapping[int, Sequence[Known]]
    channels: Mapping[int, str]
    helpdesks: Mapping[int, str]
    address: str
    numbers: Mapping[int, Mapping[int, int]]


def load_facts(session: Session, handlings: Sequence[AlertHandling], now: datetime) -> Facts:
    alert_ids = {handling.alert_id for handling in handlings}
    found = load_subjects(session, alert_ids)
    subjects = {
        each.id: _as_handled(found[each.alert_id], each, now)
        for each in handlings
        if each.alert_id in found
    }
    alerts = session.scalars(select(Alert).where(Alert.id.in_(alert_ids)))
    rules = load_rules(session)
    channels = session.execute(select(Channel.id, Channel.name).where(Channel.active))
    helpdesks = session.execute(select(Helpdesk.id, Helpdesk.name).where(Helpdesk.active))
    return Facts(
        now=now,
        subjects=subjects,
        alerts={alert.id: alert for alert in alerts},
        rules=rules,
        in_force=list_in_force(load_windows(session, now), now),
        messages=_load_messages(session, [handling.id for handling in handlings]),
        channels={row.id: row.name for row in channels},
        helpdesks={row.id: row.name for row in helpdesks},
        address=make_address(session.get_one(Tenant, get_tenant_id())),
        numbers=_load_numbers(session, rules, subjects),
    )


def load_rules(session: Session) -> list[RuleInForce]:
    """Those of the scope's tenant that are switched on, in their order."""
    query = select(AlertRule).where(AlertRule.switched_on_at.is_not(None))
    found = session.scalars(
        query.order_by(AlertRule.position, AlertRule.id).execution_options(populate_existing=True)
    )
    return [_read(rule, rule.switched_on_at) for rule in found if rule.switched_on_at is not None]


def _read(rule: AlertRule, switched_on_at: datetime) -> RuleInForce:
    conditions, steps = None, Steps()
    try:
        conditions, steps = read_conditions(rule.conditions), read_steps(rule.steps)
    except InvalidInput as error:
        log.warning("Rule %s matches nothing: %s", rule.id, error)
    return RuleInForce(rule.id, rule.name, rule.go_on, switched_on_at, conditions, steps)


def _as_handled(subject: Subject, handling: AlertHandling, now: datetime) -> Subject:
    changed = msgspec.structs.replace(
        subject,
        occurrence=handling.occurrence,
        began_at=handling.began_at,
        over_at=handling.over_at,
    )
    if handling.held_until is None:
        return changed
    is_over = handling.state is not HandlingState.HELD or handling.held_until <= now
    counts_from = handling.held_until if is_over else now
    return msgspec.structs.replace(changed, counts_from=counts_from)


def _load_messages(session: Session, handling_ids: Sequence[int]) -> dict[int, list[Known]]:
    rows = session.execute(
        select(
            *(Message.id, Message.handling_id, Message.channel_id, Message.reason),
            *(Message.status, Message.attempts),
        )
        .where(Message.handling_id.in_(handling_ids), Message.recipient.is_(None))
        .order_by(Message.id)
    )
    messages: dict[int, list[Known]] = defaultdict(list)
    for row in rows:
        known = Known(row.id, row.channel_id, row.reason, row.status, row.attempts > 0)
        messages[row.handling_id or 0].append(known)
    return messages


def _load_numbers(
    session: Session, rules: Sequence[RuleInForce], subjects: Mapping[int, Subject]
) -> dict[int, dict[int, int]]:
    """Counted only for alerts that meet a rule's other conditions."""
    numbers: dict[int, dict[int, int]] = defaultdict(dict)
    for rule in rules:
        if rule.conditions is None or rule.conditions.at_least is None:
            continue
        meant = {
            handling_id: subject
            for handling_id, subject in subjects.items()
            if find_unmet(rule.conditions, subject) is None
        }
        if not meant:
            continue
        others = load_others(session, rule.conditions.at_least, meant.values())
        tally = Tally(rule.conditions, others)
        for handling_id, subject in meant.items():
            numbers[handling_id][rule.id] = tally.count(subject)
    return numbers
