"""Every command that changes something, driven against the simulated server, writes its row."""

from __future__ import annotations

import sqlite3
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path

import pytest

from tactical_simulator import SimulatedTactical
from tests.audit.test_everything_is_recorded import COMMANDS, is_told
from tests.cli.conftest import Portal, acme, connected, folder, mapped, portal
from tests.support.keys import KEYS

__all__ = ["acme", "connected", "folder", "mapped", "portal"]

pytestmark = [pytest.mark.one_database, pytest.mark.servers]

PASSWORD = "correct horse battery\n"
NEW_KEY = "k2:" + "bnV3IGtleSBvZiB0aGUgdGVzdHMgMDEyMzQ1Njc4OWE="
OF_INSTALL = ("tenants", "users", "keys")
"""First words of commands that take no `--tenant`, or one of their own."""
ELSEWHERE = {
    "audit prune": "test_chain.py::test_retention_leaves_a_checkpoint",
    "keys remove": "test_chain.py::test_a_rotated_key_keeps_old_rows_verifiable",
}

DELIVERY = """
INSERT INTO webhook_deliveries (tenant_id, integration_id, body, body_bytes, kept_bytes, status,
hint, attempts, received_at) SELECT tenant_id, id, '{}', 2, 2, 'failed', '{}', 0,
'2026-01-01 00:00:00.000000' FROM rmm_integrations LIMIT 1
"""
CHANNEL = """
INSERT INTO channels (tenant_id, kind, name, settings, templates, active, most_per_minute, failures,
created_at) SELECT id, 'teams', 'Room', '{}', '{}', 1, 9, 0, '2026-01-01 00:00:00.000000'
FROM tenants
"""
"""One that cannot be told: its address was never stored."""


HELPDESK = """
INSERT INTO helpdesks (tenant_id, kind, name, settings, active, probe, is_proven, failures,
created_at)
SELECT id, 'mail', 'Desk', '{}', 1, '[]', 0, 0, '2026-01-01 00:00:00.000000' FROM tenants
"""
"""One that cannot be reached: it has no settings."""
TICKET = """
INSERT INTO tickets (tenant_id, helpdesk_id, outage, key, queue, customer_id, priority, urgency,
subject, body, page, status, created_at) SELECT tenant_id, id, 'alert 0', 'k', 'support', '', '',
'normal', 'Disk', '', '', 'failed', '2026-01-01 00:00:00.000000' FROM helpdesks
"""
TASK = """
INSERT INTO ticket_tasks (tenant_id, helpdesk_id, ticket_id, verb, key, text, status, attempts,
created_at) SELECT tenant_id, helpdesk_id, id, 'open', 'k:open', '', 'failed', 9,
'2026-01-01 00:00:00.000000' FROM tickets
"""


@dataclass(frozen=True, slots=True)
class World:
    portal: Portal
    file: Path

    def change(self, statement: str) -> None:
        """What only syncs, webhooks and a long time would bring about."""
        with closing(sqlite3.connect(self.file)) as connection, connection:
            connection.execute(statement)

    def ask(self, query: str) -> str:
        with closing(sqlite3.connect(self.file)) as connection:
            return str(connection.execute(query).fetchone()[0])

    def list_written(self) -> set[tuple[str, str, bool, bool]]:
        """Command and action of all rows, and whether they say what was before and after."""
        query = (
            "SELECT source, action, before IS NOT NULL, after IS NOT NULL FROM {} "
            "WHERE actor_kind = 'command'"
        )
        with closing(sqlite3.connect(self.file)) as connection:
            return {
                (source.removeprefix("portal "), action, bool(has_before), bool(has_after))
                for table in ("audit_entries", "install_audit_entries")
                for source, action, has_before, has_after in connection.execute(query.format(table))
            }

    def run(self, text: str, stdin: str = "") -> str:
        """Standard output; what is to be done need not be done well, but must be accepted."""
        words = text.split()
        tenant = () if words[0] in OF_INSTALL else ("--tenant", "acme")
        return self.portal(*words, *tenant, stdin=stdin).out


