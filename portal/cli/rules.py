"""`portal rules`: what is done about alerts, and what it would have been."""

from __future__ import annotations

import click

from portal.cli.command import DefaultGroup, PortalCommand, tenant_option
from portal.cli.outcome import Outcome, columns
from portal.services.rules.listing import list_rules
from portal.services.rules.present import export_rules, export_trial
from portal.services.rules.trial import DAYS, try_rules
from portal.wording import plural

NONE = "There are no rules: nobody is told of alerts."


@click.group(cls=DefaultGroup, default="list")
def rules() -> None:
    """Show the rules of alerts, or try them on the alerts of the last days."""


@rules.command("list", cls=PortalCommand)
@tenant_option
def list_all() -> Outcome:
    """The rules in the order in which they are tried."""
    found = export_rules()
    table = [
        [
            str(row["position"]),
            row["name"],
            "on" if row["on"] else "off",
            "; ".join(row["conditions_in_words"]) or "all alerts",
            "; ".join(row["steps_in_words"]) + (", then go on" if row["go_on"] else ""),
        ]
        for row in found
    ]
    return Outcome({"ok": True, "rules": found}, columns(table) if table else NONE)


@rules.command("try", cls=PortalCommand)
@click.option(
    "--days",
    type=click.IntRange(1, 365),
    default=DAYS,
    help="How far back to look.",
    show_default=True,
)
@tenant_option
def try_all(days: int) -> Outcome:
    """Try the rules that are switched on, in their order, on the alerts of the last days.

    Nothing is changed and nobody is told. Maintenance windows do not count.
    """
    trial = try_rules([view for view in list_rules() if view.is_on], days)
    table = [
        [each.rule.rule.name, f"matched {each.matched:,}", f"decided {each.decided:,}"]
        for each in trial.outcomes
    ]
    newest = "newest " if trial.is_cut else ""
    head = f"Of the {newest}{plural(trial.tried, 'alert')} of the last {plural(days, 'day')}:"
    rest = f"No rule matched {plural(trial.silent, 'alert')}, of which nobody would be told."
    lines = [head, *([columns(table)] if table else []), rest]
    return Outcome({"ok": True, **export_trial(trial)}, "\n".join(lines))
