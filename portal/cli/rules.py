"""`portal rules`: what is done about alerts, and what it would have been."""

from __future__ import annotations

from typing import BinaryIO

import click

from portal.cli.command import DefaultGroup, PortalCommand, tenant_option
from portal.cli.outcome import Outcome, columns
from portal.services.rules.file.content import write_content
from portal.services.rules.file.importing import apply_import, preview_import
from portal.services.rules.file.reading import MOST_BYTES
from portal.services.rules.listing import list_rules
from portal.services.rules.present import describe_trial, to_records
from portal.services.rules.trial import DAYS, try_rules
from portal.wording import plural

NONE = "There are no rules: nobody is told of alerts."


@click.group(cls=DefaultGroup, default="list")
def rules() -> None:
    """Show the rules of alerts, try them on the last days, or keep them as a file."""


@rules.command("list", cls=PortalCommand)
@tenant_option
def list_all() -> Outcome:
    """The rules in the order in which they are tried."""
    found = to_records(list_rules())
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
    return Outcome({"ok": True, **describe_trial(trial)}, "\n".join(lines))


@rules.command("export", cls=PortalCommand)
@tenant_option
def export_file() -> Outcome:
    """Print rules, maintenance windows, channels and helpdesks as YAML, without secrets."""
    text = write_content()
    return Outcome({"ok": True, "yaml": text}, text)


@rules.command("import", cls=PortalCommand)
@click.argument("file", type=click.File("rb"))
@click.option("--dry-run", is_flag=True, help="Show what would change, and change nothing.")
@tenant_option
def import_file(file: BinaryIO, dry_run: bool) -> Outcome:
    """Take over a FILE as `export` prints it; `-` reads standard input.

    What it names is added or changed; nothing is deleted. New channels are switched off until
    their secrets are entered.
    """
    take = preview_import if dry_run else apply_import
    done = take(file.read(MOST_BYTES + 1), "portal rules import")
    table = [[line.action, line.kind, line.name, ", ".join(line.notes)] for line in done.lines]
    changes = [
        {"kind": line.kind, "name": line.name, "action": line.action, "notes": list(line.notes)}
        for line in done.lines
    ]
    data = {"ok": True, "dry_run": dry_run, "changes": changes}
    return Outcome(data, columns(table) if table else "The file holds nothing.")
