"""`portal oidc`."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import click
from flask import current_app

from portal.cli.command import PortalCommand, read_secret_line, tenant_option
from portal.cli.outcome import FAILED, Outcome
from portal.errors import InvalidInput
from portal.models import OidcProvider
from portal.services.accounts.permissions import ROLES
from portal.services.oidc import people, settings, testing
from portal.services.oidc.entered import ProviderSettings

NO_ENTRY = "none"
role_choice = click.Choice([*map(str, ROLES), NO_ENTRY])


@click.group()
def oidc() -> None:
    """The identity provider that a tenant's people sign in with."""


@oidc.command("show", cls=PortalCommand)
@tenant_option
def show_provider() -> Outcome:
    """Show the provider, without its secret, and who is linked to it."""
    provider = settings.find_provider()
    if provider is None:
        nothing = {"ok": True, "provider": None, "redirect_address": _make_callback()}
        return Outcome(nothing, f"Not set up. The redirect address is {_make_callback()}")
    data = _describe(provider)
    lines = [f"{name}: {value}" for name, value in data["provider"].items() if name != "people"]
    return Outcome(data, "\n".join([*lines, f"redirect_address: {data['redirect_address']}"]))


@oidc.command("set", cls=PortalCommand)
@tenant_option
@click.option("--issuer", help="The provider's issuer, exactly as it spells it.")
@click.option("--client-id", help="The id that the provider gave the portal.")
@click.option("--secret-stdin", is_flag=True, help="Read the secret from standard input.")
@click.option("--scopes", help="Scopes besides openid, with spaces between them.")
@click.option("--groups-claim", help="The claim that lists the groups; empty for none.")
@click.option("--group", "groups", multiple=True, help="GROUP=ROLE; these replace all others.")
@click.option("--default-role", type=role_choice, help="Of who is in no group.")
@click.option(
    "--second-factor-words", help="Values of amr or acr for a second factor; empty: not looked at."
)
@click.option("--required/--not-required", default=None, help="Whether it is the only way in.")
def set_provider(secret_stdin: bool, groups: tuple[str, ...], **given: Any) -> Outcome:
    """Save the provider and test it. What is not named keeps its value."""
    named = {name: value for name, value in given.items() if value is not None}
    if named.get("default_role") == NO_ENTRY:
        named["default_role"] = ""
    if groups:
        named["group_roles"] = dict(_split(each) for each in groups)
    if secret_stdin:
        named["client_secret"] = read_secret_line("client secret")
    wanted: ProviderSettings = replace(settings.read_settings(), **named)
    provider = settings.save_provider(wanted)
    problem = testing.test_now(_make_callback())
    data = _describe(settings.get_provider()) | {"ok": problem is None}
    if problem is not None:
        return Outcome(data, f"Saved, but the test failed. {problem}", FAILED)
    return Outcome(data, f"Saved. People can sign in with {provider.issuer}.")


@oidc.command("off", cls=PortalCommand)
@tenant_option
def switch_off() -> Outcome:
    """Switch it off: people sign in with their passwords again. The settings are kept."""
    provider = settings.switch_off()
    return Outcome(
        {"ok": True, "issuer": provider.issuer, "enabled": False},
        f"Nobody signs in with {provider.issuer} any more. People sign in with their passwords.",
    )


def _describe(provider: OidcProvider) -> dict[str, Any]:
    saved = settings.read_settings()
    tested_at = provider.tested_at
    return {
        "ok": True,
        "redirect_address": _make_callback(),
        "provider": {
            "enabled": provider.enabled,
            "required": saved.required,
            "issuer": saved.issuer,
            "client_id": saved.client_id,
            "scopes": saved.scopes,
            "groups_claim": saved.groups_claim,
            "group_roles": dict(saved.group_roles),
            "default_role": saved.default_role or None,
            "second_factor_words": saved.second_factor_words,
            "tested_at": tested_at.isoformat() if tested_at else None,
            "problem": provider.problem,
            "people": [
                {"email": each.email, "role": each.role, "linked": each.since is not None}
                for each in people.list_people(provider.issuer)
            ],
        },
    }


def _split(text: str) -> tuple[str, str]:
    """At the last equals sign: names of groups may hold others."""
    group, equals, role = text.rpartition("=")
    if not equals or role not in ROLES:
        raise InvalidInput(f"{text!r} is not GROUP=ROLE, such as admins=admin.", field="group")
    return group, role


def _make_callback() -> str:
    slug = settings.get_tenant_row().slug
    return f"{current_app.extensions['settings'].address}/t/{slug}/sign-in/callback"
