"""`portal alerts`: acknowledging an alert, and what happened to it."""

from __future__ import annotations

import click

from portal.cli.command import PortalCommand, RowNumber, tenant_option
from portal.cli.outcome import Outcome, columns
from portal.errors import Refused
from portal.services.alerts.acknowledging import acknowledge
from portal.services.alerts.story import tell_story
from portal.services.audit.actor import current_actor


@click.group()
def alerts() -> None:
    """Acknowledge an alert, or show what happened to it.

    An alert is named by its number in the portal: `alert_id` of `portal export alerts`, and what
    the address of its page ends with.
    """


@alerts.command("ack", cls=PortalCommand)
@click.argument("alert_id", type=RowNumber())
@click.option("--note", default="", help="What colleagues read on the alert's page.")
@tenant_option
def ack(alert_id: int, note: str) -> Outcome:
    """Acknowledge an alert: somebody knows, and its reminders end."""
    taken = acknowledge([alert_id], note, by=f"{current_actor().name} (command line)")
    for failure in taken.failures:
        raise Refused(failure.reason)
    handling = taken.done[0].handling
    data = {"ok": True, "id": alert_id, "acknowledged_by": handling.acknowledged_by}
    return Outcome(data | {"note": handling.acknowledgement}, f"Alert {alert_id} is acknowledged.")


@alerts.command("timeline", cls=PortalCommand)
@click.argument("alert_id", type=RowNumber())
@tenant_option
def timeline(alert_id: int) -> Outcome:
    """Show who was told of an alert, or why nobody was, and what happened to it."""
    story = tell_story(alert_id)
    rows = [[each["at"][:19] + "Z", each["text"]] for each in story["entries"]]
    lines = [story["answer"], *([columns(rows)] if rows else [])]
    return Outcome({"ok": True, **story}, "\n".join(lines))
