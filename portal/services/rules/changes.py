"""Rules: added, changed, ordered, switched on and off, deleted; each with its audit row."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy.orm import Session

from portal.clock import utc_now
from portal.db import transaction
from portal.errors import NotFound, Refused
from portal.models import AlertRule, Tenant
from portal.models.undo.offer import UndoKind
from portal.scope import get_tenant_id
from portal.services.audit.actions import Action
from portal.services.audit.record import Target, record
from portal.services.audit.values import differing
from portal.services.channels.listing import list_names
from portal.services.clients import list_client_names
from portal.services.faults import Faults
from portal.services.helpdesks.listing import list_names as list_helpdesks
from portal.services.lists.ticked import check_ticked
from portal.services.rules.checking import check_conditions, check_steps
from portal.services.rules.listing import get_rule, query_rules
from portal.services.rules.terms import Conditions, Steps, to_json
from portal.services.text import LONGEST_LINE, clean_line
from portal.services.undo.offers import CHANGED_SINCE, offer_undo, tell_undone

MOST_RULES = 100


@dataclass(frozen=True, slots=True)
class Draft:
    """A rule as a person or a file words it."""

    name: str
    conditions: Conditions
    steps: Steps
    go_on: bool = False


def check_draft(draft: Draft) -> Draft:
    """As it would be kept. Raises InvalidInput, for all that is wrong with it."""
    faults, name, conditions, steps = Faults(), draft.name, draft.conditions, draft.steps
    with faults.collected():
        name = clean_line(name, "name", "a name for the rule")
    with faults.collected():
        conditions = check_conditions(conditions)
    with faults.collected():
        steps = check_steps(steps)
        if not draft.go_on and steps == Steps(urgency=steps.urgency):
            words = "A rule that only sets the urgency must let the rules after it go on."
            faults.note(words, "go_on")
    if not list_client_names(conditions.clients).keys() >= set(conditions.clients):
        faults.note("One of the clients is no longer there.", "clients")
    _check_far_sides(faults, steps)
    faults.raise_any()
    return Draft(name, conditions, steps, draft.go_on)


def add_rule(draft: Draft, *, is_on: bool) -> AlertRule:
    """At the end of the order. Raises InvalidInput, Refused."""
    with transaction() as session:
        lock_rules(session)
        rule = insert_rule(session, draft, is_on=is_on)
        record(Action.RULE_ADDED, _target(rule), after={**describe_rule(rule), "on": is_on})
    return rule


def insert_rule(session: Session, draft: Draft, *, is_on: bool) -> AlertRule:
    """`add_rule` inside another service's transaction, which holds `lock_rules` and records it."""
    draft, rules = check_draft(draft), query_rules()
    if len(rules) >= MOST_RULES:
        raise Refused(f"There are already {MOST_RULES} rules, which is the most allowed.")
    rule = AlertRule(
        position=max((rule.position for rule in rules), default=0) + 1,
        switched_on_at=utc_now() if is_on else None,
        **_columns(draft),
    )
    session.add(rule)
    session.flush()
    return rule


def save_rule(rule_id: int, draft: Draft) -> AlertRule:
    """It stays where it is in the order, and on or off. Raises InvalidInput."""
    with transaction() as session:
        lock_rules(session)
        rule = get_rule(rule_id)
        was, becomes = update_rule(rule, draft)
        if becomes:
            record(Action.RULE_CHANGED, _target(rule), was, becomes)
    return rule


def update_rule(rule: AlertRule, draft: Draft) -> tuple[dict[str, Any], dict[str, Any]]:
    """`save_rule` inside another service's transaction, which holds `lock_rules` and records it:
    what changed, before and after."""
    draft = check_draft(draft)
    was, becomes = differing(describe_rule(rule), _columns(draft))
    for name, value in becomes.items():
        setattr(rule, name, value)
    if becomes:
        rule.changed_at = utc_now()
    return was, becomes


def delete_rule(rule_id: int) -> str:
    """The name of the rule deleted. What it did stays on record with its name."""
    with transaction() as session:
        lock_rules(session)
        rule = get_rule(rule_id)
        record(
            Action.RULE_DELETED, _target(rule), {"position": rule.position, **describe_rule(rule)}
        )
        number_rules([each for each in query_rules() if each is not rule])
        session.delete(rule)
    return rule.name


