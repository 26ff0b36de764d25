"""Trying rules on an alert, in their order. Pure: knows neither Flask nor the database."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

from portal.services.rules.matching import Match, explain, find_unmet
from portal.services.rules.terms import Conditions, Steps, Subject
from portal.wording import plural, say_moment

CLOCKS_DIFFER = timedelta(minutes=5)
"""At most, between Tactical's clock and ours, and so long its news may take."""
NO_RULE = "There is no rule that is switched on."
NO_MATCH = "No rule matches."
UNREADABLE = "Its conditions cannot be read. Open the rule, correct and save it."


@dataclass(frozen=True, slots=True)
class RuleInForce:
    """A rule that is switched on. `conditions`: None where what is stored cannot be read."""

    id: int
    name: str
    go_on: bool
    switched_on_at: datetime
    conditions: Conditions | None
    steps: Steps


@dataclass(slots=True)
class Tried:
    """`explanation`: each rule that was tried, as it is kept; `acting`: those that matched;
    `waits`: those that will match once the alert has lasted long enough, and when that is."""

    explanation: list[dict[str, Any]] = field(default_factory=list)
    acting: list[RuleInForce] = field(default_factory=list)
    waits: list[tuple[RuleInForce, datetime]] = field(default_factory=list)
    reason: str = NO_RULE
    """Why nobody is told, where none acts or waits."""

    @property
    def look_again_at(self) -> datetime | None:
        return min((moment for _rule, moment in self.waits), default=None)


@dataclass(frozen=True, slots=True)
class Trial:
    """What an alert is judged by. `numbers`: how many such alerts there were, by the id of the
    rule that asks. `forced`: rules that act also on alerts that began before them."""

    subject: Subject
    noticed_at: datetime
    now: datetime
    numbers: Mapping[int, int] = field(default_factory=dict)
    forced: frozenset[int] = frozenset()


def try_rules(rules: Sequence[RuleInForce], trial: Trial) -> Tried:
    """The first one that matches is the last one tried, unless it says `go_on`."""
    tried = Tried()
    for rule in rules:
        match = _try(rule, trial)
        tried.explanation.append(
            {"rule_id": rule.id, "name": rule.name, "matched": match.matched, "why": match.why}
        )
        if match.waits_until is not None:
            tried.waits.append((rule, match.waits_until))
        elif match.matched:
            tried.acting.append(rule)
        if (match.matched or match.waits_until is not None) and not rule.go_on:
            break
    if rules:
        tried.reason = _find_short(rules, trial) or NO_MATCH
    return tried


def _try(rule: RuleInForce, trial: Trial) -> Match:
    if rule.conditions is None:
        return Match(False, UNREADABLE)
    if rule.id not in trial.forced and not _began_after(rule, trial):
        moment = say_moment(rule.switched_on_at)
        return Match(False, f"It was switched on after the alert began, on {moment}.")
    return explain(rule.conditions, trial.subject, trial.now, trial.numbers.get(rule.id, 1))


def _began_after(rule: RuleInForce, trial: Trial) -> bool:
    began = trial.subject.since
    is_fresh = trial.noticed_at - began <= CLOCKS_DIFFER
    return max(began, trial.noticed_at if is_fresh else began) >= rule.switched_on_at


def _find_short(rules: Sequence[RuleInForce], trial: Trial) -> str | None:
    """Of an alert that is over: the first rule for which it did not last long enough."""
    over_at = trial.subject.over_at
    if over_at is None:
        return None
    lasted = over_at - trial.subject.since
    for rule in rules:
        minutes = rule.conditions.lasting_minutes if rule.conditions else None
        if minutes is None or lasted >= timedelta(minutes=minutes) or rule.conditions is None:
            continue
        if _began_after(rule, trial) and find_unmet(rule.conditions, trial.subject) is None:
            took = plural(max(int(lasted.total_seconds() // 60), 0), "minute")
            return f"It was resolved after {took}; the rule “{rule.name}” waits for {minutes}."
    return None
