"""How the databases mean to run the statements of some code, and which walk through big tables.

Small tables are quicker read than looked up, so PostgreSQL is told to avoid reading any from end
to end, be it to join it. What it then still reads so, or by an index of which it uses no part to
look something up, has no index that helps.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

from sqlalchemy import Connection, Engine, event

from portal.db import Base, db

BIG = frozenset(
    {
        "assets",
        "tenant_external_entity_mappings",
        "asset_software",
        "daily_counts",
        "software_catalog",
        "rmm_alerts",
        "alert_handlings",
        "alert_timeline",
        "messages",
        "tickets",
        "ticket_alerts",
        "ticket_tasks",
        "webhook_deliveries",
        "events",
        "sync_log_entries",
        "sync_runs",
    }
)
"""Tables that grow with fleets and with time."""

PARTIAL = frozenset(
    index.name
    for table in Base.metadata.tables.values()
    for index in table.indexes
    if index.dialect_options["postgresql"]["where"] is not None
)

_PLANNED = ("SELECT", "UPDATE", "DELETE", "WITH")


@dataclass(slots=True)
class Asked:
    """Statements by their text, each with the values of its first use."""

    statements: dict[str, Any] = field(default_factory=dict)

    def walks(self) -> list[str]:
        """What walks through a big table: the table, and the statement."""
        with db.engine.connect() as connection:
            if connection.dialect.name == "postgresql":
                for way in ("seqscan", "hashjoin", "mergejoin"):
                    connection.exec_driver_sql(f"SET enable_{way} = off")
                connection.exec_driver_sql("SET random_page_cost = 1.1")  # of a solid-state disk
            return [
                f"{table}: {' '.join(sql[sql.find('FROM') :].split())}"
                for sql, values in self.statements.items()
                for table in _tables_walked(connection, sql, values)
            ]


@contextmanager
def asked() -> Iterator[Asked]:
    """The statements that the block runs."""
    engine, found = _engine(), Asked()

    def note(
        _connection: Any, _cursor: Any, sql: str, values: Any, _context: Any, many: bool
    ) -> None:
        if sql.startswith(_PLANNED):
            found.statements.setdefault(sql, values[0] if many else values)

    event.listen(engine, "before_cursor_execute", note)
    try:
        yield found
    finally:
        event.remove(engine, "before_cursor_execute", note)


def _engine() -> Engine:
    return db.engine


def _tables_walked(connection: Connection, sql: str, values: Any) -> set[str]:
    if connection.dialect.name == "sqlite":
        rows = connection.exec_driver_sql(f"EXPLAIN QUERY PLAN {sql}", values).all()
        return _walked_by_sqlite(sql, [row[3] for row in rows])
    plan = connection.exec_driver_sql(f"EXPLAIN (FORMAT JSON) {sql}", values).scalar_one()
    return set(_walked_by_postgresql(plan[0]["Plan"]))


def _walked_by_sqlite(sql: str, lines: list[str]) -> set[str]:
    """It names tables as the statement does, by alias where there is one. To make an index for
    one statement it walks too."""
    tables = {alias: table for table, alias in re.findall(r"(\w+) AS (\w+)", sql)}
    walks = [line for line in lines if line.startswith("SCAN ") or " AUTOMATIC " in line]
    names = [line.split()[1] for line in walks if line.split()[-1] not in PARTIAL]
    return {tables.get(name, name) for name in names} & BIG


def _walked_by_postgresql(node: dict[str, Any]) -> Iterator[str]:
    is_scan = node["Node Type"] in {"Seq Scan", "Index Scan", "Index Only Scan"}
    is_lookup = "Index Cond" in node or node.get("Index Name") in PARTIAL
    if is_scan and node["Relation Name"] in BIG and not is_lookup:
        yield node["Relation Name"]
    for below in node.get("Plans", []):
        yield from _walked_by_postgresql(below)
