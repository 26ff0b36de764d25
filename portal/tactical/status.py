"""Whether an agent is online, as Tactical itself decides it."""

from __future__ import annotations

from datetime import datetime, timedelta
from enum import StrEnum
from typing import Any

DEFAULT_OFFLINE_MINUTES = 4
DEFAULT_OVERDUE_MINUTES = 30


class AgentStatus(StrEnum):
    ONLINE = "online"
    OFFLINE = "offline"
    OVERDUE = "overdue"
    UNKNOWN = "unknown"
    """Before a first sync; Tactical does not know it."""


def status_by_age(
    last_seen: datetime | None, offline_minutes: Any, overdue_minutes: Any, now: datetime
) -> AgentStatus:
    """What Tactical shows at `now`. Limits that are not numbers count as its defaults.

    The rule is that of a 1.5.1 server, its quirks included: an agent not older than the
    offline limit is online, whatever the overdue limit says; one exactly at the overdue limit
    is not overdue, but online.
    """
    if last_seen is None:
        return AgentStatus.OFFLINE
    age = now - last_seen
    offline_after = _minutes(offline_minutes, DEFAULT_OFFLINE_MINUTES)
    overdue_after = _minutes(overdue_minutes, DEFAULT_OVERDUE_MINUTES)
    if offline_after < age < overdue_after:
        return AgentStatus.OFFLINE
    if age > offline_after and age > overdue_after:
        return AgentStatus.OVERDUE
    return AgentStatus.ONLINE


def _minutes(value: Any, default: int) -> timedelta:
    usable = isinstance(value, int) and not isinstance(value, bool) and 0 <= value < 10**9
    return timedelta(minutes=value if usable else default)
