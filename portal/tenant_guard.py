"""The one mechanism that keeps every statement to the rows of the scope's tenant."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from flask_sqlalchemy.session import Session as FlaskSession
from sqlalchemy import ClauseElement, ForeignKey, Table, TextClause, event, inspect
from sqlalchemy.orm import (
    Mapped,
    ORMExecuteState,
    Session,
    mapped_column,
    with_loader_criteria,
)
from sqlalchemy.sql import util as sql_util
from sqlalchemy.sql import visitors
from sqlalchemy.sql.selectable import Select, TextualSelect

from portal.client_guard import LIMITS
from portal.scope import EVERYONE, Scope, ScopeMissing, current_scope

REFRESHES = "refreshes_row"
"""The execution option of a statement that reads a row again which the session holds already."""


class TenantOwned:
    """A row that belongs to one tenant. Nothing reads or writes it outside a scope."""

    tenant_id: Mapped[int] = mapped_column(ForeignKey("tenants.id", ondelete="CASCADE"))


class GuardedSession(FlaskSession):
    """`get` asks the scope too for a row that the session holds already."""

    def get(self, entity: Any, ident: Any, **options: Any) -> Any:
        row = super().get(entity, ident, **options)
        scope = current_scope()
        if scope is EVERYONE or not isinstance(row, TenantOwned):
            return row
        if scope is None:
            raise ScopeMissing(f"No tenant scope for a {type(row).__name__}.")
        return row if row.tenant_id == scope and LIMITS.shows(self, row) else None


@event.listens_for(Session, "do_orm_execute")
def _guard_statement(state: ORMExecuteState) -> None:
    """Add the scope to every statement; refuse one that would escape it."""
    scope = current_scope()
    if scope is EVERYONE:
        return
    if state.is_column_load:  # it refreshes a row that was come by rightly
        state.update_execution_options(**{REFRESHES: True})
        return
    if isinstance(state.statement, TextClause | TextualSelect):
        raise ScopeMissing("A statement as text cannot be kept to a tenant.")
    tables = _tables_of(state)
    owned = [table for table in tables if "tenant_id" in table.columns]
    if not owned:
        LIMITS.add_criteria(state, TenantOwned, tables)
        return
    if scope is None:
        raise ScopeMissing(f"No tenant scope for a statement on {owned[0].name}.")
    if state.is_insert:
        _check_inserted_rows(state.parameters, scope)
        LIMITS.check_insert(owned[0])
        return
    if not state.is_orm_statement:
        raise ScopeMissing(f"Use mapped classes, not bare tables, to reach {owned[0].name}.")
    _check_subqueries(state.statement)
    if state.is_update or state.is_delete:
        _check_change(state)
    state.statement = state.statement.options(
        with_loader_criteria(TenantOwned, lambda cls: cls.tenant_id == scope, include_aliases=True)
    )
    LIMITS.add_criteria(state, TenantOwned, tables)


def _tables_of(state: ORMExecuteState) -> list[Table]:
    if not isinstance(state.statement, ClauseElement):
        return []
    found = sql_util.find_tables(
        state.statement,
        include_aliases=False,
        include_joins=False,
        include_selects=True,
        include_crud=True,
    )
    return [table for table in found if isinstance(table, Table)]


def _check_subqueries(statement: Any) -> None:
    """Refuse one that SQLAlchemy would not add the criteria to: it takes for one of mapped classes
    what says so first, which `and_` and `or_` do not, as in `exists().where(and_(…))`."""
    for each in visitors.iterate(statement):
        if not isinstance(each, Select) or "compile_state_plugin" in each._propagate_attrs:
            continue
        for source in each.get_final_froms():
            for table in source._from_objects:
                if "tenant_id" in table.c:
                    raise ScopeMissing(f"Name a mapped class first, to reach {table}.")


def _check_inserted_rows(
    parameters: Mapping[str, Any] | Iterable[Mapping[str, Any]] | None, scope: object
) -> None:
    rows = [parameters] if isinstance(parameters, Mapping) else parameters or [{}]
    if any(row.get("tenant_id") != scope for row in rows):
        raise ScopeMissing("A bulk insert must name the scope's tenant_id in every row.")


def _check_change(state: ORMExecuteState) -> None:
    """Refuse what SQLAlchemy would not add the criteria to, and what is not to be changed."""
    if isinstance(state.parameters, list):
        raise ScopeMissing("A bulk update by ids cannot be kept to a tenant.")
    statement: Any = state.statement
    values = getattr(statement, "_values", None) or {}
    named = {getattr(column, "key", column) for column in values} | {*(state.parameters or ())}
    if "tenant_id" in named:
        raise ScopeMissing("A row stays with its tenant.")
    clauses = [statement.whereclause, *values.values()]
    tables = {table for each in clauses for table in getattr(each, "_from_objects", ())}
    if tables - {statement.table}:
        raise ScopeMissing("Reach the rows of another table by a subquery, not by a join.")
    LIMITS.check_change(statement.table, named)


@event.listens_for(Session, "before_flush")
def _guard_flush(session: Session, _context: object, _instances: object) -> None:
    scope = current_scope()
    if scope is EVERYONE:
        return
    for row in (*session.new, *session.dirty, *session.deleted):
        if isinstance(row, TenantOwned):
            _guard_row(row, scope)
            LIMITS.check_row(session, row, is_new=row in session.new)


def _guard_row(row: TenantOwned, scope: Scope) -> None:
    if scope is None:
        raise ScopeMissing(f"No tenant scope for a {type(row).__name__}.")
    owner: int | None = row.tenant_id
    if owner is None and isinstance(scope, int):
        owner = row.tenant_id = scope
    if owner != scope or inspect(row).attrs.tenant_id.history.deleted:
        raise ScopeMissing(f"A {type(row).__name__} of tenant {owner} in scope {scope}.")
