"""`portal tenants allow-network`, `withdraw-network` and `list-networks`."""

from __future__ import annotations

import click

from portal.cli.command import PortalCommand
from portal.cli.outcome import Outcome
from portal.scope import tenant_scope
from portal.services.accounts.tenants import get_tenant
from portal.services.integrations import networks as network_service


@click.command("allow-network", cls=PortalCommand)
@click.argument("slug")
@click.argument("network")
def allow_network(slug: str, network: str) -> Outcome:
    """Let a tenant's calls go into a private NETWORK, such as 10.20.0.0/16."""
    tenant = get_tenant(slug)
    with tenant_scope(tenant.id):
        opened = network_service.allow_network(network)
    return Outcome(
        {"ok": True, "tenant": tenant.slug, "network": opened},
        f"{tenant.name} may connect into {opened}, from the next call on.",
    )


@click.command("withdraw-network", cls=PortalCommand)
@click.argument("slug")
@click.argument("network")
def withdraw_network(slug: str, network: str) -> Outcome:
    """Close a NETWORK to a tenant again."""
    tenant = get_tenant(slug)
    with tenant_scope(tenant.id):
        closed = network_service.withdraw_network(network)
    return Outcome(
        {"ok": True, "tenant": tenant.slug, "network": closed},
        f"{tenant.name} may not connect into {closed} any more, from the next call on.",
    )


@click.command("list-networks", cls=PortalCommand)
@click.argument("slug")
def list_networks(slug: str) -> Outcome:
    """The networks that are opened to a tenant alone."""
    tenant = get_tenant(slug)
    with tenant_scope(tenant.id):
        found = network_service.list_networks()
    text = "\n".join(found) or f"No network is opened to {tenant.name} alone."
    return Outcome({"ok": True, "tenant": tenant.slug, "networks": found}, text)


NETWORK_COMMANDS = (allow_network, withdraw_network, list_networks)