def test_every_command_writes_its_row(
    mapped: Portal, tactical: SimulatedTactical, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    world = World(mapped, folder / "portal.db")
    drive_syncs(world, tactical)
    drive_assets(world, tactical)
    drive_connection(world, monkeypatch)
    drive_people(world)

    rows = world.list_written()
    assert {row[1:] for row in rows if not is_told(*row[1:])} == set()
    written = {row[:2] for row in rows}
    missing = {
        (command, action)
        for command, action in COMMANDS.items()
        if (command, action) not in written and command not in ELSEWHERE
    }
    assert missing == set()
    assert mapped("audit", "verify").exit_code == 0


def drive_syncs(world: World, tactical: SimulatedTactical) -> None:
    agent = tactical.control.agents.ids()[0]
    plan = "SELECT max(id) FROM sync_plans"
    world.run("sync devices --dry-run")
    world.run(f"plans decline {world.ask(plan)}")
    world.run("sync devices --dry-run")
    world.run(f"plans apply {world.ask(plan)}")
    tactical.control.alerts.trigger(agent, "check")
    for kind in ("devices", "software", "alerts", "status", f"agent {agent}"):
        world.run(f"sync {kind}")
    alert = world.ask("SELECT max(id) FROM rmm_alerts WHERE status = 'active'")
    for words in ("ack {}", "snooze {} --for 1", "unsnooze {}"):
        world.run(f"alerts {words.format(alert)}")
    tactical.control.agents.edit(agent_id=agent, hostname="RENAMED")
    world.run("sync devices")
    run = world.ask("SELECT max(id) FROM sync_runs")
    world.run(f"runs revert {run}")
    for name in ("organizations", "assets", "alerts", "deliveries", "software"):
        world.run(f"export {name}")
    world.portal("report", world.ask("SELECT min(name) FROM clients"), "--tenant", "acme")


def drive_assets(world: World, tactical: SimulatedTactical) -> None:
    conflict = world.ask("SELECT id FROM asset_conflicts")  # about what was just undone
    world.run(f"conflicts settle {conflict} --as apply")
    world.change("UPDATE asset_conflicts SET settled_as = 'separate'")
    world.run(f"conflicts reopen {conflict}")
    world.run(f"conflicts settle {conflict} --as apply")
    twins = "SELECT {}(id) FROM assets WHERE client_id = (SELECT client_id FROM assets LIMIT 1)"
    keep, other = (world.ask(twins.format(name)) for name in ("min", "max"))
    world.run(f"assets merge {keep} {other}")
    gone = world.ask("SELECT rmm_device_id FROM assets ORDER BY id DESC LIMIT 1")
    tactical.control.agents.remove(agent_id=gone)
    world.run("sync devices")
    for deed in ("retire", "restore", "retire", "delete --yes"):
        world.run(f"assets {deed} {gone}")
    night = "--zone UTC --starts 2000-01-01T00:00 --ends 2000-01-02T00:00 --every day"
    world.run(f"windows add Night {night}")
    window = world.ask("SELECT max(id) FROM maintenance_windows")
    world.run(f"windows end {window}")
    product = world.ask("SELECT min(name) FROM software_products WHERE publisher <> ''")
    world.portal("software", "watch", "add", product, "--older-than", "3", "--tenant", "acme")
    watch = world.ask("SELECT max(id) FROM software_watches")
    world.run("software watch list")
    world.run(f"software watch remove {watch}")
    rules = world.file.with_name("rules.yaml")
    rules.write_text("rules: [{name: A, steps: {ignore: Noise}}]")
    world.run(f"rules import {rules}")
    world.run("rules list")
    world.run("rules try")
    world.run("rules export")
    world.run("clients add Zebra")
    world.change(CHANNEL)
    channel = world.ask("SELECT max(id) FROM channels")
    world.run(f"channels test {channel}")
    drive_tickets(world)
    world.change("UPDATE rmm_organization_mappings SET held_since = '2026-01-01 00:00:00.000000'")
    world.run("organizations settle --as gone")


def drive_tickets(world: World) -> None:
    world.change(HELPDESK)
    helpdesk = world.ask("SELECT max(id) FROM helpdesks")
    world.run(f"helpdesks test {helpdesk} --queue support")
    world.change(TICKET)
    world.change(TASK)
    ticket = world.ask("SELECT max(id) FROM tickets")
    world.run(f"tickets retry {ticket}")
    alert = world.ask("SELECT max(id) FROM rmm_alerts")
    world.run(f"tickets link {alert} {helpdesk} 77")


def drive_connection(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    world.change(DELIVERY)
    world.run("replay --failed")
    world.run("test-connection")
    world.run("webhook install --apply-to none")
    world.run("webhook show --reveal")
    world.run("webhook rotate --at-once")
    world.run("webhook remove")
    world.change("UPDATE rmm_integrations SET state = 'held'")
    world.run("decide-server same")
    world.run("disconnect")
    world.run("tenants allow-network acme 10.1.0.0/16")
    world.run("tenants withdraw-network acme 10.1.0.0/16")
    old = KEYS["PORTAL_ENCRYPTION_KEYS"]
    monkeypatch.setenv("PORTAL_ENCRYPTION_KEYS", f"{NEW_KEY},{old}")
    world.run("keys rotate")


def drive_people(world: World) -> None:
    for email in ("a@acme.example", "b@acme.example"):
        world.run(f"users add {email} --tenant acme --role owner --password-stdin", PASSWORD)
    for deed in ("role b@acme.example viewer", "disable b@acme.example", "enable b@acme.example"):
        world.run(f"users {deed} --tenant acme")
    world.run("users limit b@acme.example --tenant acme --client Zebra")
    world.run(
        "oidc set --issuer http://127.0.0.1:9 --client-id portal --secret-stdin", "a secret\n"
    )
    world.run("oidc off")
    world.run("users reset b@acme.example")
    world.run("users sign-out b@acme.example")
    world.run("users invite c@acme.example --tenant acme --role viewer")
    world.run("tenants second-factor acme admins")
    world.run("users reset-factors b@acme.example")
    world.run("users remove b@acme.example --tenant acme")
    world.run("tokens add reports --scope read")
    world.run("tokens revoke reports")
    world.run("tenants add Other --slug other")
    world.run("tenants remove other --yes other")
