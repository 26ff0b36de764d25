"""The `portal` command: the same services as the pages, for scripts and for trials.

Exit codes: 0 success, 2 partial, 1 failed. Messages go to standard error.
"""

from __future__ import annotations

import sys
from typing import Any

import click

from portal.cli.lazy import Lazy, LazyGroup
from portal.cli.outcome import FAILED, failure, show_failure
from portal.errors import PortalError

_CONNECTION, _RUNNING = "portal.cli.connection", "portal.supervisor.commands"

COMMANDS = {
    "tenants": Lazy("portal.cli.tenants", "tenants", "The MSPs that share this install."),
    "users": Lazy(
        "portal.cli.users", "users", "The people who sign in, and their roles in tenants."
    ),
    "tokens": Lazy(
        "portal.cli.tokens",
        "tokens",
        "Tokens by which programs read a tenant's records through the API.",
    ),
    "oidc": Lazy(
        "portal.cli.oidc", "oidc", "The identity provider that a tenant's people sign in with."
    ),
    "clients": Lazy("portal.cli.clients", "clients", "The tenant's customers."),
    "report": Lazy(
        "portal.cli.clients",
        "report",
        "Show the month of a client: its fleet, who came and went, alerts and software.",
    ),
    "connect": Lazy(_CONNECTION, "connect", "Save how to reach a Tactical server, and test it."),
    "test-connection": Lazy(_CONNECTION, "test_connection", "Test the saved connection."),
    "decide-server": Lazy(
        _CONNECTION,
        "decide_server",
        "Confirm whether an unrecognised server is the `same` one, moved, or a `new` one.",
    ),
    "disconnect": Lazy(
        _CONNECTION, "disconnect", "Delete the credentials; mappings and assets stay."
    ),
    "sync": Lazy("portal.cli.sync", "sync", "Bring the portal's records up to date with Tactical."),
    "plans": Lazy("portal.cli.plans", "plans", "Show, apply or decline the plans of device syncs."),
    "runs": Lazy("portal.cli.runs", "runs", "List runs, show what one did, or undo one."),
    "map": Lazy(
        "portal.cli.organizations",
        "map_organization",
        "Map an organization, by Tactical's client number, to a client.",
    ),
    "organizations": Lazy(
        "portal.cli.organizations",
        "organizations",
        "Show the organizations that wait for a person, or decide about them.",
    ),
    "assets": Lazy(
        "portal.cli.assets", "assets", "Assets that are merged, retired, restored or deleted."
    ),
    "missing": Lazy(
        "portal.cli.assets",
        "missing",
        "Assets that Tactical lists no more, and which are proposed for retirement.",
    ),
    "software": Lazy(
        "portal.cli.alerting.watches",
        "software",
        "Show, add and remove watches: which assets have some software, or an old version of it.",
    ),
    "alerts": Lazy(
        "portal.cli.alerting.alerts",
        "alerts",
        "Acknowledge or snooze an alert, or show what happened to it.",
    ),
    "conflicts": Lazy(
        "portal.cli.conflicts",
        "conflicts",
        "Show the conflicts that wait for a person, settle one, or open one again.",
    ),
    "windows": Lazy(
        "portal.cli.windows", "windows", "Times in which alerts are recorded and nobody is told."
    ),
    "rules": Lazy(
        "portal.cli.rules",
        "rules",
        "Show the rules of alerts, try them on the last days, or keep them as a file.",
    ),
    "channels": Lazy(
        "portal.cli.alerting.channels",
        "channels",
        "Show the channels where alerts are told, or send one a test message.",
    ),
    "helpdesks": Lazy(
        "portal.cli.alerting.helpdesks",
        "helpdesks",
        "Show the helpdesks in which tickets are opened, or try one with a ticket.",
    ),
    "tickets": Lazy(
        "portal.cli.alerting.tickets",
        "tickets",
        "Show the tickets that alerts opened, have what failed tried again, or link one.",
    ),
    "export": Lazy("portal.cli.export", "export", "Write records to standard output."),
    "replay": Lazy("portal.cli.replay", "replay", "Process webhook calls again, now."),
    "webhook": Lazy(
        "portal.cli.webhook",
        "webhook",
        "Show, install or remove Tactical's webhook, and rotate its secret.",
    ),
    "notices": Lazy("portal.cli.notices", "notices", "What needs, or needed, a person."),
    "keys": Lazy("portal.cli.keys", "keys", "The keys that stored secrets are encrypted with."),
    "audit": Lazy(
        "portal.cli.audit", "audit", "Who did what: list the audit trail, verify that it is whole."
    ),
    "run": Lazy(_RUNNING, "run", "Run the portal: web, workers, scheduler and what they need."),
    "demo": Lazy(
        _RUNNING, "demo", "Run the portal with a simulated Tactical server, connected and synced."
    ),
    "worker": Lazy(_RUNNING, "worker", "Run the jobs of one QUEUE."),
    "scheduler": Lazy(_RUNNING, "scheduler", "Start scheduled work when it is due."),
    "migrate": Lazy(_RUNNING, "migrate", "Upgrade the database to the newest revision."),
}


@click.command(cls=LazyGroup, lazy=COMMANDS)
@click.version_option(package_name="rmm-portal", prog_name="portal", message="%(prog)s %(version)s")
def portal() -> None:
    """Joins Tactical RMM with your own clients and assets."""


def main() -> None:
    """The console script. A wrong call exits 1 too: 2 means that a sync was partial."""
    try:
        code = portal.main(standalone_mode=False)
    except click.ClickException as error:
        problem = PortalError(error.format_message())
        show_failure(problem, _failure_of_call(error, problem) if "--json" in sys.argv else None)
        sys.exit(FAILED)
    except click.Abort:
        sys.exit(130)
    sys.exit(code or 0)


def _failure_of_call(error: click.ClickException, problem: PortalError) -> dict[str, Any]:
    """The shape of the command that was called, where that is known."""
    command = error.ctx.command if isinstance(error, click.UsageError) and error.ctx else None
    shape = getattr(command, "failure_shape", failure)
    return failure(problem) | shape(problem)
