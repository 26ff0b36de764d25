"""The `portal` commands that run something. `portal.cli` lists them."""

from __future__ import annotations

import os
import sys
from collections.abc import Callable
from typing import Any

import click

from portal.config import read_settings
from portal.core import create_core
from portal.errors import PortalError
from portal.supervisor import run as running
from portal.supervisor.escaping import escape_lines
from portal.supervisor.logs import set_up_logging
from portal.supervisor.scheduler import run_scheduler
from portal.supervisor.worker import run_worker


class RunCommand(click.Command):
    """A mistake in the settings is one line, not a traceback."""

    def invoke(self, ctx: click.Context) -> Any:
        try:
            return super().invoke(ctx)
        except PortalError as error:
            click.echo(escape_lines(f"portal: {error.message}"), err=True)
            sys.exit(1)


def _command(name: str) -> Callable[[Callable[..., None]], click.Command]:
    return click.command(name, cls=RunCommand)


@_command("run")
def run() -> None:
    """Run the portal: web, workers, scheduler and what they need."""
    running.run_portal()


@_command("demo")
def demo() -> None:
    """Run the portal with a simulated Tactical server, connected and synced."""
    running.run_portal(is_demo=True)


@_command("worker")
@click.argument("queue")
def worker(queue: str) -> None:
    """Run the jobs of one QUEUE. For installs that start each part separately."""
    settings = read_settings(os.environ)
    set_up_logging(settings)
    run_worker(create_core(settings), queue)


@_command("scheduler")
def scheduler() -> None:
    """Start scheduled work when it is due. Any number of schedulers may run."""
    settings = read_settings(os.environ)
    set_up_logging(settings)
    run_scheduler(create_core(settings))


@_command("migrate")
def migrate() -> None:
    """Upgrade the database to the newest revision."""
    settings = read_settings(os.environ)
    set_up_logging(settings)
    running.migrate(create_core(settings))


COMMANDS = (run, demo, worker, scheduler, migrate)
