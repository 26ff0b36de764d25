"""PostgreSQL's own guard of tenants' rows: what it is told, and the policies that it goes by.

The second belt. `portal.tenant_guard` adds the scope's tenant to each statement; were it to miss
one, the database itself still gives no other tenant's row. SQLite has nothing like it.
"""

from __future__ import annotations

from typing import Any, Final

from sqlalchemy import Connection, Engine, event

from portal.scope import EVERYONE, Scope, current_scope
from portal.tenant_guard import REFRESHES

SETTING: Final = "app.tenant"
"""Whose rows there are, of a transaction: a tenant's id, `everyone`, or empty for nobody's."""

EVERYONES: Final = "everyone"
_TOLD = "row_security_scope"
_OF_SAVEPOINTS = ("SAVEPOINT", "ROLLBACK", "RELEASE")
_SAID = f"current_setting('{SETTING}', true)"
POLICIES: Final = {
    # After a transaction the setting is not gone but empty. Queries of their own, so that it is
    # asked for once a statement and not once a row.
    "own_tenant": f"tenant_id = (SELECT nullif(nullif({_SAID}, ''), '{EVERYONES}')::bigint)",
    # In words of which the planner expects that they nearly always hold: then it does not think
    # that the policies leave few of the rows that the guard's own condition finds.
    "all_tenants": f"(SELECT 1 WHERE {_SAID} = '{EVERYONES}') IS NOT NULL",
}
"""By name, which rows there are by it: for reading, changing and adding alike."""
_APPEND_ONLY = ("audit_entries", "install_audit_entries")
_OWN_TABLES = """
    SELECT c.relname, c.relrowsecurity AND c.relforcerowsecurity, EXISTS (
        SELECT FROM pg_attribute a
        WHERE a.attrelid = c.oid AND a.attname = 'tenant_id' AND NOT a.attisdropped
    )
    FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
    WHERE n.nspname = current_schema() AND c.relkind = 'r' AND pg_has_role(c.relowner, 'USAGE')
    ORDER BY c.relname
"""
"""Those that the role may change: name, whether it is protected, whether it is of tenants."""
_OWN_SEQUENCES = """
    SELECT c.relname FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
    WHERE n.nspname = current_schema() AND c.relkind = 'S' AND pg_has_role(c.relowner, 'USAGE')
"""


def follow_scope(engine: Engine) -> None:
    """Tell the database the scope before each statement that runs in another one than the last.

    At the cursor, so that what goes past the session is kept to the scope as well.
    """

    @event.listens_for(engine, "begin")
    def _begin(connection: Connection) -> None:
        connection.info[_TOLD] = ""  # what was told ended with the transaction

    @event.listens_for(engine, "rollback_savepoint")
    def _roll_back(connection: Connection, _name: str, _context: object) -> None:
        connection.info[_TOLD] = None  # what was told since the savepoint is taken back

    @event.listens_for(engine, "before_cursor_execute")
    def _tell(
        connection: Connection, _cursor: object, statement: str, _values: Any, context: Any, *_: Any
    ) -> None:
        scope = _to_text(current_scope())
        if not scope and context.execution_options.get(REFRESHES):
            scope = EVERYONES
        if connection.info.get(_TOLD) == scope or statement.startswith(_OF_SAVEPOINTS):
            return
        connection.info[_TOLD] = scope
        connection.exec_driver_sql("SELECT set_config(%s, %s, true)", (SETTING, scope))


def _to_text(scope: Scope) -> str:
    if scope is EVERYONE:
        return EVERYONES
    return "" if scope is None else str(scope)


def protect_tables(connection: Connection) -> None:
    """Every table of tenants' rows gets its policies; its owner goes by them as well."""
    for table, is_protected, is_of_tenants in connection.exec_driver_sql(_OWN_TABLES).all():
        if is_of_tenants and not is_protected:
            connection.exec_driver_sql(f'ALTER TABLE "{table}" ENABLE ROW LEVEL SECURITY')
            connection.exec_driver_sql(f'ALTER TABLE "{table}" FORCE ROW LEVEL SECURITY')
            for name, condition in POLICIES.items():
                statement = f'CREATE POLICY {name} ON "{table}" USING ({condition})'
                connection.exec_driver_sql(statement)


def open_tables(connection: Connection) -> None:
    """Take the policies away: for a portal that does not tell the database its scope."""
    for table, is_protected, is_of_tenants in connection.exec_driver_sql(_OWN_TABLES).all():
        if is_of_tenants and is_protected:
            for name in POLICIES:
                connection.exec_driver_sql(f'DROP POLICY {name} ON "{table}"')
            connection.exec_driver_sql(f'ALTER TABLE "{table}" NO FORCE ROW LEVEL SECURITY')
            connection.exec_driver_sql(f'ALTER TABLE "{table}" DISABLE ROW LEVEL SECURITY')


def grant_tables(connection: Connection, role: str) -> None:
    """What a role needs to run the portal on the tables that this one owns, and no more."""
    name = connection.dialect.identifier_preparer.quote_identifier(role)
    for table, *_ in connection.exec_driver_sql(_OWN_TABLES).all():
        if table == "alembic_version":
            rights = "SELECT"
        elif table in _APPEND_ONLY:
            rights = "SELECT, INSERT"
            taken = f'REVOKE UPDATE, DELETE, TRUNCATE ON "{table}" FROM {name}'
            connection.exec_driver_sql(taken)
        else:
            rights = "SELECT, INSERT, UPDATE, DELETE"
        connection.exec_driver_sql(f'GRANT {rights} ON "{table}" TO {name}')
    for sequence in connection.exec_driver_sql(_OWN_SEQUENCES).scalars().all():
        connection.exec_driver_sql(f'GRANT USAGE ON SEQUENCE "{sequence}" TO {name}')
