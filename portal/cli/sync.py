"""`portal sync`."""

from __future__ import annotations

from typing import Any

import click

from portal.cli.command import PortalCommand, tenant_option
from portal.cli.outcome import FAILED, PARTIAL, SUCCESS, Outcome
from portal.errors import PortalError
from portal.models import SyncPlan, SyncRun
from portal.models.runs.sync_run import COUNT_NAMES, RunStatus, SyncKind
from portal.services.runs import execution, history, plans

EXIT_CODES = {
    RunStatus.SUCCESS: SUCCESS,
    RunStatus.PLANNED: SUCCESS,
    RunStatus.PARTIAL: PARTIAL,
    RunStatus.HELD: PARTIAL,
}


class SyncCommand(PortalCommand):
    """A command whose JSON is always `status`, `counts`, `errors` and `seconds`."""

    @staticmethod
    def failure_shape(error: PortalError) -> dict[str, Any]:
        return {
            "status": "failed",
            "fault": getattr(error, "fault", None),
            "counts": dict.fromkeys(COUNT_NAMES, 0),
            "errors": [error.message],
            "seconds": 0.0,
        }


@click.group()
def sync() -> None:
    """Bring the portal's records up to date with Tactical."""


@sync.command("organizations", cls=SyncCommand)
@tenant_option
def sync_organizations() -> Outcome:
    """Import Tactical's clients as organizations."""
    return to_outcome(execution.run_to_end(SyncKind.ORGANIZATIONS))


@sync.command("devices", cls=SyncCommand)
@click.option("--dry-run", is_flag=True, help="Change nothing; show what would be done.")
@tenant_option
def sync_devices(dry_run: bool) -> Outcome:
    """Turn the agents of mapped organizations into assets."""
    if not dry_run:
        return to_outcome(execution.run_to_end(SyncKind.DEVICES))
    run = execution.run_to_end(SyncKind.PREVIEW)
    outcome, plan = to_outcome(run), plans.find_plan_of_run(run.id)
    if plan is None:
        return outcome
    data = outcome.data | plan_records(plan) | {"status": str(run.status)}
    counted = ", ".join(f"{number} {action}" for action, number in data["counts"].items())
    return Outcome(data, f"Plan {plan.id}: {counted or 'nothing to do'}", outcome.exit_code)


@sync.command("agent", cls=SyncCommand)
@click.argument("agent_id")
@tenant_option
def sync_agent(agent_id: str) -> Outcome:
    """Refresh one agent, by its agent_id."""
    return to_outcome(execution.run_to_end(SyncKind.AGENT, agent_id))


@sync.command("alerts", cls=SyncCommand)
@tenant_option
def sync_alerts() -> Outcome:
    """Import Tactical's active alerts, and resolve those that are over."""
    return to_outcome(execution.run_to_end(SyncKind.ALERTS))


@sync.command("status", cls=SyncCommand)
@tenant_option
def sync_status() -> Outcome:
    """Read the status of every agent, and nothing else."""
    return to_outcome(execution.run_to_end(SyncKind.STATUS))


@sync.command("software", cls=SyncCommand)
@tenant_option
def sync_software() -> Outcome:
    """Read the installed software of every agent."""
    return to_outcome(execution.run_to_end(SyncKind.SOFTWARE))


def to_outcome(run: SyncRun) -> Outcome:
    errors = [run.error] if run.error else []
    errors += history.list_errors(run.id)
    assert run.started_at is not None
    assert run.finished_at is not None
    seconds = (run.finished_at - run.started_at).total_seconds()
    data = {
        "status": str(run.status),
        "fault": run.fault,
        "source": run.source,
        "counts": run.counts,
        "errors": errors,
        "seconds": round(seconds, 3),
    }
    if run.status is RunStatus.HELD and (plan := plans.find_plan_of_run(run.id)):
        data["plan"] = plan.id
    counts = ", ".join(f"{number} {name}" for name, number in run.counts.items() if number)
    text = f"{run.kind} {run.status} in {seconds:.1f} s: {counts or 'no records'}"
    for error in errors:
        click.echo(f"portal: {error}", err=True)
    return Outcome(data, text, EXIT_CODES.get(run.status, FAILED))


def plan_records(plan: SyncPlan) -> dict[str, Any]:
    """A plan as `--json` has it."""
    return {
        "plan": plan.id,
        "status": str(plan.status),
        "reason": plan.reason,
        "made_at": plan.made_at.isoformat(),
        "expires_at": plan.expires_at.isoformat(),
        "counts": plans.count_actions(plan.id),
        "records": [
            {
                "action": str(row.action),
                "agent_id": row.agent_id,
                "name": row.name,
                "reason": row.reason,
                "changes": row.changes,
                "outcome": row.outcome,
            }
            for row in plans.list_all_rows(plan.id)
        ],
    }
