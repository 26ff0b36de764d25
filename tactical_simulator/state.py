"""All that one simulated server knows; requests and tests change it through here."""

from __future__ import annotations

import time
from collections.abc import Iterator
from threading import Event, RLock

from flask import current_app

from tactical_simulator.clock import Clock
from tactical_simulator.faults import FaultPlan
from tactical_simulator.fleet.accounts import Accounts, Role
from tactical_simulator.fleet.agent import Agent
from tactical_simulator.fleet.agent_table import AgentTable
from tactical_simulator.fleet.computers import Computers
from tactical_simulator.fleet.fleet import FleetSpec
from tactical_simulator.fleet.places import Client, Site, generate_clients, generate_sites
from tactical_simulator.fleet.records import (
    Alert,
    AlertTemplate,
    Check,
    Entries,
    GlobalKey,
    Note,
    Table,
    UrlAction,
)
from tactical_simulator.request_log import RequestLog
from tactical_simulator.settings import EXTENSION, Settings
from tactical_simulator.throttle import Throttle


class State:
    def __init__(self, spec: FleetSpec) -> None:
        self.spec = spec
        self.lock = RLock()
        self.clock = Clock()
        self.epoch = spec.epoch if spec.epoch is not None else float(int(time.time()))
        self.clients: dict[int, Client] = generate_clients(spec, self.epoch)
        self.sites: dict[int, Site] = generate_sites(spec, self.epoch)
        self.agents = AgentTable(spec, self.epoch, self.clock, self.clients, self.sites)
        self.computers = Computers()
        self.software_edits: dict[int, Entries | None] = {}
        self.accounts = Accounts()
        self.throttle = Throttle()
        self.settings = Settings(beta_enabled=spec.beta_enabled)
        self.alerts: Table[Alert] = Table()
        self.checks: Table[Check] = Table()
        self.notes: Table[Note] = Table()
        self.templates: Table[AlertTemplate] = Table()
        self.url_actions: Table[UrlAction] = Table()
        self.global_keys: Table[GlobalKey] = Table()
        self.patch_policies: dict[int, str] = {}
        """Agent pk to who first opened its page: that GET writes a row."""
        self.faults = FaultPlan()
        self.log = RequestLog()
        self.crashes: list[str] = []
        """Tracebacks that are the simulator's own fault, not the real server's."""
        self.stopping = Event()

    def client_of(self, agent: Agent) -> Client:
        return self.clients[self.sites[agent.site].client]

    def in_scope(self, site_pk: int, role: Role | None) -> bool:
        """`can_view_clients` and `can_view_sites` add up."""
        if role is None:
            return True
        return site_pk in role.sites or self.sites[site_pk].client in role.clients

    def heap_agents(self, role: Role | None) -> Iterator[Agent]:
        """The agents a role may see, in no order that could be relied on."""
        pks = self.agents.heap()
        if role is not None:
            pks = [pk for pk in pks if self.in_scope(self.agents.site_of(pk), role)]
        return self.agents.all(pks)

    def template_of(self, site_pk: int) -> int | None:
        """The alert template of the site, else of its client, else the server's default."""
        site = self.sites[site_pk]
        client = self.clients[site.client]
        for pk in (site.alert_template, client.alert_template, self.settings.alert_template):
            template = self.templates.find(pk)
            if template is not None and template.is_active:
                return template.pk
        return None

    def remove_agent(self, pk: int) -> None:
        """Its alerts, checks and notes vanish with it, without a webhook."""
        with self.lock:
            self.agents.remove(pk)
            self.software_edits.pop(pk, None)
            self.alerts.remove_where(lambda alert: alert.agent == pk)
            self.checks.remove_where(lambda check: check.agent == pk)
            self.notes.remove_where(lambda note: note.agent == pk)

    def remove_check(self, pk: int) -> None:
        with self.lock:
            self.checks.remove_where(lambda check: check.pk == pk)
            self.alerts.remove_where(lambda alert: alert.assigned_check == pk)


def current_state() -> State:
    state: State = current_app.extensions[EXTENSION]
    return state
