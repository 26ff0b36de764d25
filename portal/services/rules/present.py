"""Rules as the command line and the API tell them."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from portal.clock import iso_utc
from portal.services.rules.listing import RuleView, list_channels, list_rules
from portal.services.rules.terms import to_json
from portal.services.rules.trial import TrialOfAll
from portal.services.rules.words import describe_conditions, describe_steps, name_places


def export_rules(rules: Sequence[RuleView] | None = None) -> list[dict[str, Any]]:
    """In their order; conditions and steps both as they are kept and in words."""
    found, channels = list_rules() if rules is None else rules, list_channels()
    names = name_places(found)
    return [
        {
            "id": view.rule.id,
            "position": place,
            "name": view.rule.name,
            "on": view.is_on,
            "switched_on_at": (
                iso_utc(view.rule.switched_on_at) if view.rule.switched_on_at else None
            ),
            "go_on": view.rule.go_on,
            "conditions": to_json(view.conditions),
            "steps": to_json(view.steps),
            "conditions_in_words": describe_conditions(view.conditions, names),
            "steps_in_words": describe_steps(view.steps, channels),
        }
        for place, view in enumerate(found, start=1)
    ]


def export_trial(trial: TrialOfAll) -> dict[str, Any]:
    return {
        "days": trial.days,
        "alerts": trial.tried,
        "cut": trial.is_cut,
        "rules": [
            {
                "id": each.rule.rule.id,
                "name": each.rule.rule.name,
                "matched": each.matched,
                "decided": each.decided,
            }
            for each in trial.outcomes
        ],
        "no_rule": trial.silent,
    }
