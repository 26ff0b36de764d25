"""Rules for the first day, taken with one click.

What an MSP wants then: a server that does not answer is told at once, and again; an error once it
has lasted, as many pass by themselves; a lasting warning of a server, without urgency. What only
informs, and workstations that were switched off, tell nobody.
"""

from __future__ import annotations

from collections.abc import Sequence

from portal.db import transaction
from portal.errors import Refused
from portal.models import AlertRule
from portal.services.audit.actions import Action
from portal.services.audit.record import Target, record
from portal.services.channels.listing import list_names
from portal.services.rules.changes import Draft, insert_rule, lock_rules
from portal.services.rules.terms import Conditions, Steps

INFO_REASON = "Alerts that only inform tell nobody."
WORKSTATION_REASON = "Workstations are switched off by the people who use them."


def make_defaults(channels: Sequence[int]) -> list[Draft]:
    """Which all tell these channels."""
    told = tuple(channels)
    return [
        Draft(
            "Information",
            Conditions(severities=("info",)),
            Steps(ignore=INFO_REASON),
        ),
        Draft(
            "Workstations that are switched off",
            Conditions(kinds=("availability",), asset_types=("workstation",)),
            Steps(ignore=WORKSTATION_REASON),
        ),
        Draft(
            "Servers that do not answer",
            Conditions(kinds=("availability",), asset_types=("server",)),
            Steps(notify=told, urgency="high", remind_hours=4),
        ),
        Draft(
            "Errors that last",
            Conditions(severities=("error",), lasting_minutes=5),
            Steps(notify=told, urgency="normal"),
        ),
        Draft(
            "Warnings of servers that last",
            Conditions(severities=("warning",), asset_types=("server",), lasting_minutes=30),
            Steps(notify=told, urgency="low"),
        ),
    ]


def take_defaults() -> list[AlertRule]:
    """Switched on, behind the rules that there are. Raises Refused where there is no channel."""
    channels = list(list_names())
    if not channels:
        raise Refused("Add a channel first: without one, rules have nobody to tell.")
    with transaction() as session:
        lock_rules(session)
        added = [insert_rule(session, draft, is_on=True) for draft in make_defaults(channels)]
        names = {"rules": [rule.name for rule in added]}
        record(Action.DEFAULT_RULES_TAKEN, Target("rule"), after=names)
    return added
