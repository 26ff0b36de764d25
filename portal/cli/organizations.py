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
from portal.services.organizations.suggestions import list_suggestions
from portal.services.suggesting import REASONS
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
@click.option(
    "--exact",
    "mode",
    flag_value="exact",
    help="Map every organization that has the very name of a client.",
)
@click.option(
    "--suggest",
    "mode",
    flag_value="suggest",
    help="Show which clients the unmapped organizations may be. Changes nothing.",
)
@click.option(
    "--accept",
    "mode",
    flag_value="accept",
    help="Map the organizations whose suggested client is sure.",
)
def map_organization(
    external_id: str | None,
    client: str | None,
    create: bool,
    auto_sync: bool | None,
    mode: str | None,
) -> Outcome:
    """Map an organization, by Tactical's client number, to a client."""
    if mode and (external_id or client):
        raise click.UsageError(
            f"--{mode} is about all organizations and takes neither one of them nor a client."
        )
    if create and not (client or mode == "exact"):
        raise click.UsageError("--create goes with --client or --exact.")
    if mode == "suggest":
        return _show_suggestions()
    if mode == "accept":
        return _outcome(organization_mapping.map_suggested())
    if mode == "exact":
        return _outcome(organization_mapping.map_exact(create))
    if not external_id:
        raise click.UsageError(
            "Give the number of an organization in Tactical, or use --suggest, --accept or --exact."
        )
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


def _show_suggestions() -> Outcome:
    found = list_suggestions()
    rows = [
        {
            "external_id": each.external_id,
            "organization": each.organization,
            "client": each.client,
            "score": each.score,
            "reason": each.reason,
            "preselected": each.is_sure,
        }
        for each in found
    ]
    head = ["", "Number", "Organization", "Client", "Score", "Reason"]
    table = [
        ["*" if each.is_sure else "", each.external_id, each.organization, each.client,
         str(each.score), REASONS[each.reason]]
        for each in found
    ]  # fmt: skip
    sure = sum(each.is_sure for each in found)
    told = f"{plural(len(found), 'suggestion')}; --accept takes the {sure} marked with *."
    text = f"{columns([head, *table])}\n{told}" if found else "There is nothing to suggest."
    return Outcome({"ok": True, "suggestions": rows}, text)


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
