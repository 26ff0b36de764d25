"""`portal notices`: what needs, or needed, a person."""

from __future__ import annotations

import click

from portal.cli.command import DefaultGroup, PortalCommand, tenant_option
from portal.cli.outcome import Outcome, columns
from portal.services.notices.listing import describe_notice, list_notices


@click.group(cls=DefaultGroup, default="list")
def notices() -> None:
    """What needs, or needed, a person."""


@notices.command("list", cls=PortalCommand)
@tenant_option
def list_newest() -> Outcome:
    """The notices that last, then those that are over: the newest 50."""
    found = [describe_notice(row.notice) for row in list_notices().items]
    table = [[each["began_at"], each["ended_at"] or "lasts", each["title"]] for each in found]
    text = columns(table) if table else "Nothing is wrong, and nothing was."
    return Outcome({"ok": True, "notices": found}, text)
