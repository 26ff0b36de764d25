"""Notes about agents."""

from __future__ import annotations

from flask import Flask, Response

from tactical_simulator.answers import answer, missing
from tactical_simulator.api.agents import get_agent
from tactical_simulator.api.auth import caller
from tactical_simulator.api.routing import body, route
from tactical_simulator.fleet.records import Note
from tactical_simulator.state import State


def register(app: Flask, state: State) -> None:
    def listed(agent_id: str) -> Response:
        agent = get_agent(state, agent_id)
        return answer([
            {
                "pk": note.pk, "entry_time": note.entry_time, "note": note.note,
                "username": note.username, "agent_id": agent.agent_id,
            }
            for note in state.notes if note.agent == agent.pk
        ])  # fmt: skip

    def create() -> Response:
        values = body()
        agent = get_agent(state, values["agent_id"])
        state.notes.add(
            Note(
                pk=state.notes.next_pk(),
                agent=agent.pk,
                note=values["note"],
                username=caller().user.username,
                entry_time=state.clock.datetime(),
            )
        )
        return answer("Note added!")

    def delete(pk: int) -> Response:
        if state.notes.find(pk) is None:
            raise missing("Note")
        state.notes.remove(pk)
        return answer("Note was deleted!")

    see, manage = "can_list_notes", "can_manage_notes"
    route(app, state, "/agents/<agent:agent_id>/notes/", {"GET": (see, listed)})
    route(app, state, "/agents/notes/", {"POST": (manage, create)})
    route(app, state, "/agents/notes/<int:pk>/", {"DELETE": (manage, delete)})
