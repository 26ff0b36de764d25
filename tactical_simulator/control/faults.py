"""Faults, and what was asked of the server."""

from __future__ import annotations

from typing import Any

import msgspec

from tactical_simulator.control.part import Part
from tactical_simulator.faults import Fault
from tactical_simulator.request_log import LoggedRequest


class FaultsControl(Part):
    def add(self, kind: str, path: str = "*", **columns: Any) -> int:
        """See `Fault` for the kinds and columns; the id of the fault."""
        fault = msgspec.convert({"kind": kind, "path": path, **columns}, Fault)
        return self._state.faults.add(fault).id

    def list(self) -> list[Fault]:
        """With how often each was met (`seen`) and struck (`struck`)."""
        return self._state.faults.all()

    def clear(self) -> None:
        self._state.faults.clear()


class LogControl(Part):
    def entries(self, path: str = "") -> list[LoggedRequest]:
        """Requests in the order of their ends; those whose path begins so."""
        return [entry for entry in self._state.log.entries() if entry.path.startswith(path)]

    def clear(self) -> None:
        self._state.log.clear()
