"""How the portal's processes log: lines on standard error that nobody outside can forge.

Whatever a stranger typed may be in a message or a traceback. So control characters are escaped
and long texts cut here, in the formatters of all handlers. Every entry begins with its time;
further lines of it, those of a traceback, are indented.
"""

from __future__ import annotations

import json
import logging
import os
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from types import TracebackType
from typing import Any

from gunicorn.glogging import Logger
from redis import RedisError

from portal.config import Settings, read_settings
from portal.queue import state_of
from portal.supervisor.escaping import LONGEST_LINE, cut_lines, escape
from portal.work_id import get_work_id

log = logging.getLogger(__name__)

LONGEST_ENTRY = 2 * LONGEST_LINE
QUIET = ("rq.worker", "rq.job", "alembic", "gunicorn")
"""They would log every job, revision and request."""


class TextLines(logging.Formatter):
    def format(self, record: logging.LogRecord) -> str:
        at, work_id = _time_of(record), get_work_id() or "-"
        message = escape(record.getMessage())
        first = f"{at} {record.levelname} {record.name} [{work_id}] {message}"
        return "\n    ".join((first, *_list_trace(record)))


class JsonLines(logging.Formatter):
    def format(self, record: logging.LogRecord) -> str:
        entry = {
            "time": _time_of(record),
            "level": record.levelname,
            "logger": record.name,
            "id": get_work_id() or None,
            "process": record.process,
            "message": escape(record.getMessage()),
        }
        trace = _list_trace(record)
        return json.dumps(entry | {"traceback": trace} if trace else entry)


def _time_of(record: logging.LogRecord) -> str:
    return _write_time(record.created)


def _write_time(seconds: float) -> str:
    at = datetime.fromtimestamp(seconds, UTC)
    return at.isoformat(timespec="milliseconds").replace("+00:00", "Z")


def _list_trace(record: logging.LogRecord) -> list[str]:
    plain = logging.Formatter()
    trace = plain.formatException(record.exc_info) if record.exc_info else ""
    return cut_lines(f"{trace}\n{record.stack_info or ''}")


class OneLineForLostRedis(logging.Filter):
    """Redis coming and going is logged in one line, without the traceback."""

    def filter(self, record: logging.LogRecord) -> bool:
        error = record.exc_info[1] if record.exc_info else None
        if isinstance(error, RedisError):
            record.msg, record.args = "%s: %s", (state_of(error), error)
            record.exc_info = None
        return True


def make_formatter(settings: Settings) -> logging.Formatter:
    return JsonLines() if settings.log_format == "json" else TextLines()


def set_up_logging(settings: Settings) -> None:
    """For the whole process, what nobody caught included."""
    logging.basicConfig(level=settings.log_level, handlers=[_make_handler(settings)], force=True)
    for name in QUIET:
        logging.getLogger(name).setLevel(logging.WARNING)
    sys.excepthook = _log_uncaught
    threading.excepthook = lambda thrown: _log_uncaught(
        thrown.exc_type, thrown.exc_value, thrown.exc_traceback
    )


@contextmanager
def command_logging(settings: Settings) -> Iterator[None]:
    """While a command runs, warnings and worse."""
    handler, root = _make_handler(settings), logging.getLogger()
    handler.setLevel(logging.WARNING)
    root.addHandler(handler)
    try:
        yield
    finally:
        root.removeHandler(handler)


def _make_handler(settings: Settings) -> logging.Handler:
    handler = logging.StreamHandler()
    handler.addFilter(OneLineForLostRedis())
    handler.setFormatter(make_formatter(settings))
    return handler


def _log_uncaught(
    kind: type[BaseException], error: BaseException | None, trace: TracebackType | None
) -> None:
    if not issubclass(kind, KeyboardInterrupt | SystemExit):
        log.critical("Uncaught exception.", exc_info=(kind, error or kind(), trace))


class WebLogger(Logger):  # type: ignore[misc]  # gunicorn has no types
    """gunicorn's own lines in our form, whichever file they go to."""

    def setup(self, cfg: Any) -> None:
        super().setup(cfg)
        settings = read_settings(os.environ)
        if _find_formatter() is None:
            set_up_logging(settings)  # gunicorn was started by hand
        for handler in (*self.error_log.handlers, *self.access_log.handlers):
            handler.setFormatter(make_formatter(settings))


def _find_formatter() -> logging.Formatter | None:
    """That of this process, once logging was set up."""
    found = (handler.formatter for handler in logging.getLogger().handlers)
    return next((one for one in found if isinstance(one, TextLines | JsonLines)), None)


def console_line(name: str, line: str) -> str:
    """What the process `name` printed, for the supervisor's console."""
    if not isinstance(_find_formatter(), JsonLines):
        return f"{name:<9} | {escape(line, LONGEST_ENTRY)}"
    if line.startswith("{"):
        return line  # that process logs as we do
    return json.dumps(
        {"time": _write_time(time.time()), "level": "INFO", "logger": name}
        | {"message": escape(line, LONGEST_ENTRY)}
    )
