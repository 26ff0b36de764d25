"""Installed software changes."""

from __future__ import annotations

from tactical_simulator.control.part import Part
from tactical_simulator.fleet.records import Entries, Entry
from tactical_simulator.software import entries_of, set_entries


class SoftwareControl(Part):
    def get(self, agent_id: str) -> Entries | None:
        """None of an agent that never reported."""
        return entries_of(self._state, self._agent(agent_id).pk)

    def set(self, agent_id: str, entries: Entries | None) -> None:
        set_entries(self._state, self._agent(agent_id).pk, entries)

    def install(self, agent_id: str, **entry: str) -> None:
        """Of `name` and `version` at least."""
        self.set(agent_id, [*(self.get(agent_id) or []), dict(entry)])

    def uninstall(self, agent_id: str, name: str) -> list[Entry]:
        """All versions of the title; what is left."""
        left = [entry for entry in self.get(agent_id) or [] if entry["name"] != name]
        self.set(agent_id, left)
        return left
