"""`portal tenants`."""

from __future__ import annotations

import sys

import click

from portal.cli.command import PortalCommand
from portal.cli.networks import NETWORK_COMMANDS
from portal.cli.outcome import Outcome, columns
from portal.errors import InvalidInput
from portal.models import Tenant
from portal.models.accounts.tenant import FactorRule
from portal.services.accounts import tenant_removal
from portal.services.accounts import tenants as tenant_service
from portal.services.accounts.second_factors import requirement

IN_BACKUPS = (
    "Backups from before still contain its data and, encrypted, its secrets until they are deleted."
)


@click.group()
def tenants() -> None:
    """The MSPs that share this install."""


for _command in NETWORK_COMMANDS:
    tenants.add_command(_command)


@tenants.command("add", cls=PortalCommand)
@click.argument("name")
@click.option("--slug", help="The short name in addresses; without it, it follows from the name.")
def add_tenant(name: str, slug: str | None) -> Outcome:
    """Add a tenant."""
    tenant = tenant_service.add_tenant(name, slug)
    data = {"ok": True, "id": str(tenant.id), "name": tenant.name, "slug": tenant.slug}
    return Outcome(data, f"Added the tenant {tenant.name} ({tenant.slug}).")


@tenants.command("list", cls=PortalCommand)
def list_tenants() -> Outcome:
    """List the tenants."""
    rows = [
        {
            "id": str(tenant.id),
            "slug": tenant.slug,
            "name": tenant.name,
            "second_factor": str(tenant.factor_rule),
            "second_factor_from": tenant.factors_from.isoformat() if tenant.factors_from else None,
            "created_at": tenant.created_at.isoformat(),
        }
        for tenant in tenant_service.list_tenants()
    ]
    text = columns([(str(row["slug"]), str(row["name"])) for row in rows])
    return Outcome(
        {"ok": True, "tenants": rows},
        text or "There are no tenants yet. Add one with `portal tenants add`.",
    )


@tenants.command("remove", cls=PortalCommand)
@click.argument("slug")
@click.option(
    "--yes", metavar="SLUG", help="The tenant's short name, to confirm without being asked."
)
def remove_tenant(slug: str, yes: str | None) -> Outcome:
    """Remove a tenant and everything of its own: clients, assets, alerts, secrets, users."""
    tenant = tenant_service.get_tenant(slug)
    counts = tenant_removal.count_rows(tenant)
    _confirm(tenant, counts, yes)
    data = {"ok": True, "slug": tenant.slug, "removed": counts, "note": IN_BACKUPS}
    text = f"Removed the tenant {tenant.name} ({tenant.slug}). {IN_BACKUPS}"
    tenant_removal.remove_tenant(tenant)
    return Outcome(data, text)


@tenants.command("second-factor", cls=PortalCommand)
@click.argument("slug")
@click.argument("rule", type=click.Choice([str(each) for each in FactorRule]))
def require_factor(slug: str, rule: str) -> Outcome:
    """Say whose second factor a tenant requires; admins are owners too."""
    tenant = requirement.set_rule(slug, rule)
    data = {"ok": True, "slug": tenant.slug, "second_factor": str(tenant.factor_rule)}
    return Outcome(data, f"{tenant.name} requires a second factor of {tenant.factor_rule}.")


def _confirm(tenant: Tenant, counts: dict[str, int], typed: str | None) -> None:
    """Raises InvalidInput unless the tenant's short name was typed, after its counts were seen."""
    if typed is None:
        click.echo(
            f"{tenant.name} ({tenant.slug}) and everything that belongs to it will be deleted:",
            err=True,
        )
        for table, count in counts.items():
            click.echo(f"  {count:>9,} {table.replace('_', ' ')}", err=True)
        click.echo(f"Type {tenant.slug} to confirm: ", nl=False, err=True)
        typed = sys.stdin.readline()
    if typed.strip() != tenant.slug:
        raise InvalidInput(
            f"Nothing was removed. To remove the tenant, confirm its short name, {tenant.slug}.",
            field="slug",
        )
