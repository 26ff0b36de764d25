"""A run's own record: its lease, its progress, its counts and its log entries."""

from __future__ import annotations

import itertools
import threading
from collections import Counter, deque
from collections.abc import Callable, Sequence
from contextlib import AbstractContextManager
from datetime import datetime, timedelta
from operator import itemgetter
from typing import Any

from flask import Flask
from sqlalchemy import Update, select, update
from sqlalchemy.orm import Session

from portal.clock import utc_now
from portal.db import add_rows, changed_one, db, transaction
from portal.errors import PortalError
from portal.lease import BEAT_SECONDS, beating
from portal.models import SyncLogEntry, SyncRun
from portal.models.runs.sync_run import COUNT_NAMES, RunStatus
from portal.sync.runs.cause import Cause
from portal.sync.runs.run_events import record_ended_event

PACED_OVER = timedelta(seconds=30)
"""Over how long the pace of a run is measured."""
POLL_SECONDS = 1
"""How often a run looks whether somebody pressed cancel."""
CANCELLED = "The run was cancelled."
_ENTRY = ("action", "external_id", "name", "reason", "changes")
"""The columns that `log_entry` names."""


class RunEnded(PortalError):
    """The run is no longer ours to go on with: cancelled, or taken over by another process."""


class RunLog:
    """Writes to one run, for as long as the lease is held.

    Every write carries the lease in its WHERE: a process that was stopped and comes back
    after another took its run over changes nothing any more.
    """

    def __init__(self, run_id: int, lease: str, cause: Cause | None = None) -> None:
        self.run_id = run_id
        self.cause = cause or Cause("command", run_id)
        self.counts: Counter[str] = Counter()
        self.warnings: list[str] = []
        self._lease = lease
        self._progress: deque[tuple[datetime, int]] = deque()
        self.cancelled = threading.Event()
        self.outcome: tuple[RunStatus, str | None] | None = None
        """How a run ends that did its work but not as usual, and why."""

    def set_phase(self, phase: str, total: int | None = None) -> None:
        self._progress.clear()
        pace = self._note_progress(self.counts["seen"]) | {"done": 0}
        with transaction() as session:
            self._write(session, phase=phase, total=total, **pace)

    def check(self) -> None:
        """Raises RunEnded when the run is over. It asks no database."""
        if self.cancelled.is_set():
            raise RunEnded(CANCELLED)

    def record(
        self,
        session: Session,
        counts: Counter[str],
        entries: Sequence[dict[str, Any]],
        total: int | None = None,
    ) -> None:
        """Add a page's counts and entries, in the transaction that applies the page.

        Raises RunEnded, which rolls that page back, when the run is cancelled or lost.
        """
        self.check()
        after = self.counts + counts
        named = {name: after[name] for name in COUNT_NAMES}
        self._write(session, total=total, **self._note_progress(after["seen"]), **named)
        add_entries(session, self.run_id, entries)
        self.counts = after

    def note(self, session: Session, entries: Sequence[dict[str, Any]]) -> None:
        """Add entries that count for nothing. Raises RunEnded like `record`."""
        self._write(session)
        add_entries(session, self.run_id, entries)

    def note_source(self, session: Session, source: str) -> None:
        """Where the inventory is read. Raises RunEnded like `record`."""
        self._write(session, source=source)

    def warn(self, reason: str) -> None:
        """Something the admin should know; the run ends `partial`."""
        self.warnings.append(reason)
        with transaction() as session:
            self.note(session, [log_entry("warning", reason=reason)])

    def end_as(self, status: RunStatus, reason: str | None = None) -> None:
        """When it ends, it shall end so."""
        self.outcome = status, reason

    def finish(self, status: RunStatus, error: str | None = None, fault: str | None = None) -> bool:
        """Write the end. False, and nothing, when the run was taken over meanwhile."""
        with transaction() as session:
            is_ours = changed_one(
                session,
                self._own_run().values(
                    status=status,
                    error=error,
                    fault=fault,
                    phase="",
                    lease=None,
                    finished_at=utc_now(),
                ),
            )
            if is_ours:
                run = session.get_one(SyncRun, self.run_id, populate_existing=True)
                record_ended_event(session, run)
        return is_ours

    def keep_alive(self, app: Flask, give_up: Callable[[], None]) -> AbstractContextManager[None]:
        """Renew the lease and watch for cancel in a thread, however slow Tactical is.

        A run that is cancelled ends there and then; `give_up` is called, in that thread, to end
        what its own one may still be waiting for.
        """
        looks = itertools.count(1)

        def look() -> bool:
            if not self._is_over(beat=next(looks) % (BEAT_SECONDS // POLL_SECONDS) == 0):
                return True
            give_up()
            return False

        return beating(app, look, POLL_SECONDS)

    def _is_over(self, beat: bool) -> bool:
        """Whether the run was cancelled, and so ended here, or is another process's by now."""
        if beat:
            with transaction() as session:
                session.execute(self._own_run().values(heartbeat_at=utc_now()))
        run = db.session.execute(
            select(SyncRun.lease, SyncRun.cancel_requested_at).where(SyncRun.id == self.run_id)
        ).one()
        if run.cancel_requested_at is None and run.lease == self._lease:
            return False
        self.cancelled.set()
        self.finish(RunStatus.CANCELLED, CANCELLED)
        return True

    def _write(self, session: Session, **values: Any) -> None:
        values["heartbeat_at"] = utc_now()
        if values.get("total") is None:
            values.pop("total", None)
        # Not once cancel was pressed: whoever asked for it relies on no page coming after.
        ours = self._own_run().where(SyncRun.cancel_requested_at.is_(None))
        if changed_one(session, ours.values(**values)):
            return
        cancelled = session.scalar(
            select(SyncRun.cancel_requested_at).where(SyncRun.id == self.run_id)
        )
        raise RunEnded(CANCELLED if cancelled else "Another process took over this run.")

    def _note_progress(self, done: int) -> dict[str, Any]:
        """The columns that say how far the run is, and since when it is measured how quickly."""
        now = utc_now()
        self._progress.append((now, done))
        while len(self._progress) > 1 and self._progress[1][0] <= now - PACED_OVER:
            self._progress.popleft()
        paced_from, paced_done = self._progress[0]
        return {"done": done, "paced_from": paced_from, "paced_done": paced_done}

    def _own_run(self) -> Update:
        return update(SyncRun).where(
            SyncRun.id == self.run_id,
            SyncRun.lease == self._lease,
            SyncRun.status == RunStatus.RUNNING,
        )


def add_entries(session: Session, run_id: int, entries: Sequence[dict[str, Any]]) -> None:
    """To the log of a run, in one statement; entries as `log_entry` makes them."""
    same = {"run_id": run_id, "created_at": utc_now()}
    rows = map(itemgetter(*_ENTRY), entries)
    add_rows(session, SyncLogEntry, same, _ENTRY, rows)


def log_entry(
    action: str,
    external_id: str = "",
    name: str = "",
    reason: str | None = None,
    changes: dict[str, Any] | None = None,
) -> dict[str, Any]:
    return {
        "action": action,
        "external_id": external_id,
        "name": name,
        "reason": reason,
        "changes": changes,
    }
