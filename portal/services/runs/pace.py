"""How quickly a run goes on, and how long it has still to go. Pure."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from portal.models import SyncRun
from portal.models.runs.sync_run import RunStatus

SHORTEST_SECONDS = 3
"""Measured over less, a pace says nothing."""


@dataclass(frozen=True, slots=True)
class Pace:
    per_second: float
    seconds_left: float | None
    """None where it is not known how many records there are, or where all of them were read."""


def measure_pace(run: SyncRun, now: datetime) -> Pace | None:
    """Of a run at work, over the last half minute or since its phase began.

    None before there is anything to go by. While nothing comes, the pace falls by itself.
    """
    if run.status is not RunStatus.RUNNING or run.paced_from is None:
        return None
    seconds = (now - run.paced_from).total_seconds()
    records = run.done - run.paced_done
    if seconds < SHORTEST_SECONDS or records <= 0:
        return None
    per_second = records / seconds
    left = run.total - run.done if run.total is not None else 0
    return Pace(per_second, left / per_second if left > 0 else None)
