"""One transaction for what several threads have to write at the same moment."""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Generic, TypeVar

from sqlalchemy.exc import InterfaceError, OperationalError, TimeoutError

from portal.errors import PortalError

log = logging.getLogger(__name__)

Row = TypeVar("Row")
AWAY = (OperationalError, InterfaceError, TimeoutError)
"""The database itself is out of reach, or busy for too long: no row is to blame."""


GATHERING_SECONDS = 0.002
"""More than the threads of a process need to answer and to read what comes next."""


class NotStored(PortalError):
    """The database did not take it."""

    retryable = True


def _locked() -> threading.Lock:
    lock = threading.Lock()
    lock.acquire()
    return lock


@dataclass(slots=True, eq=False)
class _Waiting(Generic[Row]):
    row: Row
    row_id: int | None = None
    error: BaseException | None = None
    turn: threading.Lock = field(default_factory=_locked)
    """Released once: when the row is done, or when its thread has to write for all that wait."""

    @property
    def is_done(self) -> bool:
        return self.row_id is not None or self.error is not None


class GroupCommit(Generic[Row]):
    """One transaction for all rows that arrive while the last one is being committed.

    Deliveries come in storms. Each alone would wait for the write lock and for a commit of its
    own; so one thread at a time writes what everybody has waiting, then hands on to one of those
    that came meanwhile. `insert` commits the rows and returns their ids in order, or raises and
    has stored none.

    In a storm a row waits for a moment until as many are there as were the last time: the threads
    that brought those are just about to bring the next. A row that comes alone never waits.
    """

    def __init__(self, insert: Callable[[list[Row]], Sequence[int]]) -> None:
        self._insert = insert
        self._lock = threading.Lock()
        """Of all below."""
        self._waiting: list[_Waiting[Row]] = []
        self._is_led = False
        """Some thread writes, or is about to."""
        self._expected = 1
        self._gathered: threading.Lock | None = None
        """Released when as many wait as are expected."""

    def write(self, row: Row) -> int:
        """The id of the row, once it is committed. Raises NotStored."""
        mine = _Waiting(row)
        with self._lock:
            self._waiting.append(mine)
            leads, self._is_led = not self._is_led, True
            if self._gathered and len(self._waiting) == self._expected:
                self._gathered.release()
        if not leads:
            mine.turn.acquire()
        if not mine.is_done:
            self._lead()
        if mine.row_id is None:
            raise NotStored(f"The database did not store it: {_words(mine.error)}") from mine.error
        return mine.row_id

    def _lead(self) -> None:
        """Write what waits, the row of this thread with it."""
        batch = self._gather()
        try:
            self._write_batch(batch)
        finally:
            with self._lock:
                following = self._waiting[:1]
                self._is_led = bool(following)
                self._expected = len(batch) + len(self._waiting)
            for each in (*following, *batch):
                each.turn.release()

    def _gather(self) -> list[_Waiting[Row]]:
        with self._lock:
            if len(self._waiting) < self._expected:
                self._gathered = _locked()
        if self._gathered:
            self._gathered.acquire(timeout=GATHERING_SECONDS)
        with self._lock:
            self._gathered = None
            batch, self._waiting = self._waiting, []
        return batch

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
