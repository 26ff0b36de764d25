"""What happens at the MSP's customers, as Tactical then tells of it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, precondition, rule

from portal.models.integrations.integration import InventorySource
from portal.models.runs.sync_run import SyncKind
from tests.stateful.world import MOST_AGENTS, World

numbers = st.integers(0, 29)
SIX_MINUTES = 6 * 60
PAUSES = (20, 61, SIX_MINUTES, 61 * 60, 26 * 60 * 60)
"""Seconds: two looks in one minute, a check-in, the offline limit, the wait for it, a night."""


@dataclass
class Clone:
    original: str
    listed_at: str = ""
    """When it had got an asset of its own, as exports tell a moment."""


class TacticalRules(RuleBasedStateMachine):
    world: World

    def make_world(self, source: InventorySource, brake_assets: int) -> World:
        """Given by the machine of the database that is tried."""
        raise NotImplementedError

    @initialize(
        source=st.sampled_from([InventorySource.BETA, InventorySource.DASHBOARD]),
        brake_assets=st.sampled_from([10, 1]),
    )
    def begin(self, source: InventorySource, brake_assets: int) -> None:
        self.world = self.make_world(source, brake_assets)
        self.agents = self.world.control.agents
        self.computers = self.world.control.computers
        self.clones: dict[str, Clone] = {}
        """By agent_id, until it was seen that both live: were the original to go before, nothing
        in the world could tell the clone from its re-installation."""

    def teardown(self) -> None:
        if hasattr(self, "world"):
            self.world.close()

    @property
    def free_agents(self) -> list[str]:
        undecided = {*self.clones, *(clone.original for clone in self.clones.values())}
        return [each for each in self.agents.ids() if each not in undecided]

    def pick(self, number: int) -> str | None:
        free = self.free_agents
        return free[number % len(free)] if free else None

    def has_room(self) -> bool:
        return len(self.agents.ids()) < MOST_AGENTS

    @rule(seconds=st.sampled_from(PAUSES))
    def pass_time(self, seconds: int) -> None:
        self.world.pass_time(seconds)

    @precondition(has_room)
    @rule(site=numbers)
    def add(self, site: int) -> None:
        self.agents.add(self.world.pick_site(site))

    @rule(number=numbers)
    def remove(self, number: int) -> None:
        if agent_id := self.pick(number):
            self.world.remove(agent_id)

    @rule(number=numbers)
    def come_back(self, number: int) -> None:
        """As by a backup of the server."""
        self.world.bring_back(number)

    @rule(number=numbers, name=st.sampled_from(["NEW-NAME", "OTHER-NAME"]))
    def rename(self, number: int, name: str) -> None:
        if agent_id := self.pick(number):
            self.agents.edit(agent_id, hostname=name)

    @rule(number=numbers, site=numbers)
    def move(self, number: int, site: int) -> None:
        if agent_id := self.pick(number):
            self.agents.move(agent_id, self.world.pick_site(site))

    @rule(number=numbers)
    def switch_off(self, number: int) -> None:
        """Silent from now on."""
        if agent_id := self.pick(number):
            self.agents.edit(agent_id, last_seen=self.world.truth(agent_id)["last_seen"])

    @rule(number=numbers)
    def switch_on(self, number: int) -> None:
        """An agent whose computer has another one by now reports again, too."""
        if agent_id := self.pick(number):
            self.agents.edit(agent_id, checkin=number)

    @precondition(has_room)
    @rule(number=numbers, keep=st.booleans(), hardware=st.booleans(), elsewhere=st.none() | numbers)
    def reinstall(self, number: int, keep: bool, hardware: bool, elsewhere: int | None) -> None:
        agent_id = self.pick(number)
        if agent_id is None:
            return
        site: dict[str, Any] = {}
        if elsewhere is not None:
            site["site"] = self.world.pick_site(elsewhere)
        self.computers.reinstall(agent_id, keep=keep, hardware=hardware, **site)

    @precondition(has_room)
    @rule(number=numbers, hardware=st.booleans())
    def clone(self, number: int, hardware: bool) -> None:
        agent_id = self.pick(number)
        if agent_id is None:
            return
        self.agents.edit(agent_id, checkin=number)
        clone = self.computers.clone(agent_id, hardware=hardware, hostname="CLONE", checkin=0)
        self.clones[clone] = Clone(agent_id)

    @rule(number=numbers)
    def report(self, number: int) -> None:
        self.world.report_late(number)

    @rule(number=numbers, is_junk=st.booleans())
    def new_board(self, number: int, is_junk: bool) -> None:
        if agent_id := self.pick(number):
            serial = "Default string" if is_junk else self.world.new_serial()
            self.computers.new_board(agent_id, serial)

    @rule(number=numbers)
    def swap(self, number: int) -> None:
        """The disk of a computer has been copied into another one."""
        agent_id = self.pick(number)
        if agent_id is None:
            return
        if len(self.world.computers(agent_id)) == 1:
            self.computers.image(agent_id, "COPY", self.world.new_serial())
        if self.world.has_twin(agent_id):
            self.computers.swap(agent_id)

    @rule(number=numbers)
    def alert(self, number: int) -> None:
        if agent_id := self.pick(number):
            values = {"alert_type": "check", "severity": "error", "message": "It fails."}
            self.world.control.alerts.add(agent_id=agent_id, **values)
            self.world.sync(SyncKind.ALERTS)
