"""Rows of a large install, written in bulk: one big tenant, and small ones around it.

The rows of the tenants are written in turns, so that they lie mixed, as in real life.
"""

from __future__ import annotations

import hashlib
import random
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from functools import cache
from itertools import islice
from typing import Any

from flask import Flask
from sqlalchemy import Connection, Engine, create_engine, insert, text

from benchmarks.seed_handling import find_ticket, seed_handling
from portal.clock import utc_now
from portal.db import Base, db, follow_scope
from portal.models import (
    Alert,
    Asset,
    AssetChange,
    Client,
    DailyCount,
    Delivery,
    Event,
    ExternalEntityMapping,
    Integration,
    Membership,
    OrganizationMapping,
    SyncLogEntry,
    SyncRun,
    Tenant,
    User,
)
from portal.models.alerts.alert import AlertSource, AlertStatus, Severity
from portal.models.assets.change import ChangeAction
from portal.models.deliveries.delivery import DeliveryStatus
from portal.models.events.event import EventType
from portal.models.integrations.integration import IntegrationState
from portal.models.organizations.company import company_columns
from portal.models.runs.sync_run import RunStatus, SyncKind
from portal.models.software.inventory import SoftwareProduct, SoftwareTitle
from portal.scope import all_tenants
from portal.services.assets.daily_counts import COLUMNS
from portal.services.database_statistics import refresh_statistics
from tests.support.processes import OWNER

Row = dict[str, Any]
AT_ONCE = 5000

SMALL_TENANTS = 20
HISTORY_DAYS = 390
"""Over so many lies the history of assets."""
PAST_DAYS = 200
"""So long ago is the past day that lists are asked for."""


@dataclass(frozen=True, slots=True)
class Sizes:
    """Of one tenant."""

    clients: int
    assets: int
    titles: int
    titles_per_asset: int
    alerts: int
    active_alerts: int
    deliveries: int
    runs: int
    log_entries: int
    """Of the newest run of devices; the others have a handful."""
    events: int
    changes: int
    """Of assets; most of them of one."""
    days: int = 30
    """Of which there are counts of each client."""

    @property
    def products(self) -> int:
        """Each of two titles."""
        return (self.titles + 1) // 2


BIG = Sizes(200, 10_000, 4000, 100, 100_000, 2000, 50_000, 300, 10_000, 100_000, 100_000, 400)
SMALL = Sizes(8, 60, 400, 40, 400, 20, 400, 40, 60, 1000, 1000)


@dataclass(frozen=True, slots=True)
class Seeded:
    """The big tenant (the first) and what its pages are asked for."""

    tenant_id: int
    user_id: int
    asset_id: int
    client_id: int
    run_id: int
    title_id: int
    product_id: int
    ticket_id: int
    """Also the id of an alert that hangs on it."""

    @property
    def past_day(self) -> date:
        return (utc_now() - timedelta(days=PAST_DAYS)).date()


