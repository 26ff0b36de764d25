"""`portal helpdesks`: where tickets are opened, and whether that works."""

from __future__ import annotations

from dataclasses import asdict

import click

from portal.cli.command import PortalCommand, RowNumber, tenant_option
from portal.cli.outcome import FAILED, SUCCESS, Outcome, columns
from portal.services.helpdesks.listing import list_helpdesks, to_public
from portal.services.helpdesks.probing import probe_now, tell_outcome

NONE = "There are no helpdesks. Add one on the page Helpdesks."


@click.group()
def helpdesks() -> None:
    """Show the helpdesks in which tickets are opened, or try one with a ticket."""


@helpdesks.command("list", cls=PortalCommand)
@tenant_option
def list_all() -> Outcome:
    """List the helpdesks, without what is secret of them."""
    rows = list_helpdesks()
    table = [
        (str(row.helpdesk.id), row.state, row.helpdesk.name, row.kind.label, row.target)
        for row in rows
    ]
    data = {"ok": True, "helpdesks": [to_public(row) for row in rows]}
    return Outcome(data, columns(table) if table else NONE)


@helpdesks.command("test", cls=PortalCommand)
@click.argument("helpdesk_id", metavar="ID", type=RowNumber())
@click.option("--queue", required=True, help="In which the test opens a ticket, and closes it.")
@click.option("--customer", default="", help="As the helpdesk calls one.")
@tenant_option
def test(helpdesk_id: int, queue: str, customer: str) -> Outcome:
    """Open a ticket, find it by its key, comment and close it: no other is opened before that."""
    steps = probe_now(helpdesk_id, queue, customer)
    is_good, text = tell_outcome(steps)
    lines = columns([["ok" if each.is_good else "failed", each.name, each.text] for each in steps])
    data = {"ok": is_good, "steps": [asdict(each) for each in steps], "message": text}
    return Outcome(data, f"{lines}\n{text}", SUCCESS if is_good else FAILED)
