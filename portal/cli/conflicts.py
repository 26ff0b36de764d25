"""`portal conflicts`: what is asked about agents, and a person's decision about it."""

from __future__ import annotations

import click

from portal.cli.command import DefaultGroup, PortalCommand, RowNumber, tenant_option
from portal.cli.outcome import Outcome, columns
from portal.models.assets.conflict import Settlement
from portal.services.conflicts.listing import export_conflicts
from portal.services.conflicts.reopening import reopen_conflict
from portal.services.conflicts.settling import WORDS, settle_conflict

CHOICES = ("relink", "merge", "separate", "apply")


@click.group(cls=DefaultGroup, default="list")
def conflicts() -> None:
    """Show the conflicts that wait for a person, settle one, or open one again."""


@conflicts.command("list", cls=PortalCommand)
@tenant_option
def list_open() -> Outcome:
    """The open conflicts, suggestions among them, the oldest first."""
    found = export_conflicts()
    table = [[str(row["id"]), row["kind"], row["agent_id"], row["reason"]] for row in found]
    text = columns(table) if table else "There are no open conflicts."
    return Outcome({"ok": True, "conflicts": found}, text)


@conflicts.command("settle", cls=PortalCommand)
@click.argument("conflict_id", type=RowNumber())
@click.option("--as", "choice", required=True, type=click.Choice(CHOICES), help="What was decided.")
@tenant_option
def settle(conflict_id: int, choice: str) -> Outcome:
    """Settle a conflict.

    `relink` gives the known asset the agent, `merge` makes one asset of both, `separate` keeps
    both for good, and `apply` lets the next sync write what a revert took back.
    """
    settlement = Settlement(choice)
    run = settle_conflict(conflict_id, settlement)
    data = {"ok": True, "id": conflict_id, "settled_as": choice, "run": run.id if run else None}
    text = f"{run.title}." if run else f"The conflict was {WORDS[settlement]}."
    return Outcome(data, text)


@conflicts.command("reopen", cls=PortalCommand)
@click.argument("conflict_id", type=RowNumber())
@tenant_option
def reopen(conflict_id: int) -> Outcome:
    """Take back that both assets of a conflict were kept, so that it waits for a decision again."""
    reopen_conflict(conflict_id)
    return Outcome({"ok": True, "id": conflict_id}, f"Conflict {conflict_id} is open again.")
