"""What is asked of Tactical about many alerts, done some at a time.

Between two portions other requests of the tenant have their turn, and whoever goes on after a
process that died begins with the portion that it died over.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

from portal.errors import PortalError
from portal.services.alerts.actions import act
from portal.services.alerts.results import ActionResult, AlertAction

PORTION = 100
"""Some seconds on a usual server."""


@dataclass(frozen=True, slots=True)
class Progress:
    """What came of it so far: of `reached` alerts, of `total`."""

    result: ActionResult
    reached: int
    total: int

    @classmethod
    def read(cls, wanted: Mapping[str, Any], row: Mapping[str, Any]) -> Progress:
        """`wanted`: as `request_action` keeps it. `row`: as `to_row` made it, or empty."""
        result = ActionResult.from_row(AlertAction(wanted["deed"]), row)
        return cls(result, row.get("reached", 0), len(wanted["alert_ids"]))

    @property
    def left(self) -> int:
        return self.total - self.reached

    @property
    def goes_on(self) -> bool:
        return self.left > 0 and self.result.trouble is None

    @property
    def summary(self) -> str:
        """`200 resolved, 1 failed. The other 99 were not tried: Tactical does not answer.`"""
        text = f"{self.result.summary}."
        if not self.left:
            return text
        rest = f"The other {self.left:,} were" if self.left > 1 else "The last one was"
        return f"{text} {rest} not tried: {self.result.trouble}"

    @property
    def summary_when_stopped(self) -> str:
        """`Stopped after 400 of 5,000: 399 resolved, 1 failed. The others are as they were.`"""
        if not self.reached:
            return "Stopped before anything was done."
        reached = f"Stopped after {self.reached:,} of {self.total:,}"
        return f"{reached}: {self.result.summary}. The others are as they were."

    def to_row(self) -> dict[str, Any]:
        return self.result.to_row() | {"reached": self.reached, "total": self.total}


def act_on_next(wanted: Mapping[str, Any], row: Mapping[str, Any], is_repeated: bool) -> Progress:
    """`wanted` and `row`: as `Progress.read` takes them.

    `is_repeated` when a process died over this portion. Raises as `act` does, of the first one.
    """
    before = Progress.read(wanted, row)
    action, reached = before.result.action, before.reached
    some = wanted["alert_ids"][reached : reached + PORTION]
    try:
        result = act(action, some, wanted["days"], is_repeated)
    except PortalError as error:
        if not reached:
            raise
        nothing = ActionResult(action, [], [], trouble=error.message)
        return replace(before, result=before.result.add(nothing))
    return Progress(before.result.add(result), reached + len(some), before.total)