def seed(
    app: Flask,
    big: Sizes = BIG,
    small: Sizes = SMALL,
    others: int = SMALL_TENANTS,
    *,
    is_looked_at: bool = True,
) -> Seeded:
    """Fill an empty, migrated database, and let its planner look at it. Else SQLite does not know
    how many rows there are, as in the first hour of an install."""
    with app.app_context():
        engine = _owner_engine()
        with all_tenants(), engine.begin() as connection:
            _Seed(connection, big, small, others).write()
            ticket_id = find_ticket(connection, 1)
        if is_looked_at or engine.dialect.name == "postgresql":
            _look_at_tables(engine)
        engine.dispose()
        db.session.remove()
    return Seeded(1, 1, big.assets // 2, 1, big.runs, 1, 1, ticket_id)


def _look_at_tables(engine: Engine) -> None:
    if engine.dialect.name == "sqlite":
        refresh_statistics()
        return
    with engine.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
        connection.execute(text("VACUUM ANALYZE"))  # as PostgreSQL does by itself within minutes


@cache
def _agent_id(tenant_id: int, n: int) -> str:
    """40 letters, as Tactical makes them."""
    made = hashlib.sha256(f"{tenant_id} {n}".encode()).hexdigest()[:40]
    return made.translate(str.maketrans("0123456789", "GHKMPQRTXZ"))


def _owner_engine() -> Engine:
    """The role that runs the portal may neither count rows for the planner nor set sequences."""
    if db.engine.dialect.name == "sqlite":
        return db.engine
    engine = create_engine(db.engine.url.set(username=OWNER))
    follow_scope(engine)
    return engine


class _Seed:
    """Ids are given here: the first rows of each table are the big tenant's."""

    def __init__(self, connection: Connection, big: Sizes, small: Sizes, others: int) -> None:
        self.connection = connection
        self.sizes = {1: big} | dict.fromkeys(range(2, others + 2), small)
        self.now = utc_now()
        self.random = random.Random(7)
        self.firsts: dict[tuple[str, int], int] = {}

    def write(self) -> None:
        set_up = {"steps_skipped": ["all"]}  # they are long past their first steps
        names = ({"id": t, "slug": f"t{t}", "name": f"MSP {t}"} | set_up for t in self.sizes)
        self._put(Tenant, names)
        self._put(User, [{"id": 1, "email": "bench@example.com", "password_hash": "none"}])
        members = ({"id": t, "tenant_id": t, "user_id": 1, "role": "owner"} for t in self.sizes)
        self._put(Membership, members)
        self._put(Integration, (self._integration(t) for t in self.sizes))
        self._put(Client, self._each("clients", self._client))
        self._put(DailyCount, self._days())
        self._put(OrganizationMapping, self._each("clients", self._organization))
        self._put(Asset, self._each("assets", self._asset))
        self._put(ExternalEntityMapping, self._each("assets", self._entity))
        self._put(SoftwareProduct, self._each("products", self._product))
        self._put(SoftwareTitle, self._each("titles", self._title))
        self._put_software()
        self._put(SyncRun, self._each("runs", self._run))
        self._put(SyncLogEntry, self._log_entries())
        self._put_in_time(Alert, "alerts", self._alert)
        seed_handling(self.connection, self.sizes, self.now)
        self._put_in_time(Delivery, "deliveries", self._delivery)
        self._put_in_time(Event, "events", self._event)
        self._put_in_time(AssetChange, "changes", self._change)
        self._set_sequences()

    def _put(self, model: type[Base], rows: Any) -> None:
        rows = iter(rows)
        while some := list(islice(rows, AT_ONCE)):
            self.connection.execute(insert(model.__table__), some)  # type: ignore[arg-type]

    def _put_in_time(self, model: type[Base], what: str, make: Any) -> None:
        """The oldest first, so that the tenants' rows are mixed and ids follow time."""
        places = [
            (n / getattr(sizes, what), t, n)
            for t, sizes in self.sizes.items()
            for n in range(getattr(sizes, what))
        ]
        rows = (
            {"id": number, "tenant_id": t, **make(t, n)}
            for number, (_, t, n) in enumerate(sorted(places), 1)
        )
        self._put(model, rows)

    def _each(self, what: str, make: Any) -> Iterator[Row]:
        number = 1
        for tenant_id, sizes in self.sizes.items():
            self.firsts[what, tenant_id] = number
            for n in range(getattr(sizes, what)):
                yield {"id": number, "tenant_id": tenant_id, **make(tenant_id, n)}
                number += 1

    def _ago(self, days: float) -> datetime:
        return self.now - timedelta(days=days)

    def _at(self, tenant_id: int, what: str, n: int) -> datetime:
        """Row n of so many, over the last 30 days."""
        return self._ago(30 * (1 - n / getattr(self.sizes[tenant_id], what)))

    def _integration(self, tenant_id: int) -> Row:
        return {
            "id": tenant_id,
            "tenant_id": tenant_id,
            "provider": "tacticalrmm",
            "state": IntegrationState.ACTIVE,
            "base_url": f"https://api.t{tenant_id}.example",
            "page_size": 200,
            "device_sync_minutes": 1440,
            "alert_sync_minutes": 15,
            "delivery_days": 30,
            "server_verified": True,
        }

    def _client(self, tenant_id: int, n: int) -> Row:
        name = f"Client {n:03} of {tenant_id}"
        return {"name": name, "name_key": name.casefold(), **company_columns(name)}

    def _days(self) -> Iterator[Row]:
        """In turns, as nights write them."""
        for ago in range(max(sizes.days for sizes in self.sizes.values()), 0, -1):
            for tenant_id, sizes in self.sizes.items():
                if ago <= sizes.days:
                    first = self.firsts["clients", tenant_id]
                    for client_id in (None, *range(first, first + sizes.clients)):
                        row = {"tenant_id": tenant_id, "client_id": client_id}
                        row |= {"day": self._ago(ago).date()}
                        yield row | {name: ago % (n + 2) for n, name in enumerate(COLUMNS)}

    def _organization(self, tenant_id: int, n: int) -> Row:
        name = f"Organization {n:03}"
        return {
            "integration_id": tenant_id,
            "external_organization_id": str(n),
            "external_organization_name": name,
            **company_columns(name),
            "client_id": None if n % 20 == 19 else self.firsts["clients", tenant_id] + n,
            "agent_count": 50,
        }

    def _agent(self, tenant_id: int, n: int) -> str:
        return _agent_id(tenant_id, n % self.sizes[tenant_id].assets)

    def _asset(self, tenant_id: int, n: int) -> Row:
        organization = n % self.sizes[tenant_id].clients
        silent = timedelta(days=9) if n % 25 == 0 else timedelta(minutes=20 if n % 10 == 3 else 0)
        seen, is_server = self.now - silent, n % 8 == 0
        return {
            "integration_id": tenant_id,
            "client_id": self.firsts["clients", tenant_id] + organization,
            "rmm_provider": "tacticalrmm",
            "rmm_device_id": self._agent(tenant_id, n),
            "rmm_organization_id": str(organization),
            "site_id": str(n % 600),
            "site_name": f"Site {n % 600}",
            "name": f"{'SRV' if is_server else 'PC'}-{n:05}",
            "asset_type": "server" if is_server else "workstation",
            "agent_status": "overdue" if n % 25 == 0 else "offline" if n % 10 == 3 else "online",
            "status_at": self.now - (timedelta(days=2) if n % 97 == 5 else timedelta()),
            "last_seen_at": seen,
            "offline_minutes": 4,
            "overdue_minutes": 30,
            "serial_number": f"SN{n * 7919 % 1000003:08}",
            "os_type": ("windows", "linux", "darwin")[min(n % 12, 2)],
            "os_version": f"Windows 11 Pro, 64 bit (build 22{n % 40:03})",
            "agent_version": f"2.{n % 7}.0",
            "make_model": "LENOVO 21CB",
            "cpu": "Intel(R) Core(TM) i7-1260P",
            "ram_gb": 16,
            "current_user": f"user.{n % 3000}",
            "lan_ip": f"10.{n % 200}.{n // 256 % 256}.{n % 256}",
            "wan_ip": f"198.51.100.{organization}",
            "needs_reboot": n % 9 == 0,
            "last_rmm_sync_at": self.now,
            "missing_since": self._ago(3) if n % 500 == 0 else None,
            "software_read_at": self.now,
            "created_at": self._ago(n % HISTORY_DAYS if n % 50 == 7 else HISTORY_DAYS + 5),
        }

    def _entity(self, tenant_id: int, n: int) -> Row:
        return {
            "integration_id": tenant_id,
            "asset_id": self.firsts["assets", tenant_id] + n,
            "external_entity_id": self._agent(tenant_id, n),
            "external_realm_id": str(n % self.sizes[tenant_id].clients),
            "external_pk": n + 1,
            "metadata": {"site_id": str(n % 600), "site_name": f"Site {n % 600}"},
        }

    def _title(self, tenant_id: int, n: int) -> Row:
        sizes = self.sizes[tenant_id]
        common = sizes.titles_per_asset * 2 // 5
        rare = max(1, sizes.assets * (sizes.titles_per_asset - common) // (sizes.titles - common))
        name = f"{('Suite', 'Runtime', 'Driver', 'Tools')[n % 4]} {n:04} for Windows"
        return {
            "product_id": self.firsts["products", tenant_id] + n // 2,
            "name": name,
            "normalized_name": name.casefold(),
            "publisher": f"Publisher {n % 300}",
            "normalized_publisher": f"publisher {n % 300}",
            "asset_count": sizes.assets if n < common else rare,
            "version_count": 12,
            "created_at": self._ago(HISTORY_DAYS + 5),
        }

    def _product(self, tenant_id: int, n: int) -> Row:
        title = self._title(tenant_id, 2 * n)
        name = title["normalized_name"].removesuffix(" for windows")
        return {
            "name": title["name"].removesuffix(" for Windows"),
            "name_key": name,
            "publisher": title["publisher"],
            "publisher_key": title["normalized_publisher"],
            "asset_count": title["asset_count"],
            "install_count": 2 * title["asset_count"],
            "version_count": 24,
            "newest_version": "1.11.99",
            "older_count": title["asset_count"],
            "created_at": title["created_at"],
        }

    def _put_software(self) -> None:
        """Two fifths of an asset's titles are on every asset, the others differ. One statement
        a title and tenant: a million rows would take minutes from here."""
        statement = text(
            "INSERT INTO asset_software"
            " (tenant_id, asset_id, title_id, version, installed_on, first_seen_at, removed_at)"
            " SELECT tenant_id, id, :first + :common + (id * 7 + :step) % :others,"
            " '1.' || (id % 12) || '.' || :turn, :day, :seen, :removed"
            " FROM assets WHERE tenant_id = :tenant_id"
        )
        moments: list[Any] = [self.now.date(), self._ago(HISTORY_DAYS), self._ago(30)]
        if self.connection.dialect.name == "sqlite":
            moments = [str(moments[0]), *(f"{at:%Y-%m-%d %H:%M:%S.%f}" for at in moments[1:])]
        day, seen, gone = moments
        for tenant_id, sizes in self.sizes.items():
            common = sizes.titles_per_asset * 2 // 5
            steps = (sizes.titles - common) // (sizes.titles_per_asset - common)
            for turn in range(sizes.titles_per_asset):
                is_common = turn < common
                row = {
                    "tenant_id": tenant_id,
                    "first": self.firsts["titles", tenant_id],
                    "common": turn if is_common else common,
                    "step": (turn - common) * steps,
                    "others": 1 if is_common else sizes.titles - common,
                    "turn": turn,
                    "day": day,
                    "seen": seen,
                    "removed": gone if turn % 20 == 19 else None,
                }
                self.connection.execute(statement, row)

    def _run(self, tenant_id: int, n: int) -> Row:
        kinds = (SyncKind.DEVICES, SyncKind.AGENT, SyncKind.AGENT, SyncKind.ALERTS)
        is_last = n == self.sizes[tenant_id].runs - 1
        kind = SyncKind.DEVICES if is_last else kinds[n % 4]
        at = self._at(tenant_id, "runs", n)
        return {
            "integration_id": tenant_id,
            "kind": kind,
            "subject": self._agent(tenant_id, n) if kind is SyncKind.AGENT else "",
            "status": RunStatus.FAILED if n % 17 == 5 else RunStatus.SUCCESS,
            "trigger": "schedule",
            "created_at": at,
            "started_at": at,
            "finished_at": at + timedelta(minutes=1),
        }

    def _log_entries(self) -> Iterator[Row]:
        for tenant_id, sizes in self.sizes.items():
            first = self.firsts["runs", tenant_id]
            for n in range(sizes.runs):
                for entry in range(sizes.log_entries if n == sizes.runs - 1 else 5):
                    yield {
                        "tenant_id": tenant_id,
                        "run_id": first + n,
                        "action": "failed" if entry % 100 == 99 else "updated",
                        "external_id": self._agent(tenant_id, entry),
                        "name": f"PC-{entry:05}",
                        "reason": "It has no hostname." if entry % 100 == 99 else None,
                        "changes": {"current_user": ["old", "new"], "lan_ip": ["a", "b"]},
                    }

    def _alert(self, tenant_id: int, n: int) -> Row:
        sizes, at = self.sizes[tenant_id], self._at(tenant_id, "alerts", n)
        asset = n * 31 % sizes.assets
        is_active = n % (sizes.alerts // sizes.active_alerts) == 0
        return {
            "integration_id": tenant_id,
            "external_alert_id": str(n),
            "condition": "check",
            "agent_id": self._agent(tenant_id, asset),
            "asset_id": None if n % 50 == 7 else self.firsts["assets", tenant_id] + asset,
            "external_organization_id": str(asset % sizes.clients),
            "hostname": f"PC-{asset:05}",
            "alert_type": ("availability", "check", "task")[n % 3],
            "severity": (Severity.ERROR, Severity.WARNING, Severity.INFO)[n % 3],
            "message": f"PC-{asset:05} - disk space of C: is at {n % 100} percent",
            "status": AlertStatus.ACTIVE if is_active else AlertStatus.RESOLVED,
            "triggered_at": at,
            "resolved_at": None if is_active else at + timedelta(minutes=9),
            "received_at": at,
            "confirmed_at": at,
            "source": AlertSource.WEBHOOK,
        }

    def _delivery(self, tenant_id: int, n: int) -> Row:
        sizes, at = self.sizes[tenant_id], self._at(tenant_id, "deliveries", n)
        agent = self._agent(tenant_id, n * 31)
        body = f'{{"agent_id": "{agent}", "alert_id": "{n}", "event": "trigger"}}' + " " * 300
        newest = n > sizes.deliveries - 20
        status = DeliveryStatus.PENDING if newest else DeliveryStatus.PROCESSED
        return {
            "integration_id": tenant_id,
            "status": DeliveryStatus.FAILED if n % 500 == 3 else status,
            "reason": None,
            "event": "trigger" if n % 2 else "resolve",
            "external_alert_id": str(n),
            "agent_id": agent,
            "hint": {"alert_id": str(n), "agent_id": agent},
            "body": body,
            "body_bytes": len(body),
            "kept_bytes": len(body),
            "remote_address": "198.51.100.1",
            "received_at": at,
            "due_at": at if newest else None,
            "alert_id": None,
            "outcome": "The alert is active.",
        }

    def _event(self, tenant_id: int, n: int) -> Row:
        agent = self._agent(tenant_id, n * 31)
        return {
            "type": tuple(EventType)[n % len(EventType)],
            "subject": f"PC-{n * 31 % self.sizes[tenant_id].assets:05}",
            "payload": {"rmm_device_id": agent, "external_alert_id": str(n), "run_id": 1},
            "occurred_at": self._at(tenant_id, "events", n),
        }

    def _change(self, tenant_id: int, n: int) -> Row:
        sizes = self.sizes[tenant_id]
        asset = sizes.assets // 2 - 1 if n % 5 else n * 31 % sizes.assets
        column = "site_name" if n % 10 == 5 else "current_user"
        return {
            "asset_id": self.firsts["assets", tenant_id] + asset,
            "action": ChangeAction.UPDATED,
            "column": column,
            "before": f"{column} {n}",
            "after": f"{column} {n + 1}",
            "cause": "schedule",
            "run_id": self.firsts["runs", tenant_id] + n % sizes.runs,
            "at": self._ago(HISTORY_DAYS * (1 - n / sizes.changes)),
        }

    def _set_sequences(self) -> None:
        """PostgreSQL does not notice ids that it did not give."""
        if self.connection.dialect.name != "postgresql":
            return
        for table in Base.metadata.sorted_tables:
            if "id" in table.columns:
                self.connection.execute(
                    text(
                        f"SELECT setval(pg_get_serial_sequence('{table.name}', 'id'),"  # noqa: S608
                        f" (SELECT COALESCE(MAX(id), 0) + 1 FROM {table.name}))"
                    )
                )