def duplicate_rule(rule_id: int) -> AlertRule:
    """A copy that is switched off, behind the original. Raises Refused."""
    with transaction() as session:
        lock_rules(session)
        rule = get_rule(rule_id)
        name = f"Copy of {rule.name}"[:LONGEST_LINE]
        copy = AlertRule(**describe_rule(rule) | {"name": name}, position=rule.position)
        rules = query_rules()
        if len(rules) >= MOST_RULES:
            raise Refused(f"There are already {MOST_RULES} rules, which is the most allowed.")
        rules.insert(rules.index(rule) + 1, copy)
        session.add(copy)
        number_rules(rules)
        session.flush()
        record(Action.RULE_ADDED, _target(copy), after={**describe_rule(copy), "on": False})
    return copy


def move_rule(rule_id: int, *, up: bool) -> AlertRule:
    """By one place; the first and the last stay where they are."""
    with transaction() as session:
        lock_rules(session)
        rule, rules = get_rule(rule_id), query_rules()
        place = rules.index(rule)
        wanted = min(max(place + (-1 if up else 1), 0), len(rules) - 1)
        rules.insert(wanted, rules.pop(place))
        number_rules(rules)
        record(Action.RULE_MOVED, _target(rule), {"position": place + 1}, {"position": wanted + 1})
    return rule


def switch_rules(rule_ids: Collection[int], *, on: bool) -> tuple[list[AlertRule], int | None]:
    """On: they act on alerts that begin from now on. Those that are so already stay as they are.

    Returns those that were switched, and the number of the offer to undo it. Raises InvalidInput
    for none, and NotFound where none of them is there.
    """
    ids = check_ticked(rule_ids, "rule", MOST_RULES)
    at = utc_now() if on else None
    with transaction() as session:
        lock_rules(session)
        there = [rule for rule in query_rules() if rule.id in ids]
        if not there:
            raise NotFound("This rule does not exist.")
        switched = [rule for rule in there if (rule.switched_on_at is not None) is not on]
        was = [(rule.id, _to_text(rule.switched_on_at)) for rule in switched]
        for rule in switched:
            _switch(rule, at)
    if not switched:
        return [], None
    return switched, offer_undo(UndoKind.RULES_SWITCHED, {"at": _to_text(at), "was": was})


def take_back_switching(at: str | None, was: Sequence[tuple[int, str | None]]) -> str:
    """Undo `switch_rules`, of those that nobody has switched since: what was on is on since then.
    Raises Refused for none."""
    before = dict(was)
    with transaction() as session:
        lock_rules(session)
        switched = [
            rule
            for rule in query_rules()
            if rule.id in before and _to_text(rule.switched_on_at) == at
        ]
        if not switched:
            raise Refused(CHANGED_SINCE)
        for rule in switched:
            since = before[rule.id]
            _switch(rule, datetime.fromisoformat(since) if since else None)
    return tell_undone(f"switched {'on' if at else 'off'}", len(switched), len(was), "rule")


def _switch(rule: AlertRule, at: datetime | None) -> None:
    """On since then; None: off."""
    action = Action.RULE_SWITCHED_ON if at else Action.RULE_SWITCHED_OFF
    record(action, _target(rule), {"on": rule.switched_on_at is not None}, {"on": at is not None})
    rule.switched_on_at = at


def _to_text(at: datetime | None) -> str | None:
    return at.isoformat() if at else None


def lock_rules(session: Session) -> None:
    """One at a time; who only adds rows of the tenant does not wait."""
    session.get_one(Tenant, get_tenant_id(), with_for_update={"key_share": True})


def number_rules(rules: Sequence[AlertRule]) -> None:
    for position, rule in enumerate(rules, start=1):
        rule.position = position


def _columns(draft: Draft) -> dict[str, Any]:
    return {
        "name": draft.name,
        "go_on": draft.go_on,
        "conditions": to_json(draft.conditions),
        "steps": to_json(draft.steps),
    }


def describe_rule(rule: AlertRule) -> dict[str, Any]:
    """What people write into it."""
    return {name: getattr(rule, name) for name in ("name", "go_on", "conditions", "steps")}


def _check_far_sides(faults: Faults, steps: Steps) -> None:
    known = list_names()
    for field, ids in (("notify", steps.notify), ("escalate_to", steps.escalate_to)):
        if not known.keys() >= set(ids):
            faults.note("One of the channels is no longer there.", field)
    if steps.ticket and steps.ticket.helpdesk not in list_helpdesks():
        faults.note("The helpdesk is no longer there.", "ticket_helpdesk")


def _target(rule: AlertRule) -> Target:
    return Target("rule", rule.id, rule.name)
