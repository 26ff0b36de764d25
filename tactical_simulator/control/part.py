"""What the parts of the control share."""

from __future__ import annotations

from tactical_simulator.fleet.agent import Agent
from tactical_simulator.state import State


class Part:
    def __init__(self, state: State) -> None:
        self._state = state

    def _agent(self, agent_id: str) -> Agent:
        agent = self._state.agents.find(agent_id)
        if agent is None:
            raise ValueError(f"There is no agent {agent_id}.")
        return agent
