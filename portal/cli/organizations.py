"""`portal organizations`: those that Tactical lists no more, and a person's decision about them."""

from __future__ import annotations

import click

from portal.cli.command import DefaultGroup, PortalCommand, tenant_option
from portal.cli.outcome import Outcome, columns
from portal.clock import iso_utc
from portal.services.organizations import held as service
from portal.wording import plural

DECISIONS = {"gone": service.mark_as_gone, "keep": service.keep}


@click.group(cls=DefaultGroup, default="list")
def organizations() -> None:
    """Show the organizations that wait for a person, or decide about them."""


@organizations.command("list", cls=PortalCommand)
@tenant_option
def list_held() -> Outcome:
    """Those that Tactical lists no more and that a sync left as they are."""
    held = service.list_held()
    rows = [
        {
            "external_organization_id": each.external_id,
            "external_organization_name": each.name,
            "held_since": iso_utc(each.held_since),
            "assets": each.assets,
        }
        for each in held
    ]
    table = [[each.external_id, each.name, plural(each.assets, "asset")] for each in held]
    text = columns(table) if table else "No organization waits for a decision."
    return Outcome({"ok": True, "organizations": rows}, text)


@organizations.command("settle", cls=PortalCommand)
@click.argument("external_ids", metavar="[EXTERNAL_ID]...", nargs=-1)
@click.option(
    "--as", "decision", required=True, type=click.Choice(list(DECISIONS)), help="What was decided."
)
@tenant_option
def settle(external_ids: tuple[str, ...], decision: str) -> Outcome:
    """Decide about organizations that wait, by Tactical's client numbers; about all if none is
    named.

    `gone` marks them as gone, `keep` leaves them as they are until Tactical lists them again.
    """
    run = DECISIONS[decision](service.find_held_ids(external_ids))
    data = {"ok": True, "run": run.id, "title": run.title, "settled_as": decision}
    return Outcome(data, f"{run.title}.")
