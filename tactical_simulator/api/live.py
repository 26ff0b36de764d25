"""What the real server asks the agent itself for, over NATS, while the caller waits."""

from __future__ import annotations

from functools import partial

from flask import Flask, Response

from tactical_simulator.answers import answer, notify_error
from tactical_simulator.api.agents import get_agent
from tactical_simulator.api.routing import route
from tactical_simulator.state import State

PATIENCE = 4


def register(app: Flask, state: State) -> None:
    """Nothing of this reaches an agent here, nor did it on the live server."""
    unreachable = partial(_unreachable, state)
    listed = "can_list_agents"
    route(app, state, "/services/<agent:agent_id>/", {"GET": ("can_manage_winsvcs", unreachable)})
    route(app, state, "/agents/<agent:agent_id>/processes/", {"GET": (listed, unreachable)})
    updates = {"GET": ("can_manage_winupdates", partial(_no_updates, state))}
    route(app, state, "/winupdate/<agent:agent_id>/", updates)


def _unreachable(state: State, agent_id: str) -> Response:
    get_agent(state, agent_id)
    state.stopping.wait(PATIENCE)
    raise notify_error("Unable to contact the agent")


def _no_updates(state: State, agent_id: str) -> Response:
    get_agent(state, agent_id)
    return answer([])
