"""Clients, organizations, alerts, rules, windows, channels, software, runs and audit rows, as the
API gives them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict
from datetime import datetime
from typing import Any, cast

from sqlalchemy import Select, select
from sqlalchemy.orm import joinedload

from portal.channels import KINDS
from portal.clock import iso_utc, utc_now
from portal.db import db
from portal.errors import NotFound
from portal.models import (
    Alert,
    AlertRule,
    Channel,
    Client,
    MaintenanceWindow,
    OrganizationMapping,
    SoftwareProduct,
    SoftwareTitle,
    SyncLogEntry,
    SyncRun,
    Ticket,
    TimelineEntry,
)
from portal.scope import get_tenant_id
from portal.services.alerts.exporting import to_alert_row
from portal.services.alerts.filters import AlertFilter, alert_conditions
from portal.services.alerts.listing import (
    AlertRow,
    get_alert_row,
    query_alerts,
)
from portal.services.alerts.story import describe_entry
from portal.services.api.paging import Items, Part, read_part
from portal.services.audit.listing import AuditFilter, get_entry, select_rows
from portal.services.audit.present import to_public_row
from portal.services.channels.listing import get_row, to_public, view_channels
from portal.services.clients import ClientRow, is_named_like, query_clients
from portal.services.export import Row as Record
from portal.services.export import to_organization_row
from portal.services.organizations.listing import (
    OrganizationFilter,
    get_organization,
    organization_conditions,
)
from portal.services.rules.listing import get_rule, view_rule
from portal.services.rules.present import to_records as describe_rules
from portal.services.runs.history import get_run, log_conditions, run_conditions
from portal.services.runs.present import describe_record, describe_run
from portal.services.software.counts import Counts
from portal.services.software.products import (
    ProductFilter,
    ProductRow,
    describe_product,
    query_products,
    to_products,
)
from portal.services.software.titles import TITLE_COLUMNS, describe_title, query_titles
from portal.services.tickets.filters import TicketFilter, ticket_conditions
from portal.services.tickets.listing import (
    TicketRow,
    get_ticket,
    list_current,
    select_tickets,
)
from portal.services.tickets.listing import to_public as describe_ticket
from portal.services.watches.listing import get_watch, select_watches, view_watches
from portal.services.watches.listing import to_record as describe_watch
from portal.services.windows.listing import view_rows, view_window
from portal.services.windows.loading import select_ahead
from portal.services.windows.present import to_record

RUN_TIMES = ("created_at", "finished_at", "undo_until")


def list_clients(search: str, part: Part) -> Items:
    """By name."""
    conditions = [is_named_like(search)] if search.strip() else []
    query = query_clients().add_columns(Client.name_key).where(*conditions)
    query = query.order_by(Client.name_key, Client.id)
    return read_part(query, part, lambda rows: [_to_client(row) for row in rows])


def read_client(client_id: int) -> Record:
    """Raises NotFound."""
    row = db.session.execute(query_clients().where(Client.id == client_id)).first()
    if row is None:
        raise NotFound("This client does not exist.")
    return _to_client(row)


def list_organizations(shown: OrganizationFilter, search: str, part: Part) -> Items:
    """Of the connected server, in the order in which they were imported."""
    query = (
        select(OrganizationMapping)
        .where(*organization_conditions(shown, search))
        .options(joinedload(OrganizationMapping.client))
        .order_by(OrganizationMapping.id)
    )
    return read_part(query, part, lambda rows: [_to_organization(row[0]) for row in rows])


def read_organization(organization_id: int) -> Record:
    """Raises NotFound."""
    return _to_organization(get_organization(organization_id))


def list_alerts(
    shown: AlertFilter, since: datetime | None, until: datetime | None, part: Part
) -> Items:
    """The newest first; `since` and `until` bound when they were triggered."""
    conditions = alert_conditions(shown)
    if since is not None:
        conditions.append(Alert.triggered_at >= since)
    if until is not None:
        conditions.append(Alert.triggered_at < until)
    query = query_alerts(*conditions).order_by(Alert.triggered_at.desc(), Alert.id.desc())
    return read_part(
        query,
        part,
        lambda rows: _to_alerts([AlertRow(row[0]) for row in rows]),
    )


def read_alert(alert_id: int) -> Record:
    """Raises NotFound."""
    return _to_alerts([get_alert_row(alert_id)])[0]


def list_windows(with_over: bool, part: Part) -> Items:
    """Maintenance windows, in the order in which they were added."""
    query = select(MaintenanceWindow).order_by(MaintenanceWindow.id)
    query = query if with_over else select_ahead(utc_now())
    return read_part(
        query, part, lambda rows: [to_record(v) for v in view_rows(r[0] for r in rows)]
    )


def read_window(window_id: int) -> Record:
    """Raises NotFound."""
    return to_record(view_window(window_id))


def list_channels(part: Part) -> Items:
    """Channels, in the order in which they were added."""
    query = select(Channel).where(Channel.kind.in_(list(KINDS))).order_by(Channel.id)
    return read_part(
        query, part, lambda rows: [to_public(each) for each in view_channels(r[0] for r in rows)]
    )


def read_channel(channel_id: int) -> Record:
    """Raises NotFound."""
    return to_public(get_row(channel_id))


def list_tickets(shown: TicketFilter, part: Part) -> Items:
    """The newest first."""
    found = select_tickets().where(*ticket_conditions(shown)).order_by(Ticket.id.desc())
    query = cast("Select[Any]", found)
    return read_part(
        query, part, lambda rows: [describe_ticket(TicketRow(row.Ticket, row.name)) for row in rows]
    )


def read_ticket(ticket_id: int) -> Record:
    """Raises NotFound."""
    return describe_ticket(get_ticket(ticket_id))


def list_rules(part: Part) -> Items:
    """Rules of alerts, in the order in which they are tried."""
    query = select(AlertRule).order_by(AlertRule.position, AlertRule.id)
    return read_part(query, part, lambda rows: describe_rules([view_rule(row[0]) for row in rows]))


def read_rule(rule_id: int) -> Record:
    """Raises NotFound."""
    return describe_rules([view_rule(get_rule(rule_id))])[0]


def list_timeline(alert_id: int, part: Part) -> Items:
    """What happened to the alert, in order. Raises NotFound."""
    get_alert_row(alert_id)
    entries = select(TimelineEntry).where(TimelineEntry.alert_id == alert_id)
    query = entries.order_by(TimelineEntry.id)
    return read_part(query, part, lambda rows: [_to_entry(row[0]) for row in rows])


def list_titles(search: str, part: Part, *, with_gone: bool) -> Items:
    """By name."""
    counts = Counts(SoftwareTitle)
    query = (
        query_titles(counts)
        .where(*counts.where(search, with_gone=with_gone))
        .order_by(SoftwareTitle.normalized_name, SoftwareTitle.normalized_publisher)
    )
    return read_part(query, part, lambda rows: [_to_title(row) for row in rows])


def read_title(title_id: int) -> Record:
    """Raises NotFound."""
    return _to_title(describe_title(title_id))


def list_products(shown: ProductFilter, part: Part) -> Items:
    """By name."""
    counts = Counts(SoftwareProduct)
    query = (
        query_products(counts)
        .where(*counts.where(shown.search, with_gone=shown.with_gone))
        .order_by(SoftwareProduct.name_key, SoftwareProduct.publisher_key)
    )
    return read_part(query, part, lambda rows: [_to_product(row) for row in to_products(rows)])


def read_product(product_id: int) -> Record:
    """Raises NotFound."""
    return _to_product(describe_product(product_id))


def list_watches(part: Part) -> Items:
    """Of software, in the order in which they were added."""
    return read_part(
        select_watches(),
        part,
        lambda rows: [describe_watch(each) for each in view_watches([row[0] for row in rows])],
    )


def read_watch(watch_id: int) -> Record:
    """Raises NotFound."""
    return describe_watch(view_watches([get_watch(watch_id)])[0])


def list_runs(kind: str, status: str, part: Part) -> Items:
    """The newest first; without a kind, sweeps that went well are left out."""
    query = select(SyncRun).where(*run_conditions(kind, status)).order_by(SyncRun.id.desc())
    return read_part(query, part, lambda rows: [_to_run(row[0]) for row in rows])


def read_run(run_id: int) -> Record:
    """Raises NotFound."""
    return _to_run(get_run(run_id))


def list_records(run_id: int, action: str, search: str, part: Part) -> Items:
    """What the run did to each record, in order. Raises NotFound."""
    get_run(run_id)
    conditions = log_conditions(run_id, action, search)
    query = select(SyncLogEntry).where(*conditions).order_by(SyncLogEntry.id)
    return read_part(query, part, lambda rows: [_to_record(row[0]) for row in rows])


def list_audit(wanted: AuditFilter, part: Part) -> Items:
    """The newest first."""
    query = select_rows(get_tenant_id(), wanted)
    return read_part(query, part, lambda rows: [to_public_row(row[0]) for row in rows])


def read_audit(number: int) -> Record:
    """Raises NotFound."""
    return to_public_row(get_entry(get_tenant_id(), number))


def _to_client(row: Any) -> Record:
    client = ClientRow(**{name: getattr(row, name) for name in ClientRow.__slots__})
    return {
        "id": str(client.id),
        "name": client.name,
        "asset_count": client.assets,
        "organization_count": client.organizations,
    }


def _to_organization(mapping: OrganizationMapping) -> Record:
    ids = {"id": str(mapping.id), "client_id": _text(mapping.client_id)}
    return ids | to_organization_row(mapping) | {"ignored": mapping.ignored}


def _to_alerts(rows: Sequence[AlertRow]) -> list[Record]:
    tickets = list_current([row.alert.id for row in rows])
    return [_to_alert(row, tickets.get(row.alert.id)) for row in rows]


def _to_alert(row: AlertRow, ticket: TicketRow | None) -> Record:
    handling = row.alert.handling
    assignee = handling.assignee if handling else None
    more = {
        "asset_id": _text(row.alert.asset_id),
        "client_id": _text(row.client.id if row.client else None),
        "assigned_to": assignee.user.email if assignee else None,
        "urgency": handling.urgency if handling else None,
    }
    return {"id": str(row.alert.id)} | more | to_alert_row(row, ticket)


def _to_entry(entry: TimelineEntry) -> Record:
    return {"id": str(entry.id), "alert_id": str(entry.alert_id)} | describe_entry(entry)


def _to_product(product: ProductRow) -> Record:
    return asdict(product) | {"id": str(product.id)}


def _to_title(title: Any) -> Record:
    product_id = None if title.product_id is None else str(title.product_id)
    ids = {"id": str(title.id), "product_id": product_id}
    return ids | {name: getattr(title, name) for name in TITLE_COLUMNS}


def _to_run(run: SyncRun) -> Record:
    facts = describe_run(run)
    facts |= {name: facts[name] and facts[name].replace("+00:00", "Z") for name in RUN_TIMES}
    ids = {"id": run.id, "reverts": run.reverts_run_id, "reverted_by": run.reverted_by_run_id}
    started_at = run.started_at and iso_utc(run.started_at)
    return facts | {"started_at": started_at} | {name: _text(each) for name, each in ids.items()}


def _to_record(entry: SyncLogEntry) -> Record:
    return {"id": str(entry.id), "run_id": str(entry.run_id)} | describe_record(entry)


def _text(number: int | None) -> str | None:
    return None if number is None else str(number)
