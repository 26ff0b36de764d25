"""Clients and sites come, change and go."""

from __future__ import annotations

from tactical_simulator.control.part import Part
from tactical_simulator.fleet.places import Client, Site


class PlacesControl(Part):
    def add_client(self, name: str, site: str = "HQ") -> int:
        """With its first site; the pk of the client."""
        state = self._state
        if any(client.name == name for client in state.clients.values()):
            raise ValueError(f"There is a client {name!r} already.")
        pk = max(state.clients, default=0) + 1
        state.clients[pk] = Client(pk, name, state.clock.now())
        self.add_site(pk, site)
        return pk

    def add_site(self, client: int, name: str) -> int:
        state = self._state
        taken = any(s.client == client and s.name == name for s in state.sites.values())
        if client not in state.clients or taken:
            raise ValueError(f"Client {client} is not there or has a site {name!r}.")
        pk = max(state.sites, default=0) + 1
        state.sites[pk] = Site(pk, name, client, state.clock.now())
        return pk

    def rename_client(self, pk: int, name: str) -> None:
        self._state.clients[pk].name = name

    def rename_site(self, pk: int, name: str) -> None:
        self._state.sites[pk].name = name

    def remove_site(self, pk: int) -> None:
        """With its agents."""
        state = self._state
        for agent_pk in state.agents.pks():
            if state.agents.site_of(agent_pk) == pk:
                state.remove_agent(agent_pk)
        del state.sites[pk]

    def remove_client(self, pk: int) -> None:
        """With its sites and their agents."""
        for site in [site for site in self._state.sites.values() if site.client == pk]:
            self.remove_site(site.pk)
        del self._state.clients[pk]
