"""`portal clients` and `portal report`."""

from __future__ import annotations

from pathlib import Path

import click

from portal.cli.command import PortalCommand, tenant_option
from portal.cli.outcome import Outcome, columns
from portal.errors import NotFound
from portal.services import clients as client_service
from portal.services.audit.exports import record_export
from portal.services.reports.client_month import ClientMonth, read_client_month
from portal.services.reports.words import list_limits, say_bill, say_came, say_went, to_record
from portal.services.reports.workbook import to_workbook
from portal.wording import plural


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


@click.command(cls=PortalCommand)
@click.argument("client")
@click.option("--month", default="", help="Such as 2026-10; else the last one that is over.")
@click.option("--xlsx", type=click.Path(dir_okay=False, path_type=Path), help="Write a workbook.")
@tenant_option
def report(client: str, month: str, xlsx: Path | None) -> Outcome:
    """Show the month of a client: its fleet, who came and went, alerts and software."""
    found = client_service.find_client_by_name(client)
    if found is None:
        raise NotFound(f"There is no client named {client}.")
    its = read_client_month(found.id, month)
    form = "json" if xlsx is None else "xlsx"
    record_export("client-report", form, {"client": its.client.name, "month": str(its.month)})
    if xlsx is not None:
        xlsx.write_bytes(to_workbook(its))
    return Outcome(to_record(its), _describe(its))


def _describe(its: ClientMonth) -> str:
    alerts = ", ".join(f"{number:,} {word}" for word, number in its.alerts_by_severity.items())
    events = [(f"{e.at.astimezone():%d %b}", "+", e.asset.name, say_came(e)) for e in its.added]
    events += [(f"{e.at.astimezone():%d %b}", "-", e.asset.name, say_went(e)) for e in its.gone]
    return "\n".join(
        [
            f"{its.client.name}, {its.month.name}",
            say_bill(its),
            *([columns(events)] if events else []),
            f"Alerts raised: {alerts}; resolved: {its.resolved:,}",
            f"Software: {plural(len(its.software), 'product')} changed",
            *list_limits(its),
        ]
    )
