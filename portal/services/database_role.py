"""What the role that runs the portal may do in the database beyond what it needs."""

from __future__ import annotations

from flask import current_app

from portal.db import db

_KEPT = "role_warning"
_ROLE = """
    SELECT current_user, rolsuper OR rolbypassrls, EXISTS (
        SELECT FROM pg_tables
        WHERE schemaname = current_schema() AND pg_has_role(tableowner, 'USAGE')
    )
    FROM pg_roles WHERE rolname = current_user
"""


def get_role_warning() -> str | None:
    """As `find_role_warning`, asked for once in a process: another role takes a new start."""
    kept = current_app.extensions
    if _KEPT not in kept:
        kept[_KEPT] = find_role_warning()
    found: str | None = kept[_KEPT]
    return found


def find_role_warning() -> str | None:
    """What is wrong with the role, in a sentence; None where nothing is."""
    if db.engine.dialect.name != "postgresql":
        return None
    with db.engine.connect() as connection:
        role, goes_past_policies, owns_tables = connection.exec_driver_sql(_ROLE).one()
    if goes_past_policies:
        return (
            f"The database's role {role} is a superuser or has BYPASSRLS, so PostgreSQL's own "
            "separation of tenants does not hold for it."
        )
    if owns_tables:
        return (
            f"The database's role {role} owns the tables, so it could lift PostgreSQL's separation "
            "of tenants and change the audit trail."
        )
    return None
