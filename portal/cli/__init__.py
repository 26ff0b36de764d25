"""The `portal` command: the same services as the pages, for scripts and for trials.

Exit codes: 0 success, 2 partial, 1 failed. Messages go to standard error.
"""

from __future__ import annotations

import sys
from typing import Any

import click

from portal.cli.accounts import clients, tenants, users
from portal.cli.command import FAILED, PortalCommand, failure, show_failure
from portal.cli.connection import connect, decide_server, disconnect, test_connection
from portal.cli.export import export
from portal.cli.keys import keys
from portal.cli.mapping import map_organization
from portal.cli.replay import replay
from portal.cli.sync import sync
from portal.cli.webhook import webhook
from portal.errors import PortalError
from portal.supervisor.commands import COMMANDS


@click.group()
def portal() -> None:
    """Joins Tactical RMM with your own clients and assets."""


for _command in (
    tenants,
    users,
    clients,
    connect,
    test_connection,
    decide_server,
    disconnect,
    sync,
    map_organization,
    export,
    replay,
    webhook,
    keys,
    *COMMANDS,
):
    portal.add_command(_command)


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
    shape = command.failure_shape(problem) if isinstance(command, PortalCommand) else {}
    return failure(problem) | shape
