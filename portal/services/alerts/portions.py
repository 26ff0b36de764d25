"""What is done to many alerts, some at a time.

Between two portions other requests of the tenant have their turn, and whoever goes on after a
process that died begins with the portion that it died over.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from sqlalchemy import select

from portal.db import db, transaction
from portal.errors import PortalError
from portal.models import Alert, Errand
from portal.scope import allowed_clients
from portal.services import leases
from portal.services.accounts.asker import acting_for
from portal.services.alerts.actions import act
from portal.services.alerts.many import take
from portal.services.alerts.results import ActionResult, AlertAction, Failure
from portal.services.undo.offers import extend_offer

NOT_SEEN = "Whoever asked for it does not see it any more."
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

    def add(self, result: ActionResult, number: int) -> Progress:
        """Of so many more."""
        return replace(self, result=self.result.add(result), reached=self.reached + number)

    def break_off(self, error: PortalError) -> Progress:
        """No further alert would fare better. Raises the error where it was met by the first."""
        if not self.reached:
            raise error
        nothing = ActionResult(self.result.action, [], [], trouble=error.message)
        return self.add(nothing, 0)

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


def act_on_next(errand: Errand) -> Progress:
    """In Tactical. Raises as `act` does, of the first portion."""
    before, some = read_next(errand)
    action, days = before.result.action, errand.wanted["days"]
    try:
        with acting_for(errand.wanted):
            theirs, left = _part(action, some)
        # Another process may have died over this portion.
        is_repeated = errand.fencing_number > 1
        result = left.add(act(action, theirs, days, is_repeated)) if theirs else left
    except PortalError as error:
        return before.break_off(error)
    return before.add(result, len(some))


def take_next(errand: Errand) -> Progress:
    """In the portal, in the name of whoever asked. How far it came is kept in the same transaction:
    none is done twice. Raises as the deed does, of the first portion."""
    before, some = read_next(errand)
    errand_id, lease, wanted = errand.id, errand.lease or "", errand.wanted
    try:
        with transaction() as session:
            with acting_for(wanted):
                theirs, left = _part(before.result.action, some)
                result, change = take(session, before.result.action, theirs, wanted)
                session.flush()
            progress = before.add(left.add(result), len(some))
            extend_offer(session, wanted["undo"], change)
            leases.get_own(session, Errand, errand_id, lease).result = progress.to_row()
    except PortalError as error:
        return before.break_off(error)
    return progress


def read_next(errand: Errand) -> tuple[Progress, list[int]]:
    """How far it is, and the ids of the next portion."""
    before = Progress.read(errand.wanted, errand.result)
    return before, errand.wanted["alert_ids"][before.reached :][:PORTION]


def _part(action: AlertAction, ids: Sequence[int]) -> tuple[list[int], ActionResult]:
    """Those that whoever asked sees still, and what is told of the others."""
    if allowed_clients() is None:
        return list(ids), ActionResult(action, [], [])
    seen = set(db.session.scalars(select(Alert.id).where(Alert.id.in_(ids))))
    hidden = [Failure(each, f"Alert {each}", NOT_SEEN) for each in ids if each not in seen]
    return [each for each in ids if each in seen], ActionResult(action, [], hidden)
