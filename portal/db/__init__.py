"""The database: base class, column types and the unit of work."""

from __future__ import annotations

from portal.db.columns import Base, BigId, UtcDateTime
from portal.db.engine import engine_options, tune_sqlite
from portal.db.row_security import follow_scope
from portal.db.session import changed_one, count_changed, db, release, transaction
from portal.db.statements import add_rows, insert, is_among, put_rows, upsert
from portal.tenant_guard import TenantOwned

__all__ = [
    "Base",
    "BigId",
    "TenantOwned",
    "UtcDateTime",
    "add_rows",
    "changed_one",
    "count_changed",
    "db",
    "engine_options",
    "follow_scope",
    "insert",
    "is_among",
    "put_rows",
    "release",
    "transaction",
    "tune_sqlite",
    "upsert",
]
