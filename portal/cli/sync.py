"""`portal sync`."""

from __future__ import annotations

from typing import Any

import click

from portal.cli.command import PortalCommand, tenant_option
from portal.cli.outcome import FAILED, PARTIAL, SUCCESS, Outcome
from portal.errors import PortalError
from portal.models import SyncRun
from portal.models.runs.sync_run import COUNT_NAMES, RunStatus, SyncKind
from portal.services.runs import execution, history

EXIT_CODES = {RunStatus.SUCCESS: SUCCESS, RunStatus.PARTIAL: PARTIAL}


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
    return _outcome(execution.run_to_end(SyncKind.ORGANIZATIONS))


@sync.command("devices", cls=SyncCommand)
@tenant_option
def sync_devices() -> Outcome:
    """Turn the agents of mapped organizations into assets."""
    return _outcome(execution.run_to_end(SyncKind.DEVICES))


@sync.command("agent", cls=SyncCommand)
@click.argument("agent_id")
@tenant_option
def sync_agent(agent_id: str) -> Outcome:
    """Refresh one agent, by its agent_id."""
    return _outcome(execution.run_to_end(SyncKind.AGENT, agent_id))


@sync.command("alerts", cls=SyncCommand)
@tenant_option
def sync_alerts() -> Outcome:
    """Import Tactical's active alerts, and resolve those that are over."""
    return _outcome(execution.run_to_end(SyncKind.ALERTS))


@sync.command("status", cls=SyncCommand)
@tenant_option
def sync_status() -> Outcome:
    """Read the status of every agent, and nothing else."""
    return _outcome(execution.run_to_end(SyncKind.STATUS))


@sync.command("software", cls=SyncCommand)
@tenant_option
def sync_software() -> Outcome:
    """Read the installed software of every agent."""
    return _outcome(execution.run_to_end(SyncKind.SOFTWARE))


def _outcome(run: SyncRun) -> Outcome:
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
    counts = ", ".join(f"{number} {name}" for name, number in run.counts.items() if number)
    text = f"{run.kind} {run.status} in {seconds:.1f} s: {counts or 'nothing there'}"
    for error in errors:
        click.echo(f"portal: {error}", err=True)
    return Outcome(data, text, EXIT_CODES.get(run.status, FAILED))
