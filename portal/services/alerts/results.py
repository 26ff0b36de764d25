"""What can be done about alerts in Tactical, and what came of it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from enum import StrEnum
from typing import Any


class AlertAction(StrEnum):
    RESOLVE = "resolve"
    SNOOZE = "snooze"
    UNSNOOZE = "unsnooze"

    @property
    def done(self) -> str:
        return {"resolve": "resolved", "snooze": "snoozed", "unsnooze": "active again"}[self]


@dataclass(frozen=True, slots=True)
class Failure:
    alert_id: int
    name: str
    reason: str


@dataclass(frozen=True, slots=True)
class ActionResult:
    """What came of it: `done` only where Tactical's own record says so."""

    action: AlertAction
    done: list[int]
    failures: list[Failure]
    stopped: str | None = None
    """Why it is of no use to ask about further alerts; None while it is."""

    @classmethod
    def from_row(cls, action: AlertAction, row: Mapping[str, Any]) -> ActionResult:
        """Of what `to_row` made, or of nothing."""
        failures = [Failure(**failure) for failure in row.get("failures", ())]
        return cls(action, list(row.get("done", ())), failures)

    def add(self, later: ActionResult) -> ActionResult:
        """Of these alerts, and of others that came later."""
        done, failures = self.done + later.done, self.failures + later.failures
        return ActionResult(self.action, done, failures, later.stopped)

    @property
    def summary(self) -> str:
        """`1,203 resolved, 1 failed`"""
        parts = [f"{len(self.done):,} {self.action.done}"] if self.done or not self.failures else []
        parts += [f"{len(self.failures):,} failed"] if self.failures else []
        return ", ".join(parts)

    def to_row(self) -> dict[str, Any]:
        return {
            "deed": self.action,
            "done": self.done,
            "failures": [asdict(failure) for failure in self.failures],
            "summary": self.summary,
        }
