"""`portal assets` and `portal missing`."""

from __future__ import annotations

from collections.abc import Callable

import click

from portal.cli.command import PortalCommand, tenant_option
from portal.cli.outcome import Outcome, columns
from portal.models import SyncRun
from portal.services.assets.choosing import Chosen, get_asset_id
from portal.services.assets.deletion import delete_to_end
from portal.services.assets.merge import merge_assets
from portal.services.assets.missing import list_missing
from portal.services.assets.retirement import Done, restore_assets, retire_assets


@click.group()
def assets() -> None:
    """Assets that are merged, retired, restored or deleted."""


@assets.command("retire", cls=PortalCommand)
@click.argument("device_id")
@tenant_option
def retire_asset(device_id: str) -> Outcome:
    """Retire an asset that is missing from Tactical."""
    return _do(retire_assets, device_id)


@assets.command("restore", cls=PortalCommand)
@click.argument("device_id")
@tenant_option
def restore_asset(device_id: str) -> Outcome:
    """Bring a retired asset back."""
    return _do(restore_assets, device_id)


@assets.command("delete", cls=PortalCommand)
@click.argument("device_id")
@click.option("--yes", is_flag=True, help="Delete it: this cannot be undone.")
@tenant_option
def delete_asset(device_id: str, yes: bool) -> Outcome:
    """Delete a retired asset for good, with its software and its history."""
    if not yes:
        raise click.UsageError("This cannot be undone. Add --yes to delete the asset for good.")
    asset_id = get_asset_id(device_id)
    return _to_outcome(asset_id, delete_to_end(asset_id))


@assets.command("merge", cls=PortalCommand)
@click.argument("keep")
@click.argument("other")
@tenant_option
def merge(keep: str, other: str) -> Outcome:
    """Merge the asset OTHER into the asset KEEP, of the same client.

    Name both by Tactical's agent_id or by the number of the asset.
    """
    keep_id, other_id = get_asset_id(keep), get_asset_id(other)
    run = merge_assets(keep_id, other_id)
    data = {"ok": True, "run": run.id, "asset_id": str(keep_id), "title": run.title}
    return Outcome(data, f"{run.title}.")


@click.command("missing", cls=PortalCommand)
@tenant_option
def missing() -> Outcome:
    """Assets that Tactical lists no more, and which are proposed for retirement."""
    rows = list_missing()
    table = [[r.device_id, r.name, r.client, r.missing_since, r.state] for r in rows]
    text = columns(table) if table else "Tactical lists the agent of every asset."
    return Outcome({"ok": True, "missing": [row.to_json() for row in rows]}, text)


def _do(change: Callable[[Chosen], Done], device_id: str) -> Outcome:
    asset_id = get_asset_id(device_id)
    return _to_outcome(asset_id, change(Chosen([asset_id])).run)


def _to_outcome(asset_id: int, run: SyncRun) -> Outcome:
    data = {"ok": True, "run": run.id, "asset_id": str(asset_id), "title": run.title}
    return Outcome(data, f"{run.title}.")
