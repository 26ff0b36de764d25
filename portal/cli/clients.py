"""`portal clients`."""

from __future__ import annotations

import click

from portal.cli.command import PortalCommand, tenant_option
from portal.cli.outcome import Outcome
from portal.services import clients as client_service


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
