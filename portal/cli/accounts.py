"""`portal tenants`, `portal users` and `portal clients`."""

from __future__ import annotations

import click

from portal.cli.command import PortalCommand, read_secret_line, tenant_option
from portal.cli.outcome import Outcome
from portal.services import clients as client_service
from portal.services import tenants as tenant_service
from portal.services import users as user_service
from portal.services.permissions import ROLES


@click.group()
def tenants() -> None:
    """The MSPs of this install."""


@tenants.command("add", cls=PortalCommand)
@click.argument("name")
@click.option("--slug", required=True, help="The short name in addresses; starts with a letter.")
def add_tenant(name: str, slug: str) -> Outcome:
    """Add a tenant."""
    tenant = tenant_service.add_tenant(name, slug)
    data = {"ok": True, "id": str(tenant.id), "name": tenant.name, "slug": tenant.slug}
    return Outcome(data, f"Added the tenant {tenant.name} ({tenant.slug}).")


@click.group()
def users() -> None:
    """The people who sign in."""


@users.command("add", cls=PortalCommand)
@click.argument("email")
@click.option("--tenant", "member_of", required=True, help="The tenant's short name.")
@click.option("--role", type=click.Choice(list(ROLES)), required=True)
@click.option("--password-stdin", is_flag=True, required=True, help="Read the password's line.")
def add_user(email: str, member_of: str, role: str, password_stdin: bool) -> Outcome:  # noqa: ARG001
    """Give a person a role in a tenant, adding the user if new."""
    user = user_service.add_user(email, read_secret_line("password"), member_of, role)
    data = {"ok": True, "id": str(user.id), "email": user.email, "role": role}
    return Outcome(data, f"{user.email} is now {role} of {member_of}.")


@click.group()
def clients() -> None:
    """The tenant's customers."""


@clients.command("add", cls=PortalCommand)
@click.argument("name")
@tenant_option
def add_client(name: str) -> Outcome:
    """Add a client."""
    client = client_service.add_client(name)
    return Outcome(
        {"ok": True, "id": str(client.id), "name": client.name}, f"Added the client {client.name}."
    )
