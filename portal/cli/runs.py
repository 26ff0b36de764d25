"""`portal runs`: what runs did, and one taken back."""

from __future__ import annotations

from typing import Any

import click

from portal.cli.command import DefaultGroup, PortalCommand, RowNumber, tenant_option
from portal.cli.outcome import Outcome, columns
from portal.cli.sync import SyncCommand, to_outcome
from portal.models.runs.sync_run import SyncKind
from portal.services.runs import history, reverts
from portal.services.runs.present import describe_record, describe_run

MOST_LISTED = 100


@click.group(cls=DefaultGroup, default="list")
def runs() -> None:
    """List runs, show what one did, or undo one."""


@runs.command("list", cls=PortalCommand)
@click.option(
    "--kind", type=click.Choice([str(kind) for kind in SyncKind]), help="Only runs of this kind."
)
@tenant_option
def list_runs(kind: str | None) -> Outcome:
    """The newest runs, the newest first."""
    found = [describe_run(run) for run in history.list_newest_runs(kind or "", MOST_LISTED)]
    lines = [[str(each["id"]), each["kind"], each["status"], each["created_at"]] for each in found]
    return Outcome(
        {"ok": True, "runs": found}, columns(lines) if lines else "There are no runs yet."
    )


@runs.command("show", cls=PortalCommand)
@click.argument("run_id", type=RowNumber())
@tenant_option
def show_run(run_id: int) -> Outcome:
    """Show what a run did to each record."""
    run = history.get_run(run_id)
    records = [describe_record(entry) for entry in history.list_whole_log(run_id)]
    lines = [[each["action"], each["name"], each["reason"] or ""] for each in records]
    text = columns(lines) if lines else "This run changed nothing."
    return Outcome(describe_run(run) | {"records": records}, text)


@runs.command("revert", cls=SyncCommand)
@click.argument("run_id", type=RowNumber())
@click.option("--dry-run", is_flag=True, help="Change nothing; show what would be undone.")
@tenant_option
def revert_run(run_id: int, dry_run: bool) -> Outcome:
    """Undo what a run did to assets, as far as nothing else has changed it since."""
    if not dry_run:
        run = reverts.revert_to_end(run_id)
        outcome = to_outcome(run)
        return Outcome(outcome.data | {"id": run.id}, outcome.text, outcome.exit_code)
    plans = reverts.list_reverts(history.get_run(run_id))
    counts: dict[str, int] = {}
    for plan in plans:
        counts[str(plan.action)] = counts.get(str(plan.action), 0) + 1
    records: list[dict[str, Any]] = [
        {
            "action": str(plan.action),
            "agent_id": plan.agent_id,
            "name": plan.name,
            "reason": " ".join([*plan.told, *plan.kept]) or None,
            "changes": {column: list(both) for column, both in plan.changes.items()},
        }
        for plan in plans
    ]
    lines = [[each["action"], each["name"], each["reason"] or ""] for each in records]
    text = columns(lines) if lines else "There is nothing to undo."
    return Outcome({"status": "planned", "counts": counts, "records": records}, text)
