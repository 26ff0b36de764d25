"""What is asked of Tactical about many alerts, done some at a time.

Between two portions other requests of the tenant have their turn, and whoever goes on after a
process that died begins with the portion that it died over.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
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

    @property
    def left(self) -> int:
        return self.total - self.reached

    @property
    def goes_on(self) -> bool:
        return self.left > 0 and self.result.stopped is None

    @property
    def summary(self) -> str:
        """`200 resolved, 1 failed. The other 99 were not tried: Tactical does not answer.`"""
        text = f"{self.result.summary}."
        if not self.left:
            return text
        rest = f"The other {self.left:,} were" if self.left > 1 else "The last one was"
        return f"{text} {rest} not tried: {self.result.stopped}"

    def to_row(self) -> dict[str, Any]:
        return self.result.to_row() | {"reached": self.reached, "total": self.total}


def act_on_next(wanted: Mapping[str, Any], row: Mapping[str, Any], is_repeated: bool) -> Progress:
    """`wanted`: as `request_action` keeps it. `row`: of the portions before, or empty.

    `is_repeated` when a process died over this portion. Raises as `act` does, of the first one.
    """
    action, ids, reached = AlertAction(wanted["deed"]), wanted["alert_ids"], row.get("reached", 0)
    some = ids[reached : reached + PORTION]
    before = ActionResult.from_row(action, row)
    try:
        result = act(action, some, wanted["days"], is_repeated)
    except PortalError as error:
        if not reached:
            raise
        return Progress(before.add(ActionResult(action, [], [], error.message)), reached, len(ids))
    return Progress(before.add(result), reached + len(some), len(ids))
