"""`portal connect`, `test-connection`, `decide-server` and `disconnect`."""

from __future__ import annotations

from typing import Any

import click

from portal.cli.command import PortalCommand, read_secret_line, tenant_option
from portal.cli.outcome import FAILED, SUCCESS, Outcome
from portal.errors import PortalError
from portal.models import ConnectionTest
from portal.models.integrations.integration import AuthMode, InventorySource
from portal.services.integrations import connect as connect_service
from portal.services.integrations import identity, testing
from portal.services.integrations.current import get_integration
from portal.services.integrations.sweep_intervals import AUTO, Auto


class ConnectionCommand(PortalCommand):
    """A command whose JSON is always `ok`, `fault`, `message` and `beta_api`."""

    @staticmethod
    def failure_shape(error: PortalError) -> dict[str, Any]:
        fault = getattr(error, "fault", None) or "invalid_input"
        return {"ok": False, "fault": fault, "message": error.message, "beta_api": None}


class MinutesOrAuto(click.ParamType[int | Auto]):
    name = "MINUTES|auto"

    def convert(
        self, value: Any, param: click.Parameter | None, ctx: click.Context | None
    ) -> int | Auto:
        if value == AUTO:
            return AUTO
        minutes: int = click.INT.convert(value, param, ctx)
        return minutes


@click.command(cls=ConnectionCommand)
@tenant_option
@click.option("--url", required=True, help="The address of Tactical's API.")
@click.option("--api-key-stdin", is_flag=True, help="Read the API key's line.")
@click.option("--username", help="Sign in with a user name and a password instead.")
@click.option("--password-stdin", is_flag=True, help="Read the password's line.")
@click.option("--totp", help="A one-time code.")
@click.option("--totp-secret-stdin", is_flag=True, help="Read the TOTP secret's line (the last).")
@click.option(
    "--source",
    type=click.Choice([str(word) for word in InventorySource]),
    help="Where to read agents.",
)
@click.option("--page-size", type=int, help="Agents in one page of the beta API.")
@click.option("--sync-every", type=int, help="Minutes between device syncs; 0 is never.")
@click.option(
    "--sweep-every",
    type=MinutesOrAuto(),
    help="Minutes between looks at the status, or auto: as often as the fleet's size allows.",
)
@click.option("--software-every", type=int, help="Minutes between looks at software; 0 is never.")
def connect(
    url: str,
    api_key_stdin: bool,
    username: str | None,
    password_stdin: bool,
    totp: str | None,
    totp_secret_stdin: bool,
    source: str | None,
    page_size: int | None,
    sync_every: int | None,
    sweep_every: int | Auto | None,
    software_every: int | None,
) -> Outcome:
    """Save how to reach a Tactical server, and test it."""
    if api_key_stdin and (username or password_stdin):
        raise click.UsageError("Give either an API key or a user name, not both.")
    mode = AuthMode.API_KEY if api_key_stdin else AuthMode.PASSWORD if username else None
    settings = connect_service.ConnectionSettings(
        base_url=url,
        auth_mode=mode,
        username=username,
        api_key=read_secret_line("API key") if api_key_stdin else None,
        password=read_secret_line("password") if password_stdin else None,
        totp_code=totp,
        totp_secret=read_secret_line("TOTP secret") if totp_secret_stdin else None,
        inventory_source=InventorySource(source) if source else None,
        page_size=page_size,
        device_sync_minutes=sync_every,
        status_sweep_minutes=sweep_every,
        software_sync_minutes=software_every,
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
    """Say what an unrecognised server is: the `same` one, moved, or a `new` one."""
    identity.decide_server(identity.ServerChoice(choice))
    return Outcome({"ok": True, "choice": choice}, "The connection is active.")


@click.command(cls=PortalCommand)
@tenant_option
def disconnect() -> Outcome:
    """Clear the credentials; mappings and assets stay."""
    connect_service.disconnect()
    return Outcome({"ok": True}, "Disconnected.")


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
