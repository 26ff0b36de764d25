"""The scheduler process: asks every few seconds what the database says is due.

There is no RQ scheduler: a retry or a later time is a due time in a row, not a delayed job.
Any number of schedulers may run, since each piece of work is claimed by changing its row.
"""

from __future__ import annotations

import logging
import signal
import threading
import time

from flask import Flask
from sqlalchemy.exc import OperationalError, SQLAlchemyError

from portal.services import tick
from portal.services.database_role import find_role_warning
from portal.services.database_statistics import refresh_statistics
from portal.work_id import work

log = logging.getLogger(__name__)

TICK_SECONDS = 3.0
STATISTICS_SECONDS = 3600.0


def run_scheduler(app: Flask) -> None:
    """Tick until a signal comes. Nothing that one tick meets ends the process."""
    stop = threading.Event()
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, lambda _number, _frame: stop.set())
    _check_role(app)
    looked_at = -STATISTICS_SECONDS
    while not stop.is_set():
        if time.monotonic() - looked_at >= STATISTICS_SECONDS:
            looked_at = time.monotonic()
            _look_at_tables(app)
        _tick(app)
        stop.wait(TICK_SECONDS)


def _check_role(app: Flask) -> None:
    try:
        with app.app_context():
            warning = find_role_warning()
    except SQLAlchemyError:
        return  # away: the ticks say so
    if warning is not None:
        log.warning('%s See docs/install.md, "Two roles".', warning)


def _look_at_tables(app: Flask) -> None:
    try:
        with app.app_context():
            refresh_statistics()
    except SQLAlchemyError as error:
        log.warning("SQLite could not look at its tables, trying again later: %s", error)


def _tick(app: Flask) -> None:
    try:
        with work(), app.app_context():
            tick.tick()
    except OperationalError as error:
        log.warning("The database is away, trying again: %s", error.orig)
    except Exception:
        log.exception("A tick of the schedule failed; the next one tries again.")
