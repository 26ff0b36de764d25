"""`portal channels`: where alerts are told, and whether that works."""

from __future__ import annotations

import click

from portal.channels import Result
from portal.cli.command import PortalCommand, RowNumber, tenant_option
from portal.cli.outcome import FAILED, SUCCESS, Outcome, columns
from portal.services.channels.listing import list_channels, to_public
from portal.services.channels.testing import test_now

NONE = "There are no channels. Add one on the page Channels."


@click.group()
def channels() -> None:
    """Show the channels where alerts are told, or send one a test message."""


@channels.command("list", cls=PortalCommand)
@tenant_option
def list_all() -> Outcome:
    """List the channels, without what is secret of them."""
    rows = list_channels()
    table = [
        (str(row.channel.id), row.state, row.channel.name, row.kind.label, row.target)
        for row in rows
    ]
    return Outcome(
        {"ok": True, "channels": [to_public(row) for row in rows]},
        columns(table) if table else NONE,
    )


@channels.command("test", cls=PortalCommand)
@click.argument("channel_id", metavar="ID", type=RowNumber())
@tenant_option
def send_test(channel_id: int) -> Outcome:
    """Send a test message now, and print what the far side answered."""
    outcome = test_now(channel_id)
    is_sent = outcome.result is Result.SENT
    return Outcome(
        {"ok": is_sent, "result": str(outcome.result), "answer": outcome.answer},
        outcome.answer,
        SUCCESS if is_sent else FAILED,
    )
