"""The steps of rules that matched: whom to tell, and what to do later."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from datetime import datetime, timedelta
from typing import Any

from portal.models import AlertHandling
from portal.models.alerts.handling import HandlingState
from portal.models.alerts.timeline import TimelineKind
from portal.models.channels.message import MessageReason, MessageStatus
from portal.models.events.event import EventType
from portal.services.handling.facts import Facts, Known
from portal.services.handling.outcome import Outcome, Step
from portal.services.handling.trying import RuleInForce, Tried
from portal.services.tickets.ordering import make_order
from portal.wording import join_words, plural

TRY, REMIND, ESCALATE = "try", "remind", "escalate"
BEGINNINGS = (MessageReason.RAISED, MessageReason.REMINDER, MessageReason.ESCALATED)
_CHANNEL_STEPS = (MessageReason.RAISED, MessageReason.ESCALATED)


def act(outcome: Outcome, tried: Tried, facts: Facts) -> None:
    """Take the steps of the rules that matched: the first one's `ignore`, or what all of them
    say together."""
    first = next(filter(_decides, tried.acting), tried.acting[0])
    outcome.values |= {"rule_id": first.id, "rule_name": first.name}
    if first.steps.ignore is not None:
        _ignore(outcome, first)
        return
    telling = [rule for rule in tried.acting if rule.steps.ignore is None]
    steps = _plan_later(outcome, tried, telling, facts)
    named = dict.fromkeys(channel for rule in telling for channel in rule.steps.notify)
    urgency = next((rule.steps.urgency for rule in telling if rule.steps.urgency), "normal")
    there = [channel for channel in named if channel in facts.channels]
    _order_tickets(outcome, telling, urgency, facts)
    if not there and not outcome.tickets and not any(step["do"] == ESCALATE for step in steps):
        _find_nobody(outcome, first)
        return
    told = {"rule": first.name, "urgency": urgency}
    unaware = [channel for channel in there if not is_aware(outcome, facts, channel)]
    outcome.send(unaware, MessageReason.RAISED, told)
    outcome.values |= {"state": HandlingState.ACTED, "reason": None, "urgency": urgency}
    is_taken = outcome.handling.over_at or outcome.handling.acknowledged_at
    outcome.plan([] if is_taken else steps)
    names = [facts.channels[channel] for channel in there]
    helpdesks = [facts.helpdesks[order.helpdesk_id] for order in outcome.tickets]
    _write_down(outcome, telling, names, helpdesks, _count_missing(telling, facts))
    payload = {"rule": first.name, "urgency": urgency, "channels": names, "ignored": None}
    payload["helpdesks"] = helpdesks
    outcome.event = EventType.ALERT_ACTED_ON, payload


def _decides(rule: RuleInForce) -> bool:
    """Not one that only sets the urgency."""
    return rule.steps.ignore is not None or rule.steps.tells


def _order_tickets(
    outcome: Outcome, telling: Sequence[RuleInForce], urgency: str, facts: Facts
) -> None:
    """One in each helpdesk, as the first of the rules says that names it."""
    for rule in telling:
        step, ordered = rule.steps.ticket, {order.helpdesk_id for order in outcome.tickets}
        if step is None or step.helpdesk not in facts.helpdesks or step.helpdesk in ordered:
            continue
        handling = outcome.handling
        subject = facts.subjects[handling.id]
        order = make_order(step, handling, subject, facts.address, rule=rule.name, urgency=urgency)
        outcome.tickets.append(order)


def _count_missing(telling: Sequence[RuleInForce], facts: Facts) -> int:
    """Far sides that the rules name and that are switched off or gone."""
    channels = {channel for rule in telling for channel in rule.steps.notify}
    helpdesks = {rule.steps.ticket.helpdesk for rule in telling if rule.steps.ticket}
    return len(channels - facts.channels.keys()) + len(helpdesks - facts.helpdesks.keys())


def is_aware(outcome: Outcome, facts: Facts, channel_id: int) -> bool:
    """Whether the last thing that it heard, or is about to hear, is that the alert is active."""
    last = None
    for known in facts.messages.get(outcome.handling.id, ()):
        if known.channel_id == channel_id and known.counts and known.id not in outcome.dropped:
            last = known.reason
    return last in BEGINNINGS


def list_told(known: Sequence[Known]) -> list[int]:
    """The channels that were told of the alert, or are about to be."""
    told = dict.fromkeys(each.channel_id for each in known if each.counts and _opens(each))
    return list(told)


def drop_waiting(
    outcome: Outcome, known: Sequence[Known], reasons: Collection[MessageReason], why: str
) -> None:
    """Of these reasons, what no far side has heard of."""
    for each in known:
        waits = each.status is MessageStatus.WAITING and not each.is_begun
        if waits and each.reason in reasons:
            outcome.dropped[each.id] = why


def take_due(outcome: Outcome, facts: Facts) -> list[Step]:
    """Remind and escalate, where it is time; the plan that remains."""
    remaining = []
    for step in outcome.handling.plan:
        if step["do"] == TRY or datetime.fromisoformat(step["at"]) > facts.now:
            remaining.append(step)
        elif step["do"] == REMIND:
            remaining.append(_remind(outcome, facts, step))
        elif step["do"] == ESCALATE:
            _escalate(outcome, facts, step)
    return remaining


def plan_try(at: datetime) -> Step:
    """To try the rules again: one of them waits until the alert has lasted."""
    return {"do": TRY, "at": at.isoformat()}


def _opens(known: Known) -> bool:
    return known.reason in _CHANNEL_STEPS


def _remind(outcome: Outcome, facts: Facts, step: Step) -> Step:
    at = facts.now + timedelta(hours=step["hours"])
    number = step["number"] + 1
    there = [channel for channel in step["channels"] if channel in facts.channels]
    told = describe_told(outcome.handling) | {"number": number}
    outcome.send(there, MessageReason.REMINDER, told, which=f"{step['rule_id']}-{number}")
    return step | {"number": number, "at": at.isoformat()}


def _escalate(outcome: Outcome, facts: Facts, step: Step) -> None:
    there = [channel for channel in step["channels"] if channel in facts.channels]
    outcome.send(there, MessageReason.ESCALATED, describe_told(outcome.handling))
    names = join_words([facts.channels[channel] for channel in there]) or "nobody"
    minutes = plural(step["minutes"], "minute")
    outcome.tell(
        TimelineKind.ESCALATED,
        f"Nobody acknowledged it within {minutes}, so it goes to {names} as well.",
        rule_id=step["rule_id"],
    )


def describe_told(handling: AlertHandling) -> dict[str, Any]:
    """What later messages say of the decision."""
    return {"rule": handling.rule_name or "", "urgency": handling.urgency or "normal"}


def _ignore(outcome: Outcome, rule: RuleInForce) -> None:
    why = rule.steps.ignore or ""
    reason = f"The rule “{rule.name}” says so: {why}" if why else f"The rule “{rule.name}” says so."
    outcome.values |= {"state": HandlingState.IGNORED, "reason": reason}
    outcome.plan([])
    outcome.tell(TimelineKind.RULE, f"Ignored. {reason}", rule_id=rule.id)
    payload: dict[str, Any] = {"rule": rule.name, "urgency": None, "channels": [], "ignored": why}
    payload["helpdesks"] = []
    outcome.event = EventType.ALERT_ACTED_ON, payload


def _find_nobody(outcome: Outcome, rule: RuleInForce) -> None:
    outcome.be_silent(
        f"The rule “{rule.name}” matches, but names no channel or helpdesk that is switched on.",
        urgency=rule.steps.urgency,
    )


def _plan_later(
    outcome: Outcome, tried: Tried, telling: Sequence[RuleInForce], facts: Facts
) -> list[Step]:
    """With what was planned before by rules that were tried earlier."""
    handling = outcome.handling
    before = outcome.values.get("plan", handling.plan)
    planned = {(s["do"], s["rule_id"]): s for s in before if s["do"] in (REMIND, ESCALATE)}
    escalated = {
        each.channel_id
        for each in facts.messages.get(handling.id, ())
        if each.reason is MessageReason.ESCALATED
    }
    escalated |= {
        each["channel_id"] for each in outcome.messages if each["reason"] is MessageReason.ESCALATED
    }
    steps: list[Step] = []
    for rule in telling:
        its = rule.steps
        if its.remind_hours:
            at = facts.now + timedelta(hours=its.remind_hours)
            step = {"do": REMIND, "at": at.isoformat(), "rule_id": rule.id, "number": 0}
            step |= {"hours": its.remind_hours, "channels": list(its.notify)}
            steps.append(planned.get((REMIND, rule.id), step))
        if its.escalate_minutes and not escalated.issuperset(its.escalate_to):
            at = facts.now + timedelta(minutes=its.escalate_minutes)
            step = {"do": ESCALATE, "at": at.isoformat(), "rule_id": rule.id}
            step |= {"minutes": its.escalate_minutes, "channels": list(its.escalate_to)}
            steps.append(planned.get((ESCALATE, rule.id), step))
    if tried.look_again_at:
        steps.append(plan_try(tried.look_again_at))
    return steps


def _write_down(
    outcome: Outcome,
    telling: Sequence[RuleInForce],
    names: list[str],
    helpdesks: list[str],
    missing: int,
) -> None:
    rules = join_words([f"“{rule.name}”" for rule in telling])
    verb = "rule {} matches" if len(telling) == 1 else "rules {} match"
    text = f"The {verb.format(rules)}. To be told: {join_words(names) or 'nobody yet'}."
    if helpdesks:
        text += f" A ticket belongs in {join_words(helpdesks)}."
    if missing:
        are = "is" if missing == 1 else "are"
        text += f" {plural(missing, 'more far side')} {are} switched off or gone."
    outcome.tell(TimelineKind.RULE, text, rule_id=telling[0].id)
