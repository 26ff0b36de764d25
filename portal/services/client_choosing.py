"""Clients that a person chose: some by their ids, or all that a search finds."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass

from sqlalchemy import ColumnElement, Select, select

from portal.errors import InvalidInput
from portal.models import Client
from portal.services.clients import is_named_like


@dataclass(frozen=True, slots=True)
class ChosenClients:
    """Some by their ids, or all whose name holds `named`, which may be blank."""

    ids: Collection[int] = ()
    named: str | None = None

    def to_conditions(self) -> list[ColumnElement[bool]]:
        """Raises InvalidInput when nothing is chosen."""
        if self.named is not None:
            return [is_named_like(self.named)] if self.named else []
        if not self.ids:
            raise InvalidInput("Select at least one client.")
        return [Client.id.in_(self.ids)]

    def select_ids(self) -> Select[int]:
        """Raises InvalidInput when nothing is chosen."""
        return select(Client.id).where(*self.to_conditions())
