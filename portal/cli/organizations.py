"""`portal map`, and `portal organizations`: those that Tactical lists no more, and a person's
decision about them."""

from __future__ import annotations

import click

from portal.cli.command import DefaultGroup, PortalCommand, tenant_option
from portal.cli.outcome import Outcome, columns
from portal.clock import iso_utc
from portal.services.organizations import held as service
from portal.services.organizations import mapping as organization_mapping
from portal.services.organizations.listing import get_organization_by_external_id
from portal.services.organizations.mapping import MappingChange
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


@click.command("map", cls=PortalCommand)
@click.argument("external_id", required=False)
@tenant_option
@click.option("--client", help="The name of the client to map it to.")
@click.option("--create", is_flag=True, help="Create the client if there is none of that name.")
@click.option(
    "--auto-sync/--no-auto-sync",
    default=None,
    help="Sync the organization's agents, or stop syncing them.",
)
@click.option("--exact", is_flag=True, help="Map every organization that has the name of a client.")
def map_organization(
    external_id: str | None,
    client: str | None,
    create: bool,
    auto_sync: bool | None,
    exact: bool,
) -> Outcome:
    """Map an organization, by Tactical's client number, to a client."""
    if exact and (external_id or client):
        raise click.UsageError(
            "--exact maps by name and takes neither an organization nor a client."
        )
    if exact:
        return _outcome(organization_mapping.map_exact(create))
    if not external_id:
        raise click.UsageError("Give the number of an organization in Tactical, or use --exact.")
    if client:
        change = organization_mapping.map_to_client_named(external_id, client, create, auto_sync)
        return _outcome([change])
    if auto_sync is None:
        raise click.UsageError(
            "Use --client NAME, --auto-sync or --no-auto-sync to say what to change."
        )
    mapping = get_organization_by_external_id(external_id)
    mapping = organization_mapping.set_auto_sync(mapping.id, auto_sync)
    return _outcome([MappingChange(mapping, 0)])


def _outcome(changes: list[MappingChange]) -> Outcome:
    mapped = [
        {
            "external_organization_id": change.mapping.external_organization_id,
            "external_organization_name": change.mapping.external_organization_name,
            "client": change.mapping.client.name if change.mapping.client else None,
            "auto_sync_assets": change.mapping.auto_sync_assets,
            "moved_assets": change.moved_assets,
        }
        for change in changes
    ]
    lines = [
        f"{row['external_organization_name']} -> {row['client'] or 'no client'}, auto-sync "
        f"{'on' if row['auto_sync_assets'] else 'off'}, {row['moved_assets']} assets moved"
        for row in mapped
    ]
    return Outcome({"ok": True, "mapped": mapped}, "\n".join(lines) or "There is nothing to map.")
