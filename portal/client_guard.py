"""What keeps somebody who is limited to some clients to these, beside the tenant guard.

Which rows of a model belong to a client stands in one table, `portal.models.client_limits`. A model
of which it says nothing is refused: see `portal.scope.limited_to`.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any, cast

from sqlalchemy import (
    BigInteger,
    BindParameter,
    ColumnElement,
    Table,
    bindparam,
    event,
    false,
    inspect,
    select,
    true,
)
from sqlalchemy.orm import (
    InstanceState,
    Mapper,
    ORMExecuteState,
    QueryContext,
    Session,
    with_loader_criteria,
)
from sqlalchemy.orm.attributes import set_committed_value

from portal.scope import EVERYONE, ScopeMissing, allowed_clients, current_scope

CLIENT = "client_id"
"""The column, in whatever table, of the client that a row belongs to."""

FOUND_FROM = "found_from"

Criterion = Callable[[Any], ColumnElement[bool]]
"""Of a mapped class or an alias of it."""


@dataclass(frozen=True, slots=True)
class ClientLimit:
    """What of a model somebody has who is limited to some clients.

    `rows` they read. They change them only with `changes`, and make new ones only with `adds`.
    `hidden` are attributes that tell of other clients too, with what they read instead: a value, or
    what makes it of the row's attributes. `found`: of rows that a statement comes to from rows of a
    model that are theirs, what is left to ask for.
    """

    rows: Criterion
    changes: bool = False
    adds: bool = False
    hidden: Mapping[str, Any] = field(default_factory=dict)
    found: Mapping[type, Criterion] = field(default_factory=dict)


def nothing(_entity: Any) -> ColumnElement[bool]:
    """Of a model that belongs to no client."""
    return false()


def everything(_entity: Any) -> ColumnElement[bool]:
    """Of a model that names no client, and that code needs."""
    return true()


def found_from(model: type) -> dict[str, Any]:
    """Execution options of a statement that comes to rows that belong to rows of `model` from
    these alone, by joining or comparing: the guard keeps it to their rows of `model`, and does not
    look for what belongs to these once more, but asks for what `ClientLimit.found` says."""
    return {FOUND_FROM: model}


def allowed_ids() -> BindParameter[Any]:
    """The clients of whoever the statement is run for, as its last moment has them: so it is
    compiled once for everybody."""
    return bindparam(
        "allowed_clients", callable_=_list_ids, expanding=True, type_=BigInteger, unique=False
    )


class ClientLimits:
    """The table: by model, what `ClientLimit` says of it."""

    def __init__(self) -> None:
        self._by_model: dict[type, ClientLimit] = {}

    def fill(self, limits: Mapping[type, ClientLimit]) -> None:
        for model, limit in limits.items():
            self._by_model[model] = limit
            if limit.hidden:
                event.listen(model, "load", _hide(limit.hidden))
                event.listen(model, "refresh", _hide(limit.hidden))

    def get(self, model: type) -> ClientLimit:
        """Raises ScopeMissing for a model that is not in it."""
        limit = self._by_model.get(model)
        if limit is None:
            raise ScopeMissing(f"Who is limited to clients may see nothing of {model.__name__}.")
        return limit

    def add_criteria(self, state: ORMExecuteState, owned: type, tables: Iterable[Table]) -> None:
        """To a statement of somebody who is limited. `owned` is what tenants' models derive from;
        the table may hold others."""
        if allowed_clients() is None:
            return
        others = [model for model in self._by_model if not issubclass(model, owned)]
        limited = {inspect(model).local_table.name for model in others}
        if not any(table.name in limited or "tenant_id" in table.columns for table in tables):
            return
        source = _find_source(state, tables)

        def find(cls: Any) -> ColumnElement[bool]:
            return _find_criterion(cls)

        def find_from(cls: Any) -> ColumnElement[bool]:
            return _find_criterion(cls, source)

        # Two: a model that a function encloses is a part of what SQLAlchemy compiles once, and None
        # it refuses.
        criterion = find if source is None else find_from
        state.statement = state.statement.options(
            *(
                with_loader_criteria(model, criterion, include_aliases=True)
                for model in (owned, *others)
            )
        )

    def check_insert(self, table: Table) -> None:
        """Raises ScopeMissing where rows of the table are not theirs to add."""
        if allowed_clients() is not None and not self.get(self._model_of(table)).adds:
            raise ScopeMissing(f"Who is limited to clients adds nothing to {table.name}.")

    def check_change(self, table: Table, columns: Collection[str]) -> None:
        """Raises ScopeMissing where rows of the table are not theirs to change, or would be given
        to a client that the statement does not show."""
        if allowed_clients() is None:
            return
        if not self.get(self._model_of(table)).changes or CLIENT in columns:
            raise ScopeMissing(f"Who is limited to clients does not change {table.name} like this.")

    def check_row(self, session: Session, row: object, *, is_new: bool) -> None:
        """The same of a row that is written; its client is one of theirs, before and after."""
        allowed = allowed_clients()
        if allowed is None:
            return
        limit, name = self.get(type(row)), type(row).__name__
        if not (limit.adds if is_new else limit.changes):
            raise ScopeMissing(f"Who is limited to clients does not write a {name}.")
        if CLIENT in inspect(type(row)).column_attrs:
            was_theirs = is_new or self.shows(session, row)
            if not was_theirs or getattr(row, CLIENT) not in allowed:
                raise ScopeMissing(f"A {name} of a client that is not among the allowed ones.")

    def shows(self, session: Session, row: object) -> bool:
        """Whether the row, which the session knows perhaps from before the limit, is theirs to
        see as the database has it."""
        if allowed_clients() is None:
            return True
        model, known = cast(Any, type(row)), cast(Any, row)
        return session.scalar(select(model.id).where(model.id == known.id)) is not None

    def _model_of(self, table: Table) -> type:
        found = [model for model in self._by_model if inspect(model).local_table.name == table.name]
        if not found:
            raise ScopeMissing(f"Who is limited to clients may do nothing to {table.name}.")
        return found[0]


LIMITS = ClientLimits()


def _find_criterion(entity: Any, source: type | None = None) -> ColumnElement[bool]:
    """SQLAlchemy tries it with a stand-in first, which no statement has."""
    mapper: Mapper[Any] | None = getattr(inspect(entity, raiseerr=False), "mapper", None)
    if mapper is None:
        return true()
    limit = LIMITS.get(mapper.class_)
    rows = limit.rows if source is None else limit.found.get(source, limit.rows)
    return rows(entity)


def _find_source(state: ORMExecuteState, tables: Iterable[Table]) -> type | None:
    """The model of `found_from`."""
    source: type | None = state.execution_options.get(FOUND_FROM)
    if source is not None and inspect(source).local_table not in tables:
        raise ScopeMissing(f"The statement reads no {source.__name__} to find others from.")
    return source


def _list_ids() -> list[int]:
    return sorted(allowed_clients() or ())


def _hide(hidden: Mapping[str, Any]) -> Callable[..., None]:
    """Rows are read without what they tell of others. Nothing of it is written back."""

    def hide(row: Any, _context: QueryContext, names: Any = None) -> None:
        if allowed_clients() is None or current_scope() is EVERYONE:
            return
        state: InstanceState[Any] = inspect(row)
        known = dict(state.dict)
        for name, value in hidden.items():
            if name in known and (names is None or name in names):
                set_committed_value(row, name, value(known) if callable(value) else value)

    return hide
