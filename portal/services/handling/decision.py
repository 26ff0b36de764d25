"""Deciding what to do about one occurrence of an alert. Reads and writes nothing."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

from portal.models import AlertHandling
from portal.models.alerts.alert import AlertStatus
from portal.models.alerts.handling import HandlingState
from portal.models.alerts.timeline import TimelineKind
from portal.models.channels.message import MessageReason
from portal.models.events.event import EventType
from portal.services.handling import steps
from portal.services.handling.facts import Facts
from portal.services.handling.outcome import Outcome
from portal.services.handling.trying import Trial, Tried, try_rules
from portal.services.rules.terms import Subject
from portal.services.windows.covering import InForce, find_covering
from portal.wording import say_moment

OVER = "The alert is over."
ACTIVE_AGAIN = "The alert is active after all."
FORCE = "force"
"""In a plan: a person wants a rule to act on an alert that began before it."""
SNOOZED = "snoozed"
"""In a plan: a rule would have acted, had the alert not been snoozed."""
PUT_OFF = "It is snoozed."
RESOLVED_MEANWHILE = "It was resolved while it was snoozed."
LOOK_AGAIN = timedelta(hours=1)
"""At the latest: what Tactical snoozes, it may wake before the time that it named."""


def decide(handling: AlertHandling, facts: Facts) -> Outcome:
    outcome = Outcome(handling, {"due_at": None})
    subject = facts.subjects[handling.id]
    if handling.state is HandlingState.HELD:
        _decide_held(outcome, subject, facts)
    elif handling.state is HandlingState.UNDECIDED:
        _decide_new(outcome, subject, facts)
    elif handling.state is HandlingState.ACTED:
        _go_on(outcome, subject, facts)
    return outcome


def _decide_held(outcome: Outcome, subject: Subject, facts: Facts) -> None:
    """Its window ended, was changed, or the alert is over."""
    handling = outcome.handling
    counts_from = subject.since
    if handling.over_at is not None and handling.over_at <= counts_from:
        outcome.be_silent(
            f"It was resolved during the maintenance window “{handling.window_name}”."
        )
        return
    outcome.values["held_until"] = counts_from
    _decide_new(outcome, subject, facts)


def _decide_new(outcome: Outcome, subject: Subject, facts: Facts) -> None:
    covering = find_covering(facts.in_force, subject)
    if covering is not None:
        _hold(outcome, covering)
        return
    _revive(outcome, facts)
    tried = _try(outcome.handling, subject, facts)
    outcome.values["explanation"] = tried.explanation
    if tried.acting and _is_put_off(outcome, tried, facts):
        return
    if tried.acting:
        steps.act(outcome, tried, facts)
    elif tried.waits:
        _wait(outcome, tried)
    else:
        outcome.be_silent(tried.reason)


def _try(handling: AlertHandling, subject: Subject, facts: Facts) -> Tried:
    forced = frozenset(step["rule_id"] for step in handling.plan if step["do"] == FORCE)
    numbers = facts.numbers.get(handling.id, {})
    return try_rules(facts.rules, Trial(subject, handling.noticed_at, facts.now, numbers, forced))


def _hold(outcome: Outcome, covering: InForce) -> None:
    handling, (window, end) = outcome.handling, covering
    values: dict[str, Any] = {"window_id": window.id, "window_name": window.name}
    values |= {"held_until": end, "due_at": end, "state": HandlingState.HELD, "reason": None}
    if handling.over_at is not None:
        outcome.be_silent(
            f"It was resolved during the maintenance window “{window.name}”.",
            **{name: values[name] for name in ("window_id", "window_name", "held_until")},
        )
        return
    outcome.values |= values
    was_held = handling.state is HandlingState.HELD and handling.window_id == window.id
    if was_held and handling.held_until == end:
        return
    text = f"The maintenance window “{window.name}” keeps it silent until {say_moment(end)}."
    outcome.tell(TimelineKind.WINDOW, text, window_id=window.id)
    if not was_held:
        outcome.event = EventType.ALERT_KEPT_BACK, {"window": window.name}


def _revive(outcome: Outcome, facts: Facts) -> None:
    """That it is over need not be told any more, where it is not."""
    if outcome.handling.reopened and outcome.handling.over_at is None:
        known = facts.messages.get(outcome.handling.id, ())
        steps.drop_waiting(outcome, known, (MessageReason.RESOLVED,), ACTIVE_AGAIN)


def _wait(outcome: Outcome, tried: Tried) -> None:
    rule, until = min(tried.waits, key=lambda wait: wait[1])
    outcome.values |= {"state": HandlingState.UNDECIDED, "reason": None, "due_at": until}
    if outcome.values["explanation"] != outcome.handling.explanation:
        text = f"The rule “{rule.name}” waits until {say_moment(until)}, if it lasts."
        outcome.tell(TimelineKind.WAITING, text, rule_id=rule.id)


def _is_put_off(outcome: Outcome, tried: Tried, facts: Facts) -> bool:
    """Whoever snoozes an alert knows of it: rules act once it is active again."""
    handling, until = outcome.handling, _find_end_of_snooze(outcome, facts)
    was_put_off = any(step["do"] == SNOOZED for step in handling.plan)
    if was_put_off and handling.over_at is not None:
        outcome.be_silent(RESOLVED_MEANWHILE)
        return True
    others = [step for step in handling.plan if step["do"] != SNOOZED]
    if until is None:
        outcome.values["plan"] = others
        return False
    mark = {"do": SNOOZED, "at": until.isoformat()}
    outcome.values |= {"state": HandlingState.UNDECIDED, "plan": [*others, mark], "due_at": until}
    outcome.values["reason"] = PUT_OFF
    if not was_put_off:
        text = f"The rule “{tried.acting[0].name}” waits, because the alert is snoozed."
        outcome.tell(TimelineKind.WAITING, text, rule_id=tried.acting[0].id)
    return True


def _find_end_of_snooze(outcome: Outcome, facts: Facts) -> datetime | None:
    """When to look again; None for what is not snoozed (any more)."""
    alert = facts.alerts[outcome.handling.alert_id]
    until = alert.snoozed_until
    if alert.status is not AlertStatus.SNOOZED or (until is not None and until <= facts.now):
        return None
    latest = facts.now + LOOK_AGAIN
    return until if until is not None and (alert.snoozed_by or until < latest) else latest


def _go_on(outcome: Outcome, subject: Subject, facts: Facts) -> None:
    """Somebody was told: remind, escalate, or say that it is over."""
    handling = outcome.handling
    if handling.over_at is not None:
        _end(outcome, facts)
        return
    covering = find_covering(facts.in_force, subject)
    until = covering.end if covering is not None else _find_end_of_snooze(outcome, facts)
    if until is not None and handling.plan:
        outcome.values["due_at"] = until
        return
    must_try = any(step["do"] == steps.TRY for step in handling.plan)
    if handling.acknowledged_at is None:
        plan = steps.take_due(outcome, facts)
        outcome.plan([step for step in plan if step["do"] != steps.TRY])
    if must_try:
        tried = _try(handling, subject, facts)
        outcome.values["explanation"] = tried.explanation
        if tried.acting and not handling.acknowledged_at:
            steps.act(outcome, tried, facts)
        elif tried.look_again_at is not None:
            outcome.plan([*outcome.values.get("plan", []), steps.plan_try(tried.look_again_at)])


def _end(outcome: Outcome, facts: Facts) -> None:
    """Whoever was told that it began is told that it is over."""
    handling = outcome.handling
    known = facts.messages.get(handling.id, ())
    later = (MessageReason.REMINDER, MessageReason.ESCALATED)
    steps.drop_waiting(outcome, known, later, OVER)
    left = [each for each in known if each.id not in outcome.dropped]
    told = steps.describe_told(handling)
    there = [channel for channel in steps.list_told(left) if channel in facts.channels]
    outcome.send(there, MessageReason.RESOLVED, told)
    outcome.plan([])
