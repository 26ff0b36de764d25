"""`portal webhook show`, `rotate`, `install` and `remove`."""

from __future__ import annotations

from typing import Any

import click

from portal.cli.command import PortalCommand, tenant_option
from portal.cli.outcome import FAILED, PARTIAL, SUCCESS, Outcome
from portal.models import WebhookInstallation
from portal.models.webhook.installation import InstallationAction
from portal.services.deliveries.rate import get_rate
from portal.services.deliveries.refused_storms import find_refusals
from portal.services.deliveries.storage import get_storage
from portal.services.integrations.current import get_integration
from portal.services.webhook import installation, settings
from portal.services.webhook.execution import read_made
from portal.services.webhook.installation import find_installation
from portal.services.webhook.records import ApplyTo, Piece, Wanted
from portal.services.webhook.rotation import rotate_secret
from portal.services.webhook.state import get_health

HEADERS_HIDDEN = (
    "hidden, because they contain the secret. Use --reveal to print them, or let "
    "`portal webhook install` enter them in Tactical."
)


@click.group()
def webhook() -> None:
    """Show, install or remove Tactical's webhook, and rotate its secret."""


@webhook.command(cls=PortalCommand)
@tenant_option
@click.option("--reveal", is_flag=True, help="Print the secret too, within the headers.")
def show(reveal: bool) -> Outcome:
    """Print the address, the headers and the bodies to enter in Tactical."""
    integration = get_integration()
    url, made = settings.get_webhook_url(), read_made(find_installation(integration))
    health, keys = get_health(integration), settings.list_key_rows()
    secret = settings.reveal() if reveal else None
    headers = settings.headers_for(secret, made)
    data: dict[str, Any] = {
        "url": url,
        "header": settings.SECRET_HEADER,
        "secret": secret,
        "secret_ends_in": keys[0].last_four if keys else None,
        "headers": headers,
        "templates": {
            "failure": settings.FAILURE_BODY,
            "resolved": settings.RESOLVED_BODY,
        },
        "state": str(health.state),
        "last_event_at": health.last_event_at.isoformat() if health.last_event_at else None,
        "last_test_at": health.last_test_at.isoformat() if health.last_test_at else None,
        "installed": Piece.TEMPLATE in made.records,
        **_limits(),
        "warnings": settings.list_url_warnings(url, health.is_reached),
    }
    text = (
        f"URL: {url}\nHeaders: {headers or HEADERS_HIDDEN}\n"
        f"Failure action: {settings.FAILURE_BODY}\n"
        f"Resolved action: {settings.RESOLVED_BODY}\n"
        f"State: {health.state}\n{_limits_text(data)}"
    )
    return Outcome(data, _with_warnings(text, data["warnings"]))


@webhook.command(cls=PortalCommand)
@tenant_option
@click.option(
    "--at-once", is_flag=True, help="Invalidate the old secret now instead of in 24 hours."
)
def rotate(at_once: bool) -> Outcome:
    """Create a new secret and print it once."""
    get_integration()
    rotation = rotate_secret(at_once)
    if rotation.warning:
        click.echo(f"portal: {rotation.warning}", err=True)
    data = {
        "url": settings.get_webhook_url(),
        "header": settings.SECRET_HEADER,
        "secret": rotation.secret,
        "in_tactical": rotation.in_tactical,
        "warning": rotation.warning,
    }
    until = "" if at_once else " The old secret stays valid for 24 hours."
    taken = "It is already saved in Tactical." if rotation.in_tactical else "Enter it in Tactical."
    return Outcome(data, f"{rotation.secret}\n{taken}{until}")


@webhook.command(cls=PortalCommand)
@tenant_option
@click.option(
    "--apply-to",
    "places",
    multiple=True,
    metavar="default|none|client ID",
    nargs=1,
    help="Where to use the alert template: default, none, or client:ID (repeatable). Without this "
    "option, nothing changes; at first, that is nowhere.",
)
@click.option("--plain-header", is_flag=True, help="Do not use Tactical's key store.")
@click.option("--dry-run", is_flag=True, help="Show what would change, and change nothing.")
@click.argument("rest", nargs=-1, metavar="")
def install(
    places: tuple[str, ...], plain_header: bool, dry_run: bool, rest: tuple[str, ...]
) -> Outcome:
    """Set the webhook up in Tactical, and let Tactical test it."""
    wanted = _read_wanted(places, rest, plain_header)
    if dry_run:
        return _plan(InstallationAction.INSTALL, wanted)
    return _outcome(installation.run_now(InstallationAction.INSTALL, wanted))


