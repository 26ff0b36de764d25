"""`portal alerts`: acknowledging and snoozing an alert, and what happened to it."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import click

from portal.cli.command import PortalCommand, RowNumber, tenant_option
from portal.cli.outcome import Outcome, columns
from portal.clock import iso_utc, utc_now
from portal.errors import InvalidInput, Refused
from portal.services.alerts.acknowledging import acknowledge
from portal.services.alerts.snoozing import snooze, unsnooze
from portal.services.alerts.story import tell_story
from portal.services.audit.actor import current_actor
from portal.wording import say_moment


@click.group()
def alerts() -> None:
    """Acknowledge or snooze an alert, or show what happened to it.

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


@alerts.command("snooze", cls=PortalCommand)
@click.argument("alert_id", type=RowNumber())
@click.option("--for", "hours", type=click.IntRange(1, 48), help="For so many hours.")
@click.option("--until", help="Until this moment, such as 2026-11-30T08:00+01:00; else UTC.")
@tenant_option
def snooze_alert(alert_id: int, hours: int | None, until: str | None) -> Outcome:
    """Snooze an alert in the portal alone: nobody is told or reminded until then."""
    end = _read_end(hours, until)
    taken = snooze([alert_id], end, by=f"{current_actor().name} (command line)")
    for failure in taken.failures:
        raise Refused(failure.reason)
    data = {"ok": True, "id": alert_id, "snoozed_until": iso_utc(end)}
    return Outcome(data, f"Alert {alert_id} is snoozed until {say_moment(end)}.")


@alerts.command("unsnooze", cls=PortalCommand)
@click.argument("alert_id", type=RowNumber())
@tenant_option
def unsnooze_alert(alert_id: int) -> Outcome:
    """Make an alert active again that was snoozed in the portal."""
    for failure in unsnooze([alert_id]).failures:
        raise Refused(failure.reason)
    return Outcome({"ok": True, "id": alert_id}, f"Alert {alert_id} is active again.")


def _read_end(hours: int | None, until: str | None) -> datetime:
    if (hours is None) == (until is None):
        raise InvalidInput("Give either --for HOURS or --until MOMENT.")
    if hours is not None:
        return utc_now() + timedelta(hours=hours)
    try:
        moment = datetime.fromisoformat(until or "")
    except ValueError:
        raise InvalidInput(
            "Give --until as a moment, such as 2026-11-30T08:00+01:00.", field="until"
        ) from None
    return (moment if moment.tzinfo else moment.replace(tzinfo=UTC)).astimezone(UTC)


@alerts.command("timeline", cls=PortalCommand)
@click.argument("alert_id", type=RowNumber())
@tenant_option
def timeline(alert_id: int) -> Outcome:
    """Show who was told of an alert, or why nobody was, and what happened to it."""
    story = tell_story(alert_id)
    rows = [[each["at"][:19] + "Z", each["text"]] for each in story["entries"]]
    lines = [story["answer"], *([columns(rows)] if rows else [])]
    return Outcome({"ok": True, **story}, "\n".join(lines))
