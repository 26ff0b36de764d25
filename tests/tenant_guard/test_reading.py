"""No query reaches another tenant's rows, whatever its form."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from sqlalchemy import and_, exists, func, or_, select, text, union_all
from sqlalchemy.exc import NoResultFound
from sqlalchemy.orm import aliased, joinedload, selectinload

from portal.db import db
from portal.models import Client, OrganizationMapping, Tenant
from portal.scope import (
    EVERYONE,
    ScopeMissing,
    all_tenants,
    current_scope,
    get_tenant_id,
    tenant_scope,
)
from tests.tenant_guard.world import (
    OURS,
    THEIRS,
    make_organization,
)

pytestmark = [pytest.mark.usefixtures("two_tenants"), pytest.mark.one_database]


def _names(query: Any) -> list[str]:
    return list(db.session.scalars(query))


def _aliased() -> Any:
    other = aliased(Client)
    return select(other.name)


def _joined_to_an_alias() -> Any:
    other = aliased(Client)
    return select(other.name).select_from(Client).join(other, other.id != Client.id)


def _subquery() -> Any:
    found = select(Client.name).subquery()
    return select(found.c.name)


def _cte() -> Any:
    found = select(Client.name).cte()
    return select(found.c.name)


def _scalar_subquery() -> Any:
    return select(select(func.max(Client.name)).scalar_subquery())


READS: dict[str, Callable[[], Any]] = {
    "entity": lambda: select(Client.name),
    "alias": _aliased,
    "subquery": _subquery,
    "cte": _cte,
    "scalar subquery": _scalar_subquery,
    "union": lambda: union_all(select(Client.name), select(Client.name)),
    "union in a subquery": lambda: select(
        union_all(select(Client.name), select(Client.name)).subquery().c.name
    ),
    "union as entities": lambda: select(Client.name).from_statement(
        union_all(select(Client.name), select(Client.name))
    ),
    "in a subquery": lambda: select(Client.name).where(Client.id.in_(select(Client.id))),
    "join": _joined_to_an_alias,
    "tenant's side": lambda: select(Client.name).join(Tenant, Tenant.id == Client.tenant_id),
}


@pytest.mark.parametrize("form", READS)
def test_a_read_sees_the_scopes_rows_alone(form: str) -> None:
    with tenant_scope(OURS):
        assert set(_names(READS[form]())) <= {"ours"}
    with all_tenants():
        assert "theirs" in _names(READS[form]())


@pytest.mark.parametrize("form", READS)
def test_without_a_scope_a_read_is_an_error(form: str) -> None:
    with pytest.raises(ScopeMissing):
        _names(READS[form]())


def test_counts_and_exists_keep_to_the_scope() -> None:
    with tenant_scope(OURS):
        assert db.session.scalar(select(func.count()).select_from(Client)) == 1
        assert db.session.scalar(select(func.count(Client.id))) == 1
        assert _names(select(Tenant.slug).where(select(Client.id).exists())) != []
        foreign = select(Client.id).where(Client.name == "theirs").exists()
        assert _names(select(Tenant.slug).where(foreign)) == []


NAMED_LATE: list[Callable[[], Any]] = [
    lambda: select(exists().where(and_(Client.name == "theirs", Client.id > 0))),
    lambda: select(Client.id, exists().where(or_(Client.name == "theirs", Client.id < 0))),
    lambda: select(func.count()).where(and_(Client.name == "theirs", Client.id > 0)),
]


@pytest.mark.parametrize("query", NAMED_LATE)
def test_what_would_not_be_kept_to_the_scope_is_refused(query: Callable[[], Any]) -> None:
    with tenant_scope(OURS), pytest.raises(ScopeMissing, match="mapped class"):
        db.session.execute(query())


def test_a_row_is_not_got_by_its_id() -> None:
    with tenant_scope(OURS):
        assert db.session.get(Client, THEIRS) is None
        with pytest.raises(NoResultFound):
            db.session.get_one(Client, THEIRS)
    with pytest.raises(ScopeMissing):
        db.session.get(Client, THEIRS)


def test_a_row_that_the_session_knows_already_is_not_got_by_its_id() -> None:
    with all_tenants():
        known = db.session.get(Client, THEIRS)
        assert known is not None
    with tenant_scope(OURS):
        assert db.session.get(Client, THEIRS) is None
        with pytest.raises(NoResultFound):
            db.session.get_one(Client, THEIRS)


# --- Relationships ----------------------------------------------------------------------


def _point_at_their_client() -> None:
    """What no service does: a row of ours that names a row of theirs."""
    statement = text("UPDATE rmm_organization_mappings SET client_id = 2 WHERE id = :id")
    with db.engine.begin() as connection:
        found = text("SELECT id FROM rmm_organization_mappings WHERE tenant_id = 1")
        connection.execute(statement, {"id": connection.scalar(found)})


@pytest.mark.parametrize("loading", [None, joinedload, selectinload])
def test_a_foreign_row_is_not_loaded_through_a_relationship(loading: Any) -> None:
    _point_at_their_client()
    query = select(OrganizationMapping)
    if loading:
        query = query.options(loading(OrganizationMapping.client))
    with tenant_scope(OURS):
        mapping = db.session.scalars(query).one()
        assert mapping.client is None


def test_nor_through_one_of_a_row_just_added() -> None:
    with tenant_scope(OURS):
        mapping = make_organization(OURS, client=THEIRS, external_id="8")
        db.session.add(mapping)
        db.session.flush()
        assert mapping.client is None


# --- Ways around ------------------------------------------------------------------------


def test_bare_tables_are_refused() -> None:
    table = Client.__table__
    with tenant_scope(OURS):
        for statement in (select(table.c.name), exists().where(table.c.id == 1).select()):
            with pytest.raises(ScopeMissing):
                db.session.execute(statement)


def test_text_is_refused() -> None:
    statement = text("SELECT name FROM clients")
    with tenant_scope(OURS):
        for query in (statement, statement.columns(Client.name)):
            with pytest.raises(ScopeMissing):
                db.session.execute(query)
    with pytest.raises(ScopeMissing):
        db.session.execute(statement)


# --- The scope itself -------------------------------------------------------------------


def test_a_scope_ends_with_its_block_even_when_it_raises() -> None:
    with tenant_scope(OURS):
        with pytest.raises(ZeroDivisionError), tenant_scope(THEIRS):
            raise ZeroDivisionError
        assert current_scope() == OURS
        with all_tenants():
            assert current_scope() is EVERYONE
            with pytest.raises(ScopeMissing):
                get_tenant_id()
        assert get_tenant_id() == OURS
    assert current_scope() is None
    with pytest.raises(ScopeMissing):
        get_tenant_id()


def test_the_scope_of_one_statement_is_not_that_of_the_next() -> None:
    for number, name in ((OURS, "ours"), (THEIRS, "theirs"), (OURS, "ours")):
        with tenant_scope(number):
            assert _names(select(Client.name)) == [name]
