"""What goes wrong on demand: chosen requests are delayed, broken, replaced or spoilt."""

from __future__ import annotations

from fnmatch import fnmatchcase
from itertools import count
from threading import Lock
from typing import Any, Literal

import msgspec

from tactical_simulator.answers import Row

Kind = Literal[
    "slow",  # `seconds` before the answer begins
    "drip",  # `size` bytes every `seconds`
    "drop",  # closed without an answer
    "reset",  # a TCP reset after `size` bytes of the body, half of it by default
    "truncated",  # the full Content-Length, closed after `size` bytes, half by default
    "cut_json",  # a right Content-Length of a body cut after `size` bytes, half by default
    "status",  # an error answer: `status`, and `retry_after` for 429
    "html",  # status 200 and a page, as of a dashboard or a captive portal
    "empty",  # status 200 and nothing
    "json",  # `status` (200) and `body`
    "redirect",  # `status` (302) to `location`
    "gzip_bomb",  # `size` bytes of blanks, unasked for compressed
    "fewer_rows",  # the last `size` rows of the list are not sent, and still counted
    "bad_rows",  # `rows` of the list are spoilt
    "remove_agent",  # `agent_id` is gone once the request was answered
]


class BadRow(msgspec.Struct, forbid_unknown_fields=True):
    """Row `at` of the list: replaced by `value`, or with members `set` and `drop`ped."""

    at: int
    value: Any = msgspec.UNSET
    set: dict[str, Any] = {}
    drop: list[str] = []


SAMPLE_GARBAGE = [
    BadRow(at=0, set={"agent_id": None}),
    BadRow(at=1, drop=["agent_id", "hostname"]),
    BadRow(at=2, set={"agent_id": 17, "hostname": ["x"], "last_seen": "yesterday", "site": "HQ"}),
    BadRow(at=3, value="not an object"),
]


class Fault(msgspec.Struct, forbid_unknown_fields=True):
    """Strikes requests whose path, method and query fit, after skipping `after`, `times` times.

    `path` is a pattern as of a shell, `query` a part of the query string; `times` None: always.
    """

    kind: Kind
    path: str = "*"
    method: str = "*"
    query: str = ""
    times: int | None = 1
    after: int = 0
    seconds: float = 0.0
    size: int | None = None
    status: int | None = None
    retry_after: int = 60
    location: str = "https://elsewhere.example/"
    body: Any = None
    rows: list[BadRow] = msgspec.field(default_factory=lambda: list(SAMPLE_GARBAGE))
    agent_id: str = ""
    id: int = 0
    seen: int = 0
    struck: int = 0

    def fits(self, method: str, path: str, query: str) -> bool:
        return (
            fnmatchcase(path, self.path)
            and fnmatchcase(method, self.method)
            and self.query in query
        )

    def strikes(self) -> bool:
        self.seen += 1
        if self.seen <= self.after or (self.times is not None and self.struck >= self.times):
            return False
        self.struck += 1
        return True

    def spoil(self, rows: list[Row]) -> list[Row]:
        if self.kind == "fewer_rows":
            return rows[: -self.size] if self.size else rows
        spoilt = list(rows)
        for bad in self.rows:
            if bad.at < len(spoilt):
                spoilt[bad.at] = [_garbage(bad, b"".join(spoilt[bad.at]))]
        return spoilt


def _garbage(bad: BadRow, row: bytes) -> bytes:
    if bad.value is not msgspec.UNSET:
        return msgspec.json.encode(bad.value)
    members = {**msgspec.json.decode(row), **bad.set}
    return msgspec.json.encode({k: v for k, v in members.items() if k not in bad.drop})


class FaultPlan:
    def __init__(self) -> None:
        self._lock = Lock()
        self._ids = count(1)
        self._faults: list[Fault] = []

    def add(self, fault: Fault) -> Fault:
        with self._lock:
            fault.id = next(self._ids)
            self._faults.append(fault)
        return fault

    def all(self) -> list[Fault]:
        with self._lock:
            return list(self._faults)

    def clear(self) -> None:
        with self._lock:
            self._faults.clear()

    def due(self, method: str, path: str, query: str) -> list[Fault]:
        """Counts the request with every fault it fits."""
        with self._lock:
            fitting = [fault for fault in self._faults if fault.fits(method, path, query)]
            return [fault for fault in fitting if fault.strikes()]
