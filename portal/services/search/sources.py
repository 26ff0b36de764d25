"""What of each kind is looked at, and what is said of a record beside its name."""

from __future__ import annotations

from collections.abc import Collection

from sqlalchemy import String, case, cast, func, literal, select

from portal.db import db
from portal.models import (
    Alert,
    Asset,
    Client,
    Helpdesk,
    OrganizationMapping,
    SoftwareProduct,
    SyncRun,
    Ticket,
)
from portal.models.alerts.alert import AlertStatus
from portal.models.runs.sync_run import SyncKind
from portal.services.integrations.current import integration_id
from portal.services.search.records import MOST_FOUND, Conditions, Found, Kind, Rows, Source

_ORGANIZATION = OrganizationMapping.external_organization_name
_ALERT = func.coalesce(Alert.hostname, "").concat(" ").concat(func.coalesce(Alert.message, ""))
_TICKET = func.coalesce(Ticket.reference, "").concat(" ").concat(Ticket.subject)


def find_runs(text: str, kinds: Collection[SyncKind]) -> list[Found]:
    """By number, or by the kinds that the text names in the reader's words; the newest first."""
    number = text.strip().removeprefix("#")
    is_number = number.isascii() and number.isdigit() and len(number) < len(str(2**63))
    if not is_number and not kinds:
        return []
    matches = SyncRun.id == int(number) if is_number else SyncRun.kind.in_(kinds)
    rows = _describe_runs().where(matches).order_by(SyncRun.id.desc()).limit(MOST_FOUND)
    return [Found(*row) for row in db.session.execute(rows)]


def _of_current_server() -> Conditions:
    return (OrganizationMapping.integration_id == integration_id(),)


def _is_open() -> Conditions:
    return (Alert.status == AlertStatus.ACTIVE,)


def _is_installed() -> Conditions:
    return (SoftwareProduct.asset_count > 0,)


def _describe_assets() -> Rows:
    return select(Asset.id, Asset.name, Client.name).join(Asset.client)


def _describe_clients() -> Rows:
    return select(Client.id, Client.name, literal(None, String))


def _describe_organizations() -> Rows:
    mapped = select(OrganizationMapping.id, _ORGANIZATION, Client.name)
    return mapped.outerjoin(OrganizationMapping.client)


def _describe_alerts() -> Rows:
    says, of = func.coalesce(Alert.message, Alert.alert_type), Alert.hostname
    return select(Alert.id, says, of)


def _describe_software() -> Rows:
    return select(SoftwareProduct.id, SoftwareProduct.name, SoftwareProduct.publisher)


def _describe_tickets() -> Rows:
    name = case((Ticket.reference.is_(None), Ticket.subject), else_=_TICKET)
    return select(Ticket.id, name, Helpdesk.name).join(Helpdesk, Helpdesk.id == Ticket.helpdesk_id)


def _describe_runs() -> Rows:
    return select(SyncRun.id, cast(SyncRun.kind, String), cast(SyncRun.status, String))


SOURCES = {
    Kind.ASSETS: Source(
        Asset.id, Asset.name, Asset.name, _describe_assets, known_by=Asset.serial_key
    ),
    Kind.CLIENTS: Source(
        Client.id, Client.name_key, Client.name_key, _describe_clients, plain=Client.company_words
    ),
    Kind.ORGANIZATIONS: Source(
        OrganizationMapping.id,
        _ORGANIZATION,
        func.lower(_ORGANIZATION),
        _describe_organizations,
        _of_current_server,
        plain=OrganizationMapping.company_words,
    ),
    Kind.ALERTS: Source(
        Alert.id, _ALERT, Alert.triggered_at, _describe_alerts, _is_open, is_by_time=True
    ),
    Kind.SOFTWARE: Source(
        SoftwareProduct.id,
        SoftwareProduct.name_key,
        SoftwareProduct.name_key,
        _describe_software,
        _is_installed,
    ),
    Kind.TICKETS: Source(Ticket.id, _TICKET, Ticket.id, _describe_tickets, is_by_time=True),
    Kind.RUNS: Source(SyncRun.id, literal(""), SyncRun.id, _describe_runs),
}
"""Of RUNS only those with some ids: the others are found by `find_runs`."""
