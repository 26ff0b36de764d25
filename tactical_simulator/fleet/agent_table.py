"""The fleet: agents made when they are asked for, and what was changed about them since."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from dataclasses import replace
from threading import RLock
from typing import Any

import msgspec

from tactical_simulator.clock import Clock, moment
from tactical_simulator.fleet.agent import EDITABLE, Agent, agent_id_of, generate_agent, site_of
from tactical_simulator.fleet.fleet import FleetSpec
from tactical_simulator.fleet.places import Client, Site
from tactical_simulator.fleet.wmi import generate_wmi

HEAVY = frozenset({"wmi_detail", "wmi_patch", "services"})
"""Editable too: the whole `wmi_detail`, single sections of it, the whole `services`."""


class AgentTable:
    """Only edits, removals and additions take memory; an added agent is generated like others."""

    def __init__(
        self,
        spec: FleetSpec,
        epoch: float,
        clock: Clock,
        clients: dict[int, Client],
        sites: dict[int, Site],
    ) -> None:
        self.spec, self.epoch, self.clock = spec, epoch, clock
        # The generated names must not change when a client or site is renamed later.
        self._clients = {pk: replace(client) for pk, client in clients.items()}
        self._sites = {pk: replace(site) for pk, site in sites.items()}
        self.edits: dict[int, dict[str, Any]] = {}
        self._lock = RLock()
        self._live = dict.fromkeys(range(1, spec.agents + 1))
        self._heap = dict(self._live)
        self._last_pk = spec.agents
        self._by_agent_id: dict[str, int] | None = None
        self._counts: Counter[int] | None = None

    def __contains__(self, pk: int) -> bool:
        return pk in self._live

    def __len__(self) -> int:
        return len(self._live)

    def pks(self) -> list[int]:
        """In the order of beta's lists."""
        with self._lock:
            return list(self._live)

    def ids(self) -> list[str]:
        """In that order, without making the agents."""
        return [self._agent_id(pk) for pk in self.pks()]

    def heap(self) -> list[int]:
        """In the order of PostgreSQL's heap: an updated row moves to the end."""
        with self._lock:
            return list(self._heap)

    def get(self, pk: int) -> Agent:
        if pk not in self._live:
            raise KeyError(pk)
        agent = generate_agent(self.spec, self.epoch, pk, self._clients, self._sites)
        for name, value in self.edits.get(pk, {}).items():
            if name not in HEAVY:
                setattr(agent, name, value)
        if agent.checkin is not None:
            now = self.clock.now()
            agent.last_seen = moment(now - (now + agent.checkin) % 60)
        return agent

    def all(self, pks: list[int] | None = None) -> Iterator[Agent]:
        for pk in self.pks() if pks is None else pks:
            if pk in self._live:
                yield self.get(pk)

    def find(self, agent_id: str) -> Agent | None:
        pk = self._index().get(agent_id)
        return self.get(pk) if pk is not None else None

    def site_of(self, pk: int) -> int:
        """Without making the agent."""
        edited = self.edits.get(pk)
        if edited is not None and "site" in edited:
            return int(edited["site"])
        return site_of(self.spec.seed, pk, len(self._sites))

    def counts_by_site(self) -> Counter[int]:
        with self._lock:
            if self._counts is None:
                self._counts = Counter(map(self.site_of, self._live))
            return self._counts

    def wmi(self, agent: Agent) -> Any:
        edited = self.edits.get(agent.pk, {})
        if "wmi_detail" in edited:
            return edited["wmi_detail"]
        detail = generate_wmi(self.spec.seed, agent)
        if "wmi_patch" in edited:
            return {**(detail or {}), **edited["wmi_patch"]}
        return detail

    def add(self, values: dict[str, Any]) -> int:
        with self._lock:
            self._last_pk += 1
            pk = self._last_pk
            self._live[pk] = self._heap[pk] = None
            self._changed()
            if values:
                self.edit(pk, values)
            return pk

    def edit(self, pk: int, values: dict[str, Any]) -> None:
        """Sets columns by name; a given `last_seen` stays, so the agent no longer checks in."""
        unknown = set(values) - EDITABLE - HEAVY
        if unknown or pk not in self._live:
            raise ValueError(f"Not of agent {pk}: {', '.join(sorted(unknown)) or 'it is gone'}.")
        light = {name: value for name, value in values.items() if name not in HEAVY}
        typed = msgspec.convert({**msgspec.to_builtins(self.get(pk)), **light}, Agent, strict=False)
        changed = {name: getattr(typed, name) for name in light}
        changed |= {name: value for name, value in values.items() if name in HEAVY}
        if "last_seen" in values and "checkin" not in values:
            changed["checkin"] = None
        with self._lock:
            self.edits.setdefault(pk, {}).update(changed)
            self._changed()
            self.touch(pk)

    def touch(self, pk: int) -> None:
        with self._lock:
            if pk in self._heap:
                del self._heap[pk]
                self._heap[pk] = None

    def remove(self, pk: int) -> None:
        with self._lock:
            self._live.pop(pk, None)
            self._heap.pop(pk, None)
            self.edits.pop(pk, None)
            self._changed()

    def _changed(self) -> None:
        self._by_agent_id = None
        self._counts = None

    def _index(self) -> dict[str, int]:
        with self._lock:
            if self._by_agent_id is None:
                self._by_agent_id = {self._agent_id(pk): pk for pk in self._live}
            return self._by_agent_id

    def _agent_id(self, pk: int) -> str:
        edited = self.edits.get(pk, {}).get("agent_id")
        return edited if isinstance(edited, str) else agent_id_of(self.spec.seed, pk)
