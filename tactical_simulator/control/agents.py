"""Agents come, change, move and go."""

from __future__ import annotations

from typing import Any

from tactical_simulator.control.part import Part


class AgentsControl(Part):
    def ids(self) -> list[str]:
        """In pk order."""
        return self._state.agents.ids()

    def add(self, site: int, **values: Any) -> str:
        """A new agent, generated but for the columns given; its `agent_id`."""
        if site not in self._state.sites:
            raise ValueError(f"There is no site {site}.")
        pk = self._state.agents.add({"site": site, **values})
        return self._state.agents.get(pk).agent_id

    def edit(self, agent_id: str, **values: Any) -> None:
        """Sets columns. A given `last_seen` (ISO or seconds, null too) stays where it is put.

        Beside the columns: `wmi_detail` and `services` as a whole, `wmi_patch` for single
        sections, `checkin` (a second of the minute) for an agent that reports again.
        """
        if "site" in values and values["site"] not in self._state.sites:
            raise ValueError(f"There is no site {values['site']}.")
        self._state.agents.edit(self._agent(agent_id).pk, values)

    def seen(self, agent_id: str, seconds_ago: float) -> None:
        """Last seen so long ago, by the server's clock, and silent since."""
        moment = self._state.clock.now() - seconds_ago
        self._state.agents.edit(self._agent(agent_id).pk, {"last_seen": moment})

    def move(self, agent_id: str, site: int) -> None:
        """To a site, of the same or another client."""
        self.edit(agent_id, site=site)

    def remove(self, agent_id: str) -> None:
        """With its alerts, as the real server does."""
        self._state.remove_agent(self._agent(agent_id).pk)
