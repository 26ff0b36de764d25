"""Rules in words: who reads the list sees what each does without opening it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from portal.services.rules.hours import tell_hours
from portal.services.rules.listing import RuleView
from portal.services.rules.terms import Conditions, Steps
from portal.services.windows.scopes import Names
from portal.services.windows.terms import Scope
from portal.wording import join_words, plural

MOST_NAMED = 5
GONE_CHANNEL = "a channel that is no longer there"
GONE_HELPDESK = "a helpdesk that is no longer there"


def name_places(rules: Sequence[RuleView]) -> Names:
    """Of all clients, organizations, sites and assets that the rules name."""
    return Names([_scope(rule.conditions) for rule in rules])


def describe_conditions(conditions: Conditions, names: Names) -> list[str]:
    """One part for each that is filled in; none where the rule matches every alert."""
    places = names.describe(_scope(conditions)) if _has_places(conditions) else []
    lists: list[tuple[str, list[str]]] = [
        ("severity", [str(each) for each in conditions.severities]),
        ("kind", [str(each) for each in conditions.kinds]),
        *(
            (kind, [part.name for part in places if part.kind == kind])
            for kind in ("client", "organization", "site", "asset")
        ),
        ("type", list(conditions.asset_types)),
        ("system", list(conditions.systems)),
        ("tag", list(conditions.tags)),
    ]
    return [f"{what} {_one_of(chosen)}" for what, chosen in lists if chosen] + _tell_rest(
        conditions
    )


def describe_steps(
    steps: Steps, channels: Mapping[int, str], helpdesks: Mapping[int, str]
) -> list[str]:
    """`tell Mail and Slack`, `remind every 4 hours` …"""
    if steps.ignore is not None:
        return [f"ignore: {steps.ignore}"]
    parts = []
    if steps.notify:
        parts.append(f"tell {_name_channels(steps.notify, channels)}")
    if steps.urgency:
        parts.append(f"urgency {steps.urgency}")
    if steps.remind_hours:
        hours = plural(steps.remind_hours, "hour")
        parts.append(f"remind every {'hour' if steps.remind_hours == 1 else hours}")
    if steps.escalate_minutes:
        others = _name_channels(steps.escalate_to, channels)
        parts.append(
            f"tell {others} after {plural(steps.escalate_minutes, 'minute')} "
            "without acknowledgement"
        )
    if step := steps.ticket:
        of = "check or task" if step.per == "check" else step.per
        name = helpdesks.get(step.helpdesk, GONE_HELPDESK)
        parts.append(f"open a ticket in {name}, one for each {of}")
    return parts


def _tell_rest(conditions: Conditions) -> list[str]:
    parts = []
    if conditions.text:
        verb = "matches" if conditions.text.is_pattern else "contains"
        parts.append(f"message {verb} “{conditions.text.sought}”")
    if conditions.hours:
        parts.append(tell_hours(conditions.hours))
    if conditions.lasting_minutes:
        parts.append(f"lasting at least {plural(conditions.lasting_minutes, 'minute')}")
    if wanted := conditions.at_least:
        of = "check or task" if wanted.of == "check" else wanted.of
        parts.append(
            f"at least {wanted.number:,} within {plural(wanted.minutes, 'minute')} of one {of}"
        )
    return parts


def _one_of(chosen: Sequence[str]) -> str:
    """`error or warning`; of many, the first and how many more."""
    shown = list(chosen[:MOST_NAMED])
    if len(chosen) > MOST_NAMED:
        shown.append(f"{len(chosen) - MOST_NAMED} more")
    return join_words(shown).replace(" and ", " or ") if len(shown) > 1 else shown[0]


def _name_channels(ids: Sequence[int], channels: Mapping[int, str]) -> str:
    return join_words([channels.get(each, GONE_CHANNEL) for each in ids])


def _has_places(conditions: Conditions) -> bool:
    return _scope(conditions).has_places


def _scope(conditions: Conditions) -> Scope:
    return Scope(
        clients=conditions.clients,
        organizations=conditions.organizations,
        sites=conditions.sites,
        assets=conditions.assets,
    )
