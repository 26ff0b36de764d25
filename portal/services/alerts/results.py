"""What can be done about alerts in Tactical, and what came of it."""

from __future__ import annotations

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

    @property
    def summary(self) -> str:
        """`3 resolved, 1 failed`"""
        parts = [f"{len(self.done)} {self.action.done}"] if self.done or not self.failures else []
        parts += [f"{len(self.failures)} failed"] if self.failures else []
        return ", ".join(parts)

    def to_row(self) -> dict[str, Any]:
        return {
            "deed": self.action,
            "done": self.done,
            "failures": [asdict(failure) for failure in self.failures],
            "summary": self.summary,
        }
