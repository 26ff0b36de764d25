"""Leaving out what came before, where a list is read more than once."""

from __future__ import annotations

from dataclasses import replace

from portal.tactical.reading.listings import AgentPage
from portal.tactical.records import AgentPresence, BadRecord


class Deduplicator:
    """What no earlier page, of this walk or one before, has given.

    `ids` are those of agents that came elsewhere, kept up to date. Records that cannot be used
    have no name to know them by: as many as an earlier walk gave are taken for the same.
    """

    def __init__(self, ids: set[str] | None = None) -> None:
        self._ids = set() if ids is None else ids
        self._bad = self._bad_of_walk = 0

    def begin(self) -> None:
        """Another walk."""
        self._bad_of_walk = 0

    def part_of(self, page: AgentPage) -> AgentPage:
        return replace(page, agents=[agent for agent in page.agents if self.take(agent)])

    def take(self, agent: AgentPresence | BadRecord) -> bool:
        """Whether no walk has given it yet."""
        if isinstance(agent, BadRecord):
            self._bad_of_walk += 1
            is_new = self._bad_of_walk > self._bad
            self._bad += is_new
            return is_new
        is_new = agent.agent_id not in self._ids
        self._ids.add(agent.agent_id)
        return is_new
