"""One transaction for what several threads have to write at the same moment."""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Generic, TypeVar

from sqlalchemy.exc import InterfaceError, OperationalError, TimeoutError

from portal.errors import PortalError

log = logging.getLogger(__name__)

Row = TypeVar("Row")
AWAY = (OperationalError, InterfaceError, TimeoutError)
"""The database itself is out of reach, or busy for too long: no row is to blame."""


class NotStored(PortalError):
    """The database did not take it."""

    retryable = True


@dataclass(slots=True, eq=False)
class _Waiting(Generic[Row]):
    row: Row
    row_id: int | None = None
    error: BaseException | None = None

    @property
    def is_done(self) -> bool:
        return self.row_id is not None or self.error is not None


class GroupCommit(Generic[Row]):
    """One transaction for all rows that arrive while the last one is being committed.

    Deliveries come in storms. Each alone would wait for the write lock and for a commit of its
    own; so whoever gets the lock writes what everybody has waiting, and they find it done.
    `insert` commits the rows and returns their ids in order, or raises and has stored none.
    """

    def __init__(self, insert: Callable[[list[Row]], Sequence[int]]) -> None:
        self._insert = insert
        self._gathering = threading.Lock()
        self._writing = threading.Lock()
        self._waiting: list[_Waiting[Row]] = []

    def write(self, row: Row) -> int:
        """The id of the row, once it is committed. Raises NotStored."""
        mine = _Waiting(row)
        with self._gathering:
            self._waiting.append(mine)
        with self._writing:
            if not mine.is_done:
                with self._gathering:
                    batch, self._waiting = self._waiting, []
                self._write_batch(batch)
        if mine.row_id is None:
            raise NotStored(f"The database did not take it: {_words(mine.error)}") from mine.error
        return mine.row_id

    def _write_batch(self, batch: list[_Waiting[Row]]) -> None:
        try:
            ids = self._insert([waiting.row for waiting in batch])
        except Exception as error:
            if len(batch) > 1 and not isinstance(error, AWAY):
                for waiting in batch:  # one row is to blame, and shall cost itself alone
                    self._write_batch([waiting])
                return
            for waiting in batch:
                waiting.error = error
        except BaseException as end:
            for waiting in batch:
                waiting.error = end
            raise
        else:
            for waiting, row_id in zip(batch, ids, strict=True):
                waiting.row_id = row_id


def _words(error: BaseException | None) -> str:
    """Without the statement and its values, which are the delivery's own."""
    return str(getattr(error, "orig", None) or type(error).__name__)
