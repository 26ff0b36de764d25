"""`/software/`."""

from __future__ import annotations

from flask import Flask, Response

from tactical_simulator.answers import answer, rows_answer
from tactical_simulator.api.agents import get_agent
from tactical_simulator.api.auth import caller
from tactical_simulator.api.pace import SOFTWARE, take_time
from tactical_simulator.api.routing import route
from tactical_simulator.software import has_reported, software_row
from tactical_simulator.state import State


def register(app: Flask, state: State) -> None:
    """One agent that never reported is an empty list, of another type than one that did."""

    def listed() -> Response:
        scope = caller().scope
        pks = [pk for pk in state.agents.heap() if state.in_scope(state.agents.site_of(pk), scope)]
        rows = [software_row(state, pk) for pk in pks if has_reported(state, pk)]
        take_time(state, SOFTWARE, len(rows))
        return rows_answer(rows)

    def one(agent_id: str) -> Response:
        agent = get_agent(state, agent_id)
        if not has_reported(state, agent.pk):
            return answer([])
        return rows_answer([software_row(state, agent.pk)], b"", b"")

    route(app, state, "/software/", {"GET": ("can_list_software", listed)})
    route(app, state, "/software/<agent:agent_id>/", {"GET": ("can_list_software", one)})
