"""`portal tokens`."""

from __future__ import annotations

from typing import Any

import click

from portal.cli.command import PortalCommand, tenant_option
from portal.cli.outcome import Outcome, columns
from portal.models import ApiToken
from portal.scope import get_tenant_id
from portal.services.accounts.limits import LimitedTo, find_clients, list_limits
from portal.services.api import tokens as service
from portal.services.api.tokens import DEFAULT_DAYS, MOST_DAYS, Scope


@click.group()
def tokens() -> None:
    """Tokens by which programs read a tenant's records through the API."""


@tokens.command("add", cls=PortalCommand)
@click.argument("name")
@click.option(
    "--scope",
    "scopes",
    type=click.Choice([str(scope) for scope in Scope]),
    multiple=True,
    required=True,
    help="What it opens: `read` all but the audit trail, `audit` that. May be repeated.",
)
@click.option(
    "--days",
    type=click.IntRange(1, MOST_DAYS),
    default=DEFAULT_DAYS,
    show_default=True,
    help="For how long it is valid.",
)
@click.option(
    "--from",
    "networks",
    metavar="NETWORK",
    multiple=True,
    help="Only from this address or network, such as 10.20.0.0/16. May be repeated.",
)
@click.option(
    "--client",
    "clients",
    metavar="NAME",
    multiple=True,
    help="A client whose records it opens, and no others; repeat it for each.",
)
@tenant_option
def add_token(
    name: str,
    scopes: tuple[str, ...],
    days: int,
    networks: tuple[str, ...],
    clients: tuple[str, ...],
) -> Outcome:
    """Print a token of the API, once: it is kept nowhere that could show it again."""
    wanted = find_clients(str(get_tenant_id()), clients) if clients else None
    made = service.add_token(name, scopes, days, networks, wanted)
    data = {"ok": True, **_describe(made.token, list_limits([made.token])), "token": made.secret}
    text = f"{made.secret}\nThis token is shown only once. It is valid until {_day(made.token)}."
    return Outcome(data, text)


@tokens.command("list", cls=PortalCommand)
@tenant_option
def list_tokens() -> Outcome:
    """List the tokens of a tenant, without what programs show."""
    found = service.list_tokens()
    limits = list_limits(found)
    rows = [_describe(token, limits) for token in found]
    lines = [
        (token.name, f"…{token.ending}", " ".join(token.scopes), _state(token)) for token in found
    ]
    return Outcome(
        {"ok": True, "tokens": rows},
        columns(lines) if lines else "This tenant has no tokens. Add one with `portal tokens add`.",
    )


@tokens.command("revoke", cls=PortalCommand)
@click.argument("name")
@tenant_option
def revoke_token(name: str) -> Outcome:
    """Revoke a token by its name: from now on it opens nothing."""
    revoked = service.revoke_token_named(name)
    return Outcome({"ok": True, "name": revoked}, f"Revoked the token {revoked}.")


def _describe(token: ApiToken, limits: dict[int, LimitedTo]) -> dict[str, Any]:
    """`limits` of the tokens, by their ids."""
    used = token.last_used_at
    return {
        "id": str(token.id),
        "name": token.name,
        "ending": token.ending,
        "scopes": token.scopes,
        "networks": token.networks,
        "clients": list(limits[token.id].names) if token.limited else None,
        "expires_at": token.expires_at.isoformat(),
        "expired": service.is_expired(token),
        "last_used_at": used.isoformat() if used else None,
        "last_used_from": token.last_used_from,
        "created_at": token.created_at.isoformat(),
    }


def _state(token: ApiToken) -> str:
    return f"{'expired' if service.is_expired(token) else 'valid until'} {_day(token)}"


def _day(token: ApiToken) -> str:
    return f"{token.expires_at:%Y-%m-%d}"
