"""The id in every log line of one piece of work, in whichever process it goes on.

It is that of the request or the round of the schedule that the work began with.
"""

from __future__ import annotations

import re
import secrets
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from typing import ParamSpec, TypeVar

Parameters = ParamSpec("Parameters")
Result = TypeVar("Result")

_current: ContextVar[str] = ContextVar("work_id", default="")
_SHAPE = re.compile(r"[0-9a-f]{16}")


def get_work_id() -> str:
    """16 hexadecimal letters; empty outside of any piece of work."""
    return _current.get()


def begin_work() -> str:
    """A new id for what this thread does from here on."""
    work_id = secrets.token_hex(8)
    _current.set(work_id)
    return work_id


def end_work() -> None:
    _current.set("")


@contextmanager
def work(carried: object = None) -> Iterator[None]:
    """The block goes on with the id that was carried to it, or with a new one if that is none."""
    is_id = isinstance(carried, str) and _SHAPE.fullmatch(carried)
    token = _current.set(str(carried) if is_id else secrets.token_hex(8))
    try:
        yield
    finally:
        _current.reset(token)


def carried(function: Callable[Parameters, Result]) -> Callable[Parameters, Result]:
    """The function for another thread, which goes on with the id of this one."""
    work_id = get_work_id()

    def run(*args: Parameters.args, **kwargs: Parameters.kwargs) -> Result:
        with work(work_id):
            return function(*args, **kwargs)

    return run
