"""Computers are re-installed, copied and given new boards; Tactical knows agents alone."""

from __future__ import annotations

from typing import Any

from tactical_simulator.control.part import Part
from tactical_simulator.fleet.agent import Agent
from tactical_simulator.fleet.computers import Late
from tactical_simulator.software import entries_of, set_entries

_TOLD_BY_ANY_AGENT = (
    "hostname", "plat", "goarch", "monitoring_type", "operating_system", "public_ip", "total_ram",
    "disks", "boot_time", "logged_in_username", "last_logged_in_user", "time_zone",
)  # fmt: skip
"""Columns that follow from the computer; the others begin anew with each agent."""


class ComputersControl(Part):
    def reinstall(
        self, agent_id: str, *, keep: bool = True, hardware: bool = True, **values: Any
    ) -> str:
        """Its agent is installed anew: the installer makes a new one, with an `agent_id` and a pk
        of its own; that id.

        The old one stays listed, unless `keep` is False, and is silent from now on. `values` are
        columns of the new one, such as `site`. Without `hardware` it has not sent yet what its
        computer is made of, nor the software: see `report`.
        """
        old = self._agent(agent_id)
        new = self._install(old, hardware, values)
        self._state.computers.told_by[new] = self._state.computers.of(agent_id)
        self._state.agents.edit(old.pk, {"last_seen": old.last_seen})
        if not keep:
            self._state.remove_agent(old.pk)
        return new

    def clone(self, agent_id: str, *, hardware: bool = True, **values: Any) -> str:
        """A second computer that tells the same hardware, serial number included, as a copy of a
        virtual machine does; the `agent_id` of its new agent. The first one lives on."""
        return self._install(self._agent(agent_id), hardware, values)

    def report(self, agent_id: str) -> None:
        """What was held back at the installation arrives: hardware and software."""
        pk = self._agent(agent_id).pk
        late = self._state.computers.late.pop(pk, None)
        if late is None:
            raise ValueError(f"The agent {agent_id} has told all.")
        self._state.agents.edit(pk, {"wmi_detail": late.wmi})
        set_entries(self._state, pk, late.software)

    def new_board(self, agent_id: str, serial: str) -> None:
        """The same computer has another serial number from now on."""
        agent = self._agent(agent_id)
        self._state.agents.edit(agent.pk, {"wmi_detail": self._with_serial(agent, serial)})

    def image(self, agent_id: str, hostname: str, serial: str) -> None:
        """Its disk is copied into a second computer, the agent with it: both tell under one
        `agent_id` from now on. The first one is heard until `swap`."""
        agent, computers = self._agent(agent_id), self._state.computers
        wmi = self._with_serial(agent, serial)
        computers.twins[agent.pk] = {"hostname": hostname, "wmi_detail": wmi}
        computers.told_by[agent_id] = [*computers.of(agent_id), f"{agent_id} as {hostname}"]

    def swap(self, agent_id: str) -> None:
        """The other one of two computers with this agent is heard now."""
        agent, twins = self._agent(agent_id), self._state.computers.twins
        if agent.pk not in twins:
            raise ValueError(f"Only one computer has the agent {agent_id}.")
        now = {"hostname": agent.hostname, "wmi_detail": self._state.agents.wmi(agent)}
        self._state.agents.edit(agent.pk, twins[agent.pk])
        twins[agent.pk] = now

    def _install(self, old: Agent, hardware: bool, values: dict[str, Any]) -> str:
        state = self._state
        if values.get("site", old.site) not in state.sites:
            raise ValueError(f"There is no site {values['site']}.")
        wmi, software = state.agents.wmi(old), entries_of(state, old.pk)
        told = {name: getattr(old, name) for name in _TOLD_BY_ANY_AGENT} | self._beginning()
        told |= {"site": old.site, "wmi_detail": wmi if hardware else None, **values}
        with state.lock:
            pk = state.agents.add(told)
            set_entries(state, pk, software if hardware else None)
            if not hardware:
                state.computers.late[pk] = Late(wmi, software)
        return state.agents.get(pk).agent_id

    def _beginning(self) -> dict[str, Any]:
        """Of an agent that was installed just now, with the limits that Tactical sets."""
        now = self._state.clock.now()
        seen = {"last_seen": now} if self._state.spec.frozen else {"checkin": -int(now) % 60}
        limits = {"offline_time": 4, "overdue_time": 30, "maintenance_mode": False}
        return {"description": "", "created": now, **limits, **seen}

    def _with_serial(self, agent: Agent, serial: str) -> dict[str, Any]:
        told = (
            {"serialnumber": serial} if agent.is_posix else {"bios": [[{"SerialNumber": serial}]]}
        )
        return {**(self._state.agents.wmi(agent) or {}), **told}
