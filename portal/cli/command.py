"""What every command shares: the application, `--json`, exit codes and clear failures."""

from __future__ import annotations

import os
import sys
from collections.abc import Callable
from contextlib import ExitStack
from typing import Any

import click
from sqlalchemy.exc import DBAPIError

from portal.cli.outcome import FAILED, Outcome, failure, show, show_failure
from portal.config import read_settings
from portal.core import create_core
from portal.errors import PortalError
from portal.scope import tenant_scope
from portal.services import database
from portal.services.accounts.tenants import get_tenant
from portal.services.audit.actor import acting_as, find_operator
from portal.services.database import LARGEST_ID, close_database, prepare_database
from portal.supervisor.escaping import describe
from portal.supervisor.logs import command_logging
from portal.work_id import work

tenant_option = click.option("--tenant", required=True, help="The tenant's short name.")


class RowNumber(click.ParamType[int]):
    """The number of a run, a plan, a conflict: one that the database can hold."""

    name = "number"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> int:
        number: int = click.INT.convert(value, param, ctx)
        if not 0 < number <= LARGEST_ID:
            self.fail(f"Nothing has the number {number}.", param, ctx)
        return number


class DefaultGroup(click.Group):
    """A group that is itself one of its commands, `default`, when none is named."""

    def __init__(self, *args: Any, default: str, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.default = default

    def parse_args(self, ctx: click.Context, args: list[str]) -> list[str]:
        is_named = bool(args) and (args[0] in self.commands or args[0] == "--help")
        return super().parse_args(ctx, args if is_named else [self.default, *args])


class PortalCommand(click.Command):
    """A command over the services: its function returns an Outcome.

    It opens the application, brings an empty database up to date, enters the tenant's scope
    when it takes `--tenant`, and turns errors into one line and exit code 1.
    """

    failure_shape: Callable[[PortalError], dict[str, Any]] = staticmethod(failure)

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.params.append(
            click.Option(["--json", "as_json"], is_flag=True, help="Print one JSON object.")
        )

    def invoke(self, ctx: click.Context) -> Any:
        as_json: bool = ctx.params.pop("as_json")
        try:
            with ExitStack() as stack:
                outcome = self._run(ctx, stack)
                show(outcome, as_json)
        except click.UsageError as error:
            error.ctx = error.ctx or ctx  # `main` asks the command for the shape of a failure
            raise
        except (click.exceptions.Exit, click.ClickException, click.Abort, BrokenPipeError):
            raise
        except Exception as error:
            problem = _explain(error)
            show_failure(problem, self.failure_shape(problem) if as_json else None)
            ctx.exit(FAILED)
        ctx.exit(outcome.exit_code)

    def _run(self, ctx: click.Context, stack: ExitStack) -> Outcome:
        settings = read_settings(os.environ)
        stack.enter_context(work())
        stack.enter_context(command_logging(settings))
        app = create_core(settings)
        database.init_app(app)
        stack.enter_context(app.app_context())
        stack.callback(close_database)
        prepare_database()
        stack.enter_context(acting_as(find_operator(ctx.command_path)))
        if "tenant" in ctx.params:
            tenant = get_tenant(ctx.params.pop("tenant"))
            stack.enter_context(tenant_scope(tenant.id))
        outcome: Outcome = super().invoke(ctx)
        return outcome


def _explain(error: Exception) -> PortalError:
    """The message for any error; for an internal one, with the place where it happened."""
    if isinstance(error, PortalError):
        return error
    if isinstance(error, DBAPIError):
        first_line = str(error.orig).strip().partition("\n")[0]
        return PortalError(f"The database reported an error: {first_line}")
    click.echo(describe(error), err=True)
    return PortalError("The portal ran into an internal error. The lines above show where.")


def read_secret_line(what: str) -> str:
    """The next line of standard input. Raises UsageError when there is none."""
    line = sys.stdin.readline().rstrip("\r\n")
    if not line:
        raise click.UsageError(f"Enter the {what} as a line on standard input.")
    return line
