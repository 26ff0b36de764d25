"""The audit trail: one row for each thing that a person or an operator did, never changed."""

from __future__ import annotations

from datetime import datetime
from enum import StrEnum
from typing import Any

from sqlalchemy import JSON, Delete, Index, Table, UniqueConstraint, Update, event
from sqlalchemy.orm import Mapped, Mapper, ORMExecuteState, Session, mapped_column

from portal.db import Base, BigId, TenantOwned

PRUNES = "prunes_audit"
"""The execution option of the one statement that may delete rows: a checkpoint stands for them."""


class ActorKind(StrEnum):
    USER = "user"
    COMMAND = "command"
    """An operator at the command line, by the name of their account at the machine."""
    ANONYMOUS = "anonymous"
    """Somebody who is not signed in."""
    SYSTEM = "system"
    """The portal itself."""


class AppendOnly(RuntimeError):
    """Rows of the audit trail were to be changed or deleted: a mistake in the program."""


class AuditRow(Base):
    """What both kinds of chains keep of what was done.

    Who did it and to what are words and numbers, not references: a row outlives them.
    """

    __abstract__ = True

    id: Mapped[int] = mapped_column(BigId, primary_key=True)
    number: Mapped[int]
    """From 1, without a gap in its chain."""
    at: Mapped[datetime]
    actor_kind: Mapped[ActorKind]
    actor_id: Mapped[int | None]
    """Of a user."""
    actor_name: Mapped[str]
    address: Mapped[str]
    """Where it came from: an IP address, of a command the machine's name."""
    source: Mapped[str]
    """The route as it is declared, or the command; without values, which may be secret."""
    request_id: Mapped[str]
    """As in the log and in `X-Request-ID`."""
    action: Mapped[str]
    """A word of `portal.services.audit.actions`."""
    target_kind: Mapped[str]
    target_id: Mapped[str]
    target_name: Mapped[str]
    before: Mapped[dict[str, Any] | None] = mapped_column(JSON(none_as_null=True))
    after: Mapped[dict[str, Any] | None] = mapped_column(JSON(none_as_null=True))
    key_id: Mapped[str]
    """The encryption key from which the key of the codes was derived."""
    previous: Mapped[str]
    """The code of the row before; empty in the first."""
    mac: Mapped[str]
    """HMAC-SHA256 over this row and `previous`."""


class AuditEntry(AuditRow, TenantOwned):
    """Of one tenant's chain."""

    __tablename__ = "audit_entries"
    __table_args__ = (
        UniqueConstraint("tenant_id", "number"),
        Index("ix_audit_entries_action", "tenant_id", "action", "number"),
    )


class InstallAuditEntry(AuditRow):
    """Of the chain for what belongs to no tenant."""

    __tablename__ = "install_audit_entries"
    __table_args__ = (UniqueConstraint("number"),)


AuditModel = type[AuditRow]

_TABLES: set[object] = {AuditEntry.__table__, InstallAuditEntry.__table__}


@event.listens_for(AuditRow, "before_update", propagate=True)
@event.listens_for(AuditRow, "before_delete", propagate=True)
def _refuse_row(_mapper: Mapper[Any], _connection: object, row: AuditRow) -> None:
    raise AppendOnly(f"Row {row.number} of the audit trail stays as it is.")


@event.listens_for(Session, "do_orm_execute")
def _refuse_statement(state: ORMExecuteState) -> None:
    statement = state.statement
    if not isinstance(statement, Update | Delete) or statement.table not in _TABLES:
        return
    if isinstance(statement, Update) or not state.execution_options.get(PRUNES):
        raise AppendOnly("Rows of the audit trail stay as they are.")


def table_of(model: AuditModel) -> Table:
    table = model.__table__
    assert isinstance(table, Table)
    return table
