"""Rules for programs: what the API and `portal rules` print."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from portal.clock import iso_utc
from portal.services.channels.listing import list_names
from portal.services.helpdesks.listing import list_names as list_helpdesks
from portal.services.rules.listing import RuleView
from portal.services.rules.terms import to_json
from portal.services.rules.trial import TrialOfAll
from portal.services.rules.words import describe_conditions, describe_steps, name_places


def to_records(rules: Sequence[RuleView]) -> list[dict[str, Any]]:
    """Conditions and steps both as they are kept and in words. The ids of rules are text."""
    channels, helpdesks, names = list_names(), list_helpdesks(), name_places(rules)
    return [
        {
            "id": str(view.rule.id),
            "position": view.rule.position,
            "name": view.rule.name,
            "on": view.is_on,
            "switched_on_at": (
                iso_utc(view.rule.switched_on_at) if view.rule.switched_on_at else None
            ),
            "go_on": view.rule.go_on,
            "conditions": to_json(view.conditions),
            "steps": to_json(view.steps),
            "conditions_in_words": describe_conditions(view.conditions, names),
            "steps_in_words": describe_steps(view.steps, channels, helpdesks),
            "problem": view.problem,
            "created_at": iso_utc(view.rule.created_at),
            "changed_at": iso_utc(view.rule.changed_at),
        }
        for view in rules
    ]


def describe_trial(trial: TrialOfAll) -> dict[str, Any]:
    return {
        "days": trial.days,
        "alerts": trial.tried,
        "cut": trial.is_cut,
        "rules": [
            {
                "id": str(each.rule.rule.id),
                "name": each.rule.rule.name,
                "matched": each.matched,
                "decided": each.decided,
            }
            for each in trial.outcomes
        ],
        "no_rule": trial.silent,
    }
