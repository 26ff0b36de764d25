"""`portal plans`: what a device sync would do, and a person's decision about it."""

from __future__ import annotations

import click

from portal.cli.command import PortalCommand, RowNumber, tenant_option
from portal.cli.outcome import Outcome, columns
from portal.cli.sync import SyncCommand, plan_records, to_outcome
from portal.services.runs import plans as service


@click.group()
def plans() -> None:
    """Show, apply or decline the plans of device syncs."""


@plans.command("show", cls=PortalCommand)
@click.argument("plan_id", type=RowNumber())
@tenant_option
def show_plan(plan_id: int) -> Outcome:
    """Show a plan with its rows."""
    data = plan_records(service.get_plan(plan_id))
    shown = ("action", "name", "agent_id", "reason")
    lines = [[record[name] or "" for name in shown] for record in data["records"]]
    text = (
        columns(lines) if lines else "There is nothing to do: the portal already matches Tactical."
    )
    return Outcome(data, text)


@plans.command("apply", cls=SyncCommand)
@click.argument("plan_id", type=RowNumber())
@click.option(
    "--only", "agent_ids", multiple=True, help="Apply only the changes of this agent. Repeatable."
)
@tenant_option
def apply_plan(plan_id: int, agent_ids: tuple[str, ...]) -> Outcome:
    """Apply a plan, except where Tactical has changed since it was made."""
    return to_outcome(service.apply_to_end(plan_id, agent_ids or None))


@plans.command("decline", cls=PortalCommand)
@click.argument("plan_id", type=RowNumber())
@tenant_option
def decline_plan(plan_id: int) -> Outcome:
    """Decline a plan: none of its changes is applied."""
    plan = service.decline_plan(plan_id)
    return Outcome({"plan": plan.id, "status": str(plan.status)}, "Declined. Nothing was changed.")
