"""`portal software`: watches of software."""

from __future__ import annotations

import click

from portal.cli.command import DefaultGroup, PortalCommand, RowNumber, tenant_option
from portal.cli.outcome import Outcome, columns
from portal.errors import InvalidInput
from portal.services.audit.actor import current_actor
from portal.services.clients import find_client_by_name
from portal.services.watches import keeping
from portal.services.watches.listing import WatchView, list_watches, to_record


@click.group()
def software() -> None:
    """Show, add and remove watches: which assets have some software, or an old version of it."""


@software.group("watch", cls=DefaultGroup, default="list")
def watch() -> None:
    """Which assets have some software, or an old version of it."""


@watch.command("list", cls=PortalCommand)
@tenant_option
def list_all() -> Outcome:
    """List the watches, each with how many assets match it now."""
    views = list_watches()
    text = columns([_line(view) for view in views]) if views else "There are no watches."
    return Outcome({"ok": True, "watches": [to_record(view) for view in views]}, text)


@watch.command("add", cls=PortalCommand)
@click.argument("product")
@click.option("--older-than", metavar="VERSION", default="", help="Without it, any version.")
@click.option("--client", metavar="NAME", default="", help="Only assets of this client.")
@click.option("--publisher", default="", help="Where several have a product of this name.")
@tenant_option
def add(product: str, older_than: str, client: str, publisher: str) -> Outcome:
    """Watch for PRODUCT, named as in the list of software."""
    found = keeping.find_product(product, publisher)
    by = current_actor().name
    view = keeping.add_watch(found.id, older_than, _find_client(client), by)
    return Outcome({"ok": True, **to_record(view)}, f"Added {'  '.join(_line(view))}")


@watch.command("remove", cls=PortalCommand)
@click.argument("watch_id", metavar="ID", type=RowNumber())
@tenant_option
def remove(watch_id: int) -> Outcome:
    """Remove a watch."""
    removed, _ = keeping.remove_watches([watch_id])
    return Outcome({"ok": True, "id": str(watch_id)}, f"Removed {removed}.")


def _find_client(name: str) -> int | None:
    if not name:
        return None
    client = find_client_by_name(name)
    if client is None:
        raise InvalidInput(f"There is no client named {name}.", field="client")
    return client.id


def _line(view: WatchView) -> tuple[str, ...]:
    watch = view.row
    state = f"{view.matches} match" if watch.active else "off"
    return str(watch.id), state, view.question, watch.client.name if watch.client else "any client"
