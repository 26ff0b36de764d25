"""Rules tried on what was: which alerts they would have matched."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from portal.clock import utc_now
from portal.db import db
from portal.services.rules.listing import RuleView
from portal.services.rules.matching import Match, Tally, explain
from portal.services.rules.subjects import load_history
from portal.services.rules.terms import Conditions, Subject

DAYS = 30
MOST_TRIED = 10_000
"""Of so many alerts at most; the newest count."""


@dataclass(frozen=True, slots=True)
class Matched:
    subject: Subject
    why: str


@dataclass(frozen=True, slots=True)
class Trial:
    """`matched`: the newest first. `is_cut`: there were more alerts than were tried."""

    days: int
    tried: int
    matched: list[Matched]
    is_cut: bool


@dataclass(frozen=True, slots=True)
class Outcome:
    """Of one rule, tried in its place: `decided` are alerts that no rule before it kept."""

    rule: RuleView
    matched: int
    decided: int


@dataclass(frozen=True, slots=True)
class TrialOfAll:
    """`silent`: alerts that no rule matched, so that nobody would have been told."""

    days: int
    tried: int
    outcomes: list[Outcome]
    silent: int
    is_cut: bool


class Judge:
    """One rule's conditions over many alerts, which count as each other's like."""

    def __init__(self, conditions: Conditions, others: Iterable[Subject]) -> None:
        self._conditions = conditions
        self._tally = Tally(conditions, others) if conditions.at_least else None

    def judge(self, subject: Subject, now: datetime) -> Match:
        number = self._tally.count(subject) if self._tally else 1
        return explain(self._conditions, subject, now, number)


def try_conditions(conditions: Conditions, days: int = DAYS) -> Trial:
    """What one rule would have matched, were it the only one. Windows do not count."""
    now = utc_now()
    subjects, is_cut = _load(now, days)
    judge = Judge(conditions, subjects)
    judged = ((subject, judge.judge(subject, now)) for subject in subjects)
    matched = [Matched(subject, match.why) for subject, match in judged if match.matched]
    return Trial(days, len(subjects), matched, is_cut)


def try_rules(rules: Sequence[RuleView], days: int = DAYS) -> TrialOfAll:
    """What rules would have matched in this order, as if they had been on all the time."""
    now = utc_now()
    subjects, is_cut = _load(now, days)
    judges = [(rule, Judge(rule.conditions, subjects)) for rule in rules if not rule.problem]
    matched: Counter[int] = Counter()
    decided: Counter[int] = Counter()
    silent = 0
    for subject in subjects:
        kept = told = False
        for rule, judge in judges:
            if not judge.judge(subject, now).matched:
                continue
            matched[rule.rule.id] += 1
            if not kept:
                decided[rule.rule.id] += 1
                told, kept = True, not rule.rule.go_on
        silent += not told
    outcomes = [Outcome(rule, matched[rule.rule.id], decided[rule.rule.id]) for rule in rules]
    return TrialOfAll(days, len(subjects), outcomes, silent, is_cut)


def _load(now: datetime, days: int) -> tuple[list[Subject], bool]:
    found = load_history(db.session(), now - timedelta(days=days), MOST_TRIED + 1)
    return found[:MOST_TRIED], len(found) > MOST_TRIED