@webhook.command(cls=PortalCommand)
@tenant_option
@click.option("--dry-run", is_flag=True, help="Show what would change, and change nothing.")
def remove(dry_run: bool) -> Outcome:
    """Remove from Tactical exactly what `install` created there."""
    wanted = Wanted(url=settings.get_webhook_url())
    if dry_run:
        return _plan(InstallationAction.REMOVE, wanted)
    return _outcome(installation.run_now(InstallationAction.REMOVE, wanted))


def _read_wanted(places: tuple[str, ...], rest: tuple[str, ...], plain_header: bool) -> Wanted:
    """`--apply-to client 7` leaves the 7 to `rest`; `client:7` and `7` say the same."""
    url = settings.get_webhook_url()
    if not places:
        if rest:
            raise click.UsageError(f"Got unexpected extra argument ({rest[0]})")
        before = installation.keep_wanted(url)
        return Wanted(url, before.apply_to, before.organizations, not plain_header)
    words = [word for word in (*places, *rest) if word not in ("client", "clients")]
    words = [word.removeprefix("client:") for word in words]
    if words in (["default"], ["none"]):
        return Wanted(url, ApplyTo(words[0]), (), not plain_header)
    if not words or not all(word.isascii() and word.isdigit() for word in words):
        raise click.UsageError("Use --apply-to with default, none, or client:ID.")
    return Wanted(url, ApplyTo.ORGANIZATIONS, tuple(int(word) for word in words), not plain_header)


def _plan(action: InstallationAction, wanted: Wanted) -> Outcome:
    plan = installation.preview(action, wanted)
    lines = [
        f"{change.verb:<8}{' '.join(filter(None, (change.title, change.detail, change.warning)))}"
        for change in plan.changes
    ]
    if plan.lacking:
        lines.append(f"The role in Tactical lacks these permissions: {', '.join(plan.lacking)}")
    if plan.key_store_flag:
        lines.append(
            f"The role lacks {plan.key_store_flag}, so the key store cannot be used: the secret is "
            "in the headers of the URL actions."
        )
    data = {
        "ok": not plan.lacking,
        "changes": [
            {
                "action": str(change.verb),
                "what": change.title,
                "detail": change.detail or change.warning or None,
            }
            for change in plan.changes
        ],
        "missing": plan.lacking,
        "key_store_missing": plan.key_store_flag,
    }
    text = "\n".join(lines) or "There is nothing to change."
    return Outcome(data, text, FAILED if plan.lacking else SUCCESS)


def _outcome(row: WebhookInstallation) -> Outcome:
    data = {
        "ok": bool(row.ok),
        "fault": row.fault,
        "message": row.message,
        "missing": row.missing,
        "steps": row.steps,
        "test_delivery": row.test_delivery_id,
    }
    lines = [f"{step['state']:<8}{step['title']}" for step in row.steps]
    if not row.ok:
        click.echo(f"portal: {row.message}", err=True)
    untested = row.fault == installation.NOT_ARRIVED
    code = SUCCESS if row.ok else PARTIAL if untested else FAILED
    return Outcome(data, "\n".join([*lines, row.message or ""]), code)


def _limits() -> dict[str, Any]:
    storage, refusals = get_storage(), find_refusals()
    return {
        "deliveries_per_second": get_rate(),
        "refused": refusals.count if refusals else 0,
        "refused_since": refusals.first_at.isoformat() if refusals else None,
        "refused_until": refusals.last_at.isoformat() if refusals else None,
        "refused_reconciled": refusals.is_reconciled if refusals else None,
        "body_bytes": storage.used,
        "body_bytes_limit": storage.limit,
        "body_bytes_waiting_over_limit": storage.must_wait,
    }


def _limits_text(data: dict[str, Any]) -> str:
    refused = f"Refused: {data['refused']}"
    if data["refused"]:
        refused += f" from {data['refused_since']} to {data['refused_until']}"
        refused += ", since then read from Tactical" if data["refused_reconciled"] else ""
    return (
        f"Calls a second: up to {data['deliveries_per_second']:,}\n{refused}\n"
        f"Bodies: {data['body_bytes']:,} of {data['body_bytes_limit']:,} bytes"
    )


def _with_warnings(text: str, warnings: list[str]) -> str:
    return "\n".join([text, *(f"Note: {warning}" for warning in warnings)])
