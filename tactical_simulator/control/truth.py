"""What is really so, for comparison with what a portal made of the API's answers."""

from __future__ import annotations

from typing import Any

from tactical_simulator.api.alerts import alert_json
from tactical_simulator.control.part import Part
from tactical_simulator.fleet.agent import NOBODY, Agent
from tactical_simulator.fleet.derive import SENTINELS, derived_facts
from tactical_simulator.fleet.records import Alert, Entries
from tactical_simulator.fleet.status import status_of
from tactical_simulator.software import entries_of

Json = dict[str, Any]

_COLUMNS = (
    "pk", "agent_id", "hostname", "monitoring_type", "plat", "goarch", "operating_system",
    "version", "total_ram", "boot_time", "public_ip", "description", "last_seen", "offline_time",
    "overdue_time", "needs_reboot", "maintenance_mode", "disks",
)  # fmt: skip


class Truth(Part):
    def agents(self) -> list[Json]:
        """In pk order; what Tactical says by a sentinel or by "None" is empty here."""
        return [self.agent_of(agent) for agent in self._state.agents.all()]

    def agent(self, agent_id: str) -> Json:
        return self.agent_of(self._agent(agent_id))

    def agent_of(self, agent: Agent) -> Json:
        state = self._state
        site, client = state.sites[agent.site], state.client_of(agent)
        facts = derived_facts(agent.is_posix, state.agents.wmi(agent))
        return {
            **{name: getattr(agent, name) for name in _COLUMNS},
            **{name: _plain(value) for name, value in facts.items()},
            "client_pk": client.pk,
            "client": client.name,
            "site_pk": site.pk,
            "site": site.name,
            "status": status_of(agent, state.clock.datetime()),
            "logged_in_user": _user(agent),
        }

    def computers(self) -> dict[str, list[str]]:
        """The computers that each agent told of, by `agent_id`; of gone ones that were once
        re-installed or copied, too. Two agents of one computer name the same."""
        told = {agent.agent_id: [agent.agent_id] for agent in self._state.agents.all()}
        return told | self._state.computers.told_by

    def clients(self) -> list[Json]:
        counts = self._state.agents.counts_by_site()
        sites = self._state.sites.values()
        return [
            {
                "pk": client.pk,
                "name": client.name,
                "sites": [
                    {"pk": site.pk, "name": site.name, "agents": counts[site.pk]}
                    for site in sites
                    if site.client == client.pk
                ],
                "agents": sum(counts[site.pk] for site in sites if site.client == client.pk),
            }
            for client in self._state.clients.values()
        ]

    def alerts(self) -> list[Json]:
        """With `status`: active, snoozed or resolved."""
        return [
            {**alert_json(self._state, alert), "status": _alert_status(alert)}
            for alert in self._state.alerts
        ]

    def software(self) -> dict[str, Entries | None]:
        """By `agent_id`; None of those that never reported."""
        agents = self._state.agents.all()
        return {agent.agent_id: entries_of(self._state, agent.pk) for agent in agents}


def _plain(value: Any) -> Any:
    if isinstance(value, list):
        return [item for item in value if item not in SENTINELS]
    return "" if value is None or value in SENTINELS else value


def _user(agent: Agent) -> str:
    name = agent.logged_in_username
    return "" if name in (None, NOBODY, "-") else name or ""


def _alert_status(alert: Alert) -> str:
    if alert.resolved:
        return "resolved"
    return "snoozed" if alert.snoozed else "active"
