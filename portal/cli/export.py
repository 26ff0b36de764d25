"""`portal export`."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator

import click

from portal.cli.command import PortalCommand, tenant_option
from portal.cli.outcome import Outcome
from portal.services.alerts.exporting import ALERT_COLUMNS, export_alerts
from portal.services.audit.exports import record_export
from portal.services.csv_lines import to_csv
from portal.services.export import (
    ASSET_COLUMNS,
    DELIVERY_COLUMNS,
    ORGANIZATION_COLUMNS,
    SOFTWARE_COLUMNS,
    Row,
    export_assets,
    export_deliveries,
    export_organizations,
    export_software,
)

format_option = click.option(
    "--format", "form", type=click.Choice(["json", "csv"]), default="json", show_default=True
)


@click.group()
def export() -> None:
    """Write records to standard output."""


@export.command("organizations", cls=PortalCommand)
@tenant_option
@format_option
def organizations(form: str) -> Outcome:
    """The organizations and what they are mapped to."""
    return _outcome("organizations", form, ORGANIZATION_COLUMNS, export_organizations())


@export.command("assets", cls=PortalCommand)
@tenant_option
@format_option
def assets(form: str) -> Outcome:
    """The assets."""
    return _outcome("assets", form, ASSET_COLUMNS, export_assets())


@export.command("alerts", cls=PortalCommand)
@tenant_option
@format_option
def alerts(form: str) -> Outcome:
    """The alerts."""
    return _outcome("alerts", form, ALERT_COLUMNS, export_alerts())


@export.command("deliveries", cls=PortalCommand)
@tenant_option
@format_option
def deliveries(form: str) -> Outcome:
    """The webhook calls, without their bodies."""
    return _outcome("deliveries", form, DELIVERY_COLUMNS, export_deliveries())


@export.command("software", cls=PortalCommand)
@tenant_option
@format_option
def software(form: str) -> Outcome:
    """The software that assets have and had."""
    return _outcome("software", form, SOFTWARE_COLUMNS, export_software())


def _outcome(name: str, form: str, columns: Iterable[str], rows: Iterator[Row]) -> Outcome:
    record_export(name, form, {})
    return Outcome({}, lines=to_csv(columns, rows) if form == "csv" else _to_json(rows))


def _to_json(rows: Iterable[Row]) -> Iterator[str]:
    """One array, a row a line, written as it is read."""
    between = "[\n"
    for row in rows:
        yield between + json.dumps(row, ensure_ascii=False)
        between = ",\n"
    yield "[]\n" if between == "[\n" else "\n]\n"
