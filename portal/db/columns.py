"""Column types, and the base class of the tables."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime
from enum import StrEnum
from typing import Any

from sqlalchemy import BigInteger, DateTime, Dialect, Enum, Integer, MetaData
from sqlalchemy.orm import DeclarativeBase, registry
from sqlalchemy.types import TypeDecorator

NAMING = {
    "ix": "ix_%(column_0_N_label)s",
    "uq": "uq_%(table_name)s_%(column_0_N_name)s",
    "ck": "ck_%(table_name)s_%(constraint_name)s",
    "fk": "fk_%(table_name)s_%(column_0_N_name)s_%(referred_table_name)s",
    "pk": "pk_%(table_name)s",
}

BigId = BigInteger().with_variant(Integer, "sqlite")
"""SQLite gives row ids only to INTEGER PRIMARY KEY."""

EnumColumn = Enum(
    StrEnum,
    native_enum=False,
    length=20,
    values_callable=lambda members: [member.value for member in members],
)
"""A StrEnum is kept as its value; a new member needs no change of the table."""


class UtcDateTime(TypeDecorator[datetime]):
    """An aware UTC time on every database. A naive time is a mistake and is refused."""

    impl = DateTime(timezone=True)
    cache_ok = True

    def process_bind_param(self, value: datetime | None, dialect: Dialect) -> datetime | None:
        if value is None:
            return None
        if value.tzinfo is None:
            raise ValueError("A time without a zone cannot be stored.")
        if value.tzinfo is not UTC:
            value = value.astimezone(UTC)
        return value.replace(tzinfo=None) if dialect.name == "sqlite" else value

    def result_processor(
        self,
        dialect: Dialect,
        coltype: object,  # noqa: ARG002  # as SQLAlchemy calls it
    ) -> Callable[[Any], datetime | None]:
        """In one step: lists have tens of thousands of them."""
        return _read_text if dialect.name == "sqlite" else _read_moment


def _read_text(value: str | None) -> datetime | None:
    """As SQLite keeps it, without a zone."""
    return None if value is None else datetime.fromisoformat(f"{value}+00:00")


def _read_moment(value: datetime | None) -> datetime | None:
    return None if value is None else value.astimezone(UTC)


class Base(DeclarativeBase):
    """What every table is made from. (Flask-SQLAlchemy's `Model` adds only `query`, which the
    tenant guard makes needless, and hides the columns' types.)"""

    registry = registry(
        metadata=MetaData(naming_convention=NAMING),
        type_annotation_map={datetime: UtcDateTime, int: BigId, StrEnum: EnumColumn},
    )
