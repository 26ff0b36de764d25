"""`portal users`."""

from __future__ import annotations

from typing import Any

import click

from portal.cli.command import PortalCommand, read_secret_line, tenant_option
from portal.cli.outcome import Outcome, columns
from portal.models import Membership
from portal.services.accounts import password_changes
from portal.services.accounts import users as user_service
from portal.services.accounts.permissions import ROLES

place_option = click.option("--tenant", "member_of", required=True, help="The tenant's short name.")
role_type = click.Choice(list(ROLES))


@click.group()
def users() -> None:
    """The people who sign in, and their places in tenants."""


@users.command("add", cls=PortalCommand)
@click.argument("email")
@place_option
@click.option("--role", type=role_type, required=True)
@click.option("--password-stdin", is_flag=True, required=True, help="Read the password's line.")
def add_user(email: str, member_of: str, role: str, password_stdin: bool) -> Outcome:  # noqa: ARG001
    """Give a person a role in a tenant, adding the user if new."""
    user = user_service.add_user(email, read_secret_line("password"), member_of, role)
    data = {"ok": True, "id": str(user.id), "email": user.email, "role": role}
    return Outcome(data, f"{user.email} is now {role} of {member_of}.")


@users.command("list", cls=PortalCommand)
@tenant_option
def list_users() -> Outcome:
    """Print who has a place in a tenant."""
    rows = [_describe(place) for place in user_service.list_members()]
    lines = [
        (row["email"], row["role"], "enabled" if row["enabled"] else "disabled") for row in rows
    ]
    return Outcome({"ok": True, "users": rows}, columns(lines) or "There is no user.")


@users.command("role", cls=PortalCommand)
@click.argument("email")
@click.argument("role", type=role_type)
@place_option
def change_role(email: str, role: str, member_of: str) -> Outcome:
    """Change a user's role in a tenant."""
    place = user_service.change_role(email, member_of, role)
    return _told(place, f"is now {role} of {member_of}.")


@users.command("disable", cls=PortalCommand)
@click.argument("email")
@place_option
def disable_user(email: str, member_of: str) -> Outcome:
    """Close a tenant to a user, who keeps the role."""
    place = user_service.disable_user(email, member_of)
    return _told(place, f"is disabled in {member_of}.")


@users.command("enable", cls=PortalCommand)
@click.argument("email")
@place_option
def enable_user(email: str, member_of: str) -> Outcome:
    """Open a tenant again to a user who was disabled."""
    place = user_service.enable_user(email, member_of)
    return _told(place, f"is enabled in {member_of}.")


@users.command("remove", cls=PortalCommand)
@click.argument("email")
@place_option
def remove_user(email: str, member_of: str) -> Outcome:
    """Take a user's place in a tenant away; without any place the user is deleted."""
    is_gone = user_service.remove_user(email, member_of)
    rest = "There was no other tenant, so the user is deleted." if is_gone else ""
    data = {"ok": True, "email": email, "tenant": member_of, "deleted": is_gone}
    return Outcome(data, f"{email} has no place in {member_of} any more. {rest}".strip())


@users.command("reset", cls=PortalCommand)
@click.argument("email")
@click.option("--password-stdin", is_flag=True, help="Set the password of a line instead.")
def reset(email: str, password_stdin: bool) -> Outcome:
    """Print a link by which the user sets a new password, once and within a day."""
    if password_stdin:
        user = password_changes.set_password(email, read_secret_line("password"))
        return Outcome(
            {"ok": True, "email": user.email},
            f"{user.email} has a new password and is signed out everywhere.",
        )
    made = password_changes.issue_reset(email)
    data = {
        "ok": True,
        "email": made.email,
        "link": made.link,
        "expires_at": made.expires_at.isoformat(),
    }
    return Outcome(data, f"{made.link}\nIt sets the password of {made.email}, once, for one day.")


def _describe(place: Membership) -> dict[str, Any]:
    last = place.user.last_sign_in_at
    return {
        "email": place.user.email,
        "role": place.role,
        "enabled": place.disabled_at is None,
        "last_sign_in_at": last.isoformat() if last else None,
        "added_at": place.created_at.isoformat(),
    }


def _told(place: Membership, words: str) -> Outcome:
    return Outcome({"ok": True, **_describe(place)}, f"{place.user.email} {words}")
