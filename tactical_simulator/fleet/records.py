"""Rows of the smaller tables."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from datetime import datetime
from threading import RLock
from typing import Any, Generic, Protocol, TypeVar

Entry = dict[str, Any]
"""One installed title of an agent, as Tactical tells it."""
Entries = list[Entry]


class HasPk(Protocol):
    pk: int


Row = TypeVar("Row", bound=HasPk)


class Table(Generic[Row]):
    """Rows by pk, iterated in heap order: a changed row moves to the end."""

    def __init__(self) -> None:
        self._rows: dict[int, Row] = {}
        self._last_pk = 0
        self._lock = RLock()

    def __iter__(self) -> Iterator[Row]:
        with self._lock:
            return iter(list(self._rows.values()))

    def __len__(self) -> int:
        return len(self._rows)

    def next_pk(self) -> int:
        with self._lock:
            self._last_pk += 1
            return self._last_pk

    def add(self, row: Row) -> Row:
        with self._lock:
            self._rows[row.pk] = row
        return row

    def find(self, pk: int | None) -> Row | None:
        return self._rows.get(pk) if pk is not None else None

    def touch(self, row: Row) -> None:
        with self._lock:
            if self._rows.pop(row.pk, None) is not None:
                self._rows[row.pk] = row

    def remove(self, pk: int) -> None:
        with self._lock:
            del self._rows[pk]

    def remove_where(self, condition: Callable[[Row], bool]) -> None:
        with self._lock:
            self._rows = {pk: row for pk, row in self._rows.items() if not condition(row)}


@dataclass(slots=True)
class ActionRun:
    """What became of a template's action; shown under `action_…` or `resolved_action_…`."""

    run: datetime | None = None
    stdout: str | None = None
    stderr: str | None = None
    retcode: int | None = None
    execution_time: str | None = None


@dataclass(slots=True)
class Alert:
    pk: int
    alert_time: datetime
    agent: int | None = None
    alert_type: str = "availability"
    severity: str = "error"
    message: str | None = None
    assigned_check: int | None = None
    assigned_task: int | None = None
    snoozed: bool = False
    snooze_until: datetime | None = None
    resolved: bool = False
    resolved_on: datetime | None = None
    hidden: bool = True
    action: ActionRun = field(default_factory=ActionRun)
    resolved_action: ActionRun = field(default_factory=ActionRun)


@dataclass(slots=True)
class Check:
    """`result` is None until the check first ran."""

    pk: int
    agent: int
    check_type: str = "ping"
    readable_desc: str = "Ping Check: gateway"
    alert_severity: str = "error"
    fails_b4_alert: int = 1
    result: dict[str, Any] | None = None


@dataclass(slots=True)
class Note:
    pk: int
    agent: int
    note: str
    username: str
    entry_time: datetime


@dataclass(slots=True)
class UrlAction:
    pk: int
    name: str = ""
    desc: str | None = None
    pattern: str = ""
    action_type: str = "web"
    rest_method: str = "post"
    rest_body: str | None = ""
    rest_headers: str | None = ""


@dataclass(slots=True)
class GlobalKey:
    pk: int
    name: str
    value: str


@dataclass(slots=True)
class AlertTemplate:
    """`values` holds the columns that have no meaning here but are sent back as set."""

    pk: int
    name: str = ""
    is_active: bool = True
    action_type: str = "script"
    action_rest: int | None = None
    resolved_action_type: str = "script"
    resolved_action_rest: int | None = None
    agent_script_actions: bool = True
    check_script_actions: bool = True
    task_script_actions: bool = True
    agent_always_alert: bool | None = None
    check_always_alert: bool | None = None
    task_always_alert: bool | None = None
    values: dict[str, Any] = field(default_factory=dict)
