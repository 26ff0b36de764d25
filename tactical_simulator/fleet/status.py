"""Tactical's own word for an agent, and who sits at it."""

from __future__ import annotations

from datetime import datetime

from tactical_simulator.fleet.agent import NOBODY, Agent

ONLINE, OFFLINE, OVERDUE = "online", "offline", "overdue"


def status_of(agent: Agent, now: datetime) -> str:
    """Both bounds are strict in the source, so an age of exactly `overdue_time` is online."""
    if agent.last_seen is None:
        return OFFLINE
    age = (now - agent.last_seen).total_seconds()
    offline, overdue = agent.offline_time * 60, agent.overdue_time * 60
    if offline < age < overdue:
        return OFFLINE
    if age > offline and age > overdue:
        return OVERDUE
    return ONLINE


def shown_user(agent: Agent, status: str) -> tuple[str | None, bool]:
    """`logged_username` and `italic` of `/agents/`: the last user, in italics, where nobody is."""
    if agent.logged_in_username != NOBODY:
        return agent.logged_in_username, False
    if status == ONLINE:
        return agent.last_logged_in_user, True
    return "-", False
