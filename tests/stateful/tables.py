"""What the database holds of one tenant, as plain values."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from typing import Any

from sqlalchemy import Table, select

from portal.db import Base, db
from portal.scope import all_tenants

Rows = dict[Any, dict[str, Any]]
Dump = dict[str, Rows]

OF_RUNS = frozenset(
    {"sync_runs", "sync_log_entries", "sync_plans", "sync_plan_rows", "audit_entries"}
)
"""With who asked for them."""
OF_RUNS_TOO = ("rmm.sync.", "audit.")
"""How the types of their events begin."""
LOOKS: Mapping[str, Collection[str]] = {
    "assets": ("status_at", "last_rmm_sync_at", "absent_runs"),
    "agent_sightings": ("last_listed_at",),
    "asset_conflicts": ("seen_at",),
    "rmm_integrations": ("tested_at", "listed_run_id"),
}
"""Columns that tell of a look, and not of what was seen."""


def dump(tenant_id: int, leave_out: Collection[str] = (), looks: bool = False) -> Dump:
    """Rows by table and primary key, without those of the tables left out, of what events tell of
    runs and of who did something, and, unless `looks`, without the columns that tell of a look."""
    tables = [t for t in Base.metadata.sorted_tables if "tenant_id" in t.c]
    with all_tenants(), db.engine.connect() as connection:
        return {
            table.name: _rows(connection, table, tenant_id, looks)
            for table in tables
            if table.name not in leave_out
        }


def _rows(connection: Any, table: Table, tenant_id: int, looks: bool) -> Rows:
    found = connection.execute(select(table).where(table.c.tenant_id == tenant_id))
    keys = [column.name for column in table.primary_key]
    hidden = () if looks else LOOKS.get(table.name, ())
    return {
        tuple(row[key] for key in keys): {k: v for k, v in row.items() if k not in hidden}
        for row in found.mappings()
        if not (table.name == "events" and str(row["type"]).startswith(OF_RUNS_TOO))
    }


def differences(before: Dump, after: Dump) -> list[str]:
    """What is in one and not in the other, told for whoever reads a failure."""
    told = []
    for table in sorted(before.keys() | after.keys()):
        old, new = before.get(table, {}), after.get(table, {})
        for key in old.keys() | new.keys():
            if old.get(key) != new.get(key):
                told.append(f"{table} {key}: {_tell(old.get(key), new.get(key))}")
    return told


def _tell(old: dict[str, Any] | None, new: dict[str, Any] | None) -> str:
    if old is None or new is None:
        return f"new {new}" if old is None else f"gone {old}"
    return str({k: (old[k], new[k]) for k in old if old[k] != new[k]})
