"""`portal tenants allow-network`, `withdraw-network` and `list-networks`."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import click

from portal.cli.command import PortalCommand
from portal.cli.outcome import Outcome
from portal.models import Tenant
from portal.scope import tenant_scope
from portal.services.accounts.tenants import get_tenant
from portal.services.integrations import networks as network_service


@click.command("allow-network", cls=PortalCommand)
@click.argument("slug")
@click.argument("network")
def allow_network(slug: str, network: str) -> Outcome:
    """Let a tenant connect to servers in a private NETWORK, such as 10.20.0.0/16."""
    tenant, opened = _call_for(slug, network_service.allow_network, network)
    text = f"From now on, {tenant.name} can connect to servers in {opened}."
    return Outcome({"ok": True, "tenant": tenant.slug, "network": opened}, text)


@click.command("withdraw-network", cls=PortalCommand)
@click.argument("slug")
@click.argument("network")
def withdraw_network(slug: str, network: str) -> Outcome:
    """Withdraw a tenant's access to a private NETWORK."""
    tenant, closed = _call_for(slug, network_service.withdraw_network, network)
    text = f"From now on, {tenant.name} cannot connect to servers in {closed}."
    return Outcome({"ok": True, "tenant": tenant.slug, "network": closed}, text)


@click.command("list-networks", cls=PortalCommand)
@click.argument("slug")
def list_networks(slug: str) -> Outcome:
    """List the private networks that only this tenant can connect to."""
    tenant, found = _call_for(slug, network_service.list_networks)
    text = "\n".join(found) or f"No private network is open to {tenant.name} alone."
    return Outcome({"ok": True, "tenant": tenant.slug, "networks": found}, text)


def _call_for(slug: str, service: Callable[..., Any], *arguments: str) -> tuple[Tenant, Any]:
    """What a service answers for a tenant. Raises NotFound when there is no such tenant."""
    tenant = get_tenant(slug)
    with tenant_scope(tenant.id):
        return tenant, service(*arguments)


NETWORK_COMMANDS = (allow_network, withdraw_network, list_networks)
