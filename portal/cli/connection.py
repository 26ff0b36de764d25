"""`portal connect`, `test-connection`, `decide-server` and `disconnect`."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import click

from portal.cli.command import PortalCommand, read_secret_line, tenant_option
from portal.cli.outcome import FAILED, SUCCESS, Outcome
from portal.errors import PortalError
from portal.models import ConnectionTest
from portal.models.integrations.integration import AuthMode
from portal.services.integrations import connect as connect_service
from portal.services.integrations import identity, testing
from portal.services.integrations.current import get_integration
from portal.services.integrations.option_kinds import (
    AUTO,
    AddressOption,
    AnyOption,
    NumberOption,
    OptionValue,
)
from portal.services.integrations.options import OPTIONS


class ConnectionCommand(PortalCommand):
    """A command whose JSON is always `ok`, `fault`, `message` and `beta_api`."""

    @staticmethod
    def failure_shape(error: PortalError) -> dict[str, Any]:
        fault = getattr(error, "fault", None) or "invalid_input"
        return {"ok": False, "fault": fault, "message": error.message, "beta_api": None}


class NumberOrAuto(click.ParamType[OptionValue]):
    def __init__(self, option: NumberOption) -> None:
        self.name = f"{option.unit.upper()}|{AUTO}" if option.allows_auto else option.unit.upper()
        self.allows_auto = option.allows_auto

    def convert(
        self, value: Any, param: click.Parameter | None, ctx: click.Context | None
    ) -> OptionValue:
        if self.allows_auto and value == AUTO:
            return AUTO
        number: int = click.INT.convert(value, param, ctx)
        return number


def add_options(command: Callable[..., Outcome]) -> Callable[..., Outcome]:
    """Offer each option of a connection that has a flag."""
    for option in reversed(OPTIONS):
        if option.flag is not None:
            command = click.option(
                option.flag, option.name, type=_value_type(option), help=option.help
            )(command)
    return command


def _value_type(option: AnyOption) -> click.ParamType[Any]:
    if isinstance(option, AddressOption):
        return click.STRING
    if not isinstance(option, NumberOption):
        return click.Choice([str(word) for word in option.choices])
    return NumberOrAuto(option)


@click.command(cls=ConnectionCommand)
@tenant_option
@click.option("--url", required=True, help="The address of Tactical's API.")
@click.option("--api-key-stdin", is_flag=True, help="Read the API key from standard input.")
@click.option("--username", help="Sign in with a username and a password instead.")
@click.option(
    "--password-stdin", is_flag=True, help="Read the password from a line of standard input."
)
@click.option("--totp", help="A one-time code of the user's second factor.")
@click.option(
    "--totp-secret-stdin",
    is_flag=True,
    help="Read the TOTP secret from the last line of standard input.",
)
@add_options
def connect(
    url: str,
    api_key_stdin: bool,
    username: str | None,
    password_stdin: bool,
    totp: str | None,
    totp_secret_stdin: bool,
    **options: OptionValue | None,
) -> Outcome:
    """Save how to reach a Tactical server, and test it."""
    if api_key_stdin and (username or password_stdin):
        raise click.UsageError("Use either --api-key-stdin or --username, not both.")
    mode = AuthMode.API_KEY if api_key_stdin else AuthMode.PASSWORD if username else None
    settings = connect_service.ConnectionSettings(
        base_url=url,
        auth_mode=mode,
        username=username,
        api_key=read_secret_line("API key") if api_key_stdin else None,
        password=read_secret_line("password") if password_stdin else None,
        totp_code=totp,
        totp_secret=read_secret_line("TOTP secret") if totp_secret_stdin else None,
        options=options,
    )
    connect_service.save_connection(settings)
    return _test_outcome(testing.test_now())


@click.command("test-connection", cls=ConnectionCommand)
@tenant_option
def test_connection() -> Outcome:
    """Test the saved connection."""
    return _test_outcome(testing.test_now())


@click.command("decide-server", cls=PortalCommand)
@tenant_option
@click.argument("choice", type=click.Choice([str(word) for word in identity.ServerChoice]))
def decide_server(choice: str) -> Outcome:
    """Confirm whether an unrecognised server is the `same` one, moved, or a `new` one."""
    identity.decide_server(identity.ServerChoice(choice))
    return Outcome({"ok": True, "choice": choice}, "The connection is active.")


@click.command(cls=PortalCommand)
@tenant_option
def disconnect() -> Outcome:
    """Delete the credentials; mappings and assets stay."""
    connect_service.disconnect()
    return Outcome(
        {"ok": True}, "Disconnected. The credentials were deleted; mappings and assets stay."
    )


def _test_outcome(test: ConnectionTest) -> Outcome:
    data = {
        "ok": bool(test.ok),
        "fault": test.fault,
        "message": test.message,
        "beta_api": get_integration().beta_api if test.ok else None,
        "steps": test.steps,
    }
    lines = [
        f"{step['state']:<8}{step['title']}" + (f": {step['message']}" if step["message"] else "")
        for step in test.steps
    ]
    if not test.ok:
        click.echo(f"portal: {test.message}", err=True)
    text = "\n".join([*lines, test.message or ""])
    return Outcome(data, text, SUCCESS if test.ok else FAILED)
