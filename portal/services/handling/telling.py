"""The words of messages: facts of alerts, read from the database for the far side."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Sequence
from typing import Any

from sqlalchemy.orm import Session

from portal.channels import URGENCIES, AlertFacts, Group, Telling
from portal.models import AlertHandling, Channel, Message, Tenant
from portal.models.channels.message import MessageReason
from portal.scope import get_tenant_id
from portal.services.alerts.links import make_link
from portal.services.handling.alert_facts import make_address, to_facts
from portal.services.handling.units import TOLD_OVER, Line, find_thread
from portal.services.rules.subjects import load_subjects
from portal.services.rules.terms import Subject

NO_CLIENT = "no client"
SEVERITIES = ("info", "warning", "error")


def make_telling(
    session: Session, channel: Channel, line: Line, unit: Sequence[Message]
) -> Telling:
    """Of one message, or of several that are told together."""
    first = unit[0]
    tenant = session.get_one(Tenant, get_tenant_id())
    common: dict[str, Any] = {
        "key": f"{tenant.slug}-{first.key}",
        "reason": str(first.reason),
        "may_be_double": first.may_be_double,
        "recipient": first.recipient,
        "templates": dict(channel.templates),
        "sender": tenant.name,
    }
    if first.handling_id is None:
        common["thread"] = find_thread(line, first)
        words = {name: first.facts.get(name, "") for name in ("title", "text", "url")}
        return Telling(**common, **words)
    alerts, groups = _list_alerts(session, channel, line, unit)
    if len(unit) == 1:
        return Telling(**common, alerts=alerts, thread=find_thread(line, first))
    reasons = {message.reason for message in unit}
    if len(reasons) > 1:
        common["reason"] = str(MessageReason.RAISED)
    return Telling(**common, alerts=alerts, groups=groups)


def _list_alerts(
    session: Session, channel: Channel, line: Line, unit: Sequence[Message]
) -> tuple[list[AlertFacts], list[Group]]:
    """The most urgent first; and all of them counted by client, the one with the most first."""
    by_handling = {message.handling_id or 0: message for message in unit}
    handlings = {each: line.handlings[each] for each in by_handling}
    subjects = load_subjects(session, {handling.alert_id for handling in handlings.values()})
    url = f"{make_address(session.get_one(Tenant, get_tenant_id()))}/alerts"
    alerts = []
    counts: dict[str, Counter[str]] = defaultdict(Counter)
    for handling_id, message in by_handling.items():
        handling = handlings[handling_id]
        facts = _to_facts(channel, message, handling, subjects[handling.alert_id], url)
        alerts.append(facts)
        counts[facts.client or NO_CLIENT][facts.asset_type] += 1
    alerts.sort(key=_rank, reverse=True)
    groups = [Group(client=client, alerts=its.total(), types=its) for client, its in counts.items()]
    groups.sort(key=lambda group: (-group.alerts, group.client))
    return alerts, groups


def _rank(alert: AlertFacts) -> tuple[bool, int, int]:
    return (
        alert.over is None,
        URGENCIES.index(alert.urgency),
        SEVERITIES.index(alert.severity),
    )


def _to_facts(
    channel: Channel, message: Message, handling: AlertHandling, subject: Subject, url: str
) -> AlertFacts:
    tells_over = message.reason is MessageReason.RESOLVED or message.facts.get(TOLD_OVER)
    can_be_taken = handling.over_at is None and handling.acknowledged_at is None
    return to_facts(
        subject,
        began=handling.began_at,
        over=handling.over_at if tells_over else None,
        occurrence=handling.occurrence,
        urgency=message.facts.get("urgency") or "normal",
        rule=message.facts.get("rule") or "",
        url=f"{url}/{handling.alert_id}",
        acknowledge_url=make_link(handling.id, channel.id) if can_be_taken else "",
    )
