"""The computers behind the agents, which Tactical does not know."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any, NamedTuple

from tactical_simulator.fleet.records import Entries


class Late(NamedTuple):
    """What a fresh agent has not sent yet."""

    wmi: Any
    software: Entries | None


@dataclass(slots=True)
class Computers:
    """A computer is called after the first agent that it had."""

    told_by: dict[str, list[str]] = field(default_factory=dict)
    """By agent_id, of gone agents too: the computers that it told of, where it is not the only
    agent of the only one."""
    late: dict[int, Late] = field(default_factory=dict)
    """By the agent's pk."""
    twins: dict[int, dict[str, Any]] = field(default_factory=dict)
    """By the agent's pk: columns as the other computer with the same agent tells them."""

    def of(self, agent_id: str) -> list[str]:
        return self.told_by.get(agent_id, [agent_id])
