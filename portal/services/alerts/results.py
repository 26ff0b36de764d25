"""What can be done about many alerts, and what came of it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from enum import StrEnum
from typing import Any

_DONE = {
    "resolve": "resolved",
    "snooze": "snoozed",
    "unsnooze": "active again",
    "acknowledge": "acknowledged",
    "assign": "assigned",
}


class AlertAction(StrEnum):
    RESOLVE = "resolve"
    SNOOZE = "snooze"
    UNSNOOZE = "unsnooze"
    ACKNOWLEDGE = "acknowledge"
    ASSIGN = "assign"
    SNOOZE_HERE = "snooze_here"
    """In the portal alone, for hours, like the next."""
    UNSNOOZE_HERE = "unsnooze_here"

    @property
    def verb(self) -> str:
        return self.removesuffix("_here").capitalize()

    @property
    def done(self) -> str:
        return _DONE[self.removesuffix("_here")]


IN_TACTICAL = (AlertAction.RESOLVE, AlertAction.SNOOZE, AlertAction.UNSNOOZE)
"""The others are the portal's own, of which Tactical hears nothing."""


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
    over: list[int] = field(default_factory=list)
    """Those that were resolved or gone before it came to them, so that nothing was to be done."""
    trouble: str | None = None
    """Why it is of no use to ask about further alerts; None while it is."""

    @classmethod
    def from_row(cls, action: AlertAction, row: Mapping[str, Any]) -> ActionResult:
        """Of what `to_row` made, or of nothing."""
        failures = [Failure(**failure) for failure in row.get("failures", ())]
        return cls(action, list(row.get("done", ())), failures, list(row.get("over", ())))

    def add(self, later: ActionResult) -> ActionResult:
        """Of these alerts, and of others that came later."""
        done, failures = self.done + later.done, self.failures + later.failures
        return ActionResult(self.action, done, failures, self.over + later.over, later.trouble)

    @property
    def not_done(self) -> str:
        """In the portal nothing fails: what cannot be done leaves an alert as it is."""
        if self.action in IN_TACTICAL:
            return "failed"
        return "left as it is" if len(self.failures) == 1 else "left as they are"

    @property
    def summary(self) -> str:
        """`1,203 resolved, 12 over already, 1 failed`"""
        told = {
            self.action.done: len(self.done),
            "over already": len(self.over),
            self.not_done: len(self.failures),
        }
        parts = [f"{number:,} {words}" for words, number in told.items() if number]
        return ", ".join(parts) or f"0 {self.action.done}"

    def to_row(self) -> dict[str, Any]:
        return {
            "deed": self.action,
            "done": self.done,
            "over": self.over,
            "failures": [asdict(failure) for failure in self.failures],
            "not_done": self.not_done,
            "summary": self.summary,
        }
