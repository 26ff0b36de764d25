"""A tenant, its Tactical server and the one clock that both go by."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from itertools import count
from typing import Any, TypeVar

import time_machine
from flask import Flask
from msgspec.structs import asdict
from sqlalchemy import select

from portal.db import db
from portal.models import Client, SyncRun
from portal.models.integrations.integration import InventorySource
from portal.models.runs.sync_run import RunStatus, SyncKind
from portal.scope import tenant_scope
from portal.services.accounts.tenants import add_tenant
from tactical_simulator import FleetSpec, SimulatedTactical
from tests.stateful.tables import Dump
from tests.support.msp import Msp

START = datetime(2026, 3, 2, 12, tzinfo=UTC)
FLEET = FleetSpec(
    clients=3, sites=5, agents=7, titles=3, windows=80, linux=10, epoch=START.timestamp()
)
MOST_AGENTS = 14
OF_A_LOOK = {
    *("agent_status", "status_as_of", "status_stale", "last_seen_at", "last_rmm_sync_at"),
    *("uptime_seconds", "boot_time"),
}
MAPPED = ("client", "auto_sync_assets")
WELL = {RunStatus.SUCCESS, RunStatus.PARTIAL, RunStatus.HELD}

Item = TypeVar("Item")


@dataclass
class World:
    """It stands still unless `pass_time` is called. Leave it by `close`."""

    app: Flask
    name: str
    source: InventorySource
    brake_assets: int
    gone: dict[str, dict[str, Any]] = field(default_factory=dict)
    """Agents that were deleted in Tactical: their columns, for a backup that brings them back."""
    done: Counter[str] = field(default_factory=Counter)
    """What all runs together did."""
    joined: dict[int, set[str]] = field(default_factory=dict)
    """Computers that a person said are one, by the id of the run that did it."""
    parted: dict[int, set[str]] = field(default_factory=dict)
    """Those that are apart again, by the id of the run that took it back."""
    exports: dict[int, tuple[Dump, Dump]] = field(default_factory=dict)
    """What was exported before and after each run, by its id."""

    def __post_init__(self) -> None:
        self._exit = ExitStack()
        self._serials = count(1)
        enter = self._exit.enter_context
        self._clock = enter(time_machine.travel(START, tick=False))
        self.tactical = enter(SimulatedTactical(FLEET))
        enter(self.app.app_context())
        self._exit.callback(db.session.remove)
        tenant = add_tenant(self.name, self.name)
        enter(tenant_scope(tenant.id))
        self.msp = Msp(self.app, self.tactical, tenant.id)
        self.control = self.tactical.control
        for agent_id in self.msp.agents[1:]:  # the first one has what the dice gave it
            self.control.computers.new_board(agent_id, self.new_serial())
        run = self.msp.import_fleet(inventory_source=self.source, brake_assets=self.brake_assets)
        assert run.status is RunStatus.SUCCESS

    def close(self) -> None:
        crashes = self.control.server.crashes()
        self._exit.close()
        assert crashes == []

    def pass_time(self, seconds: float) -> None:
        self._clock.shift(seconds)

    def sync(self, kind: SyncKind = SyncKind.DEVICES, subject: str = "") -> SyncRun:
        with self.noting_exports():
            run = self.msp.sync(kind, subject)
        self.done.update(run.counts)
        assert run.status in WELL, (run.kind, run.status, run.error)
        return run

    def exported(self) -> Dump:
        """Without what each look moves."""
        assets = {
            agent_id: {name: value for name, value in row.items() if name not in OF_A_LOOK}
            for agent_id, row in self.msp.assets().items()
        }
        organizations = {
            external_id: {name: row[name] for name in MAPPED}
            for external_id, row in self.msp.organizations().items()
        }
        return {"assets": assets, "organizations": organizations}

    @contextmanager
    def noting_exports(self) -> Iterator[None]:
        """Of the run that is made meanwhile."""
        before, last = self.exported(), self._list_runs()
        yield
        db.session.rollback()
        self.exports |= dict.fromkeys(self._list_runs() - last, (before, self.exported()))

    def _list_runs(self) -> set[int]:
        found = set(db.session.scalars(select(SyncRun.id)))
        db.session.rollback()
        return found

    def new_serial(self) -> str:
        """No two computers have one but by being copied."""
        return f"SERIAL-{next(self._serials):04}"

    def truth(self, agent_id: str) -> dict[str, Any]:
        return self.msp.truth(agent_id)

    def remove(self, agent_id: str) -> None:
        state = self.tactical.state
        agent = state.agents.find(agent_id)
        assert agent is not None
        columns = {name: value for name, value in asdict(agent).items() if name != "pk"}
        self.gone[agent_id] = columns | {"wmi_detail": state.agents.wmi(agent)}
        self.control.agents.remove(agent_id)

    def bring_back(self, number: int) -> None:
        if self.gone:
            columns = self.gone.pop(pick(number, sorted(self.gone)))
            if columns["site"] in self.tactical.state.sites:
                self.control.agents.add(**columns)

    def report_late(self, number: int) -> None:
        late = self.tactical.state.computers.late
        waiting = [a.agent_id for a in self.tactical.state.agents.all(sorted(late))]
        if waiting:
            self.control.computers.report(pick(number, waiting))

    def has_twin(self, agent_id: str) -> bool:
        return self.truth(agent_id)["pk"] in self.tactical.state.computers.twins

    @property
    def client_ids(self) -> list[int]:
        found = list(db.session.scalars(select(Client.id).order_by(Client.id)))
        db.session.rollback()
        return found

    def pick_agent(self, number: int) -> str:
        return pick(number, self.msp.agents)

    def pick_site(self, number: int) -> int:
        return pick(number, sorted(self.tactical.state.sites))

    def computers(self, agent_id: str) -> list[str]:
        return self.tactical.state.computers.of(agent_id)


def pick(number: int, items: Sequence[Item]) -> Item:
    """A smaller number is an earlier item, so that an example shrinks to the first ones."""
    return items[number % len(items)]
