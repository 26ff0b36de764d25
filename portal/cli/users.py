"""`portal users`."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import click

from portal.cli.command import PortalCommand, read_secret_line, tenant_option
from portal.cli.outcome import Outcome, columns
from portal.errors import InvalidInput
from portal.models import Membership
from portal.services.accounts import invitations, limits, password_changes, sessions
from portal.services.accounts import users as user_service
from portal.services.accounts.permissions import ROLES
from portal.services.accounts.second_factors import changes

mail_option = click.option(
    "--mail", is_flag=True, help="Send the link to the address by mail as well."
)
clients_option = click.option(
    "--client",
    multiple=True,
    metavar="NAME",
    help="A client whose records the person sees, and no others; repeat it for each.",
)
role_type = click.Choice([str(role) for role in ROLES])


@click.group()
def users() -> None:
    """The people who sign in, and their roles in tenants."""


def member_command(name: str) -> Callable[[Callable[..., Outcome]], click.Command]:
    """A command about one user, by email address, in one tenant."""

    def add_command(function: Callable[..., Outcome]) -> click.Command:
        for declare in (
            click.option("--tenant", "member_of", required=True, help="The tenant's short name."),
            click.argument("email"),
        ):
            function = declare(function)
        return users.command(name, cls=PortalCommand)(function)

    return add_command


@member_command("add")
@click.option("--role", type=role_type, required=True)
@click.option(
    "--password-stdin",
    is_flag=True,
    required=True,
    help="Read the password from a line of standard input.",
)
def add_user(email: str, member_of: str, role: str, password_stdin: bool) -> Outcome:  # noqa: ARG001
    """Give a person a role in a tenant; a new user is created."""
    user = user_service.add_user(email, read_secret_line("password"), member_of, role)
    data = {"ok": True, "id": str(user.id), "email": user.email, "role": role}
    return Outcome(data, f"{user.email} is now {role} of {member_of}.")


@member_command("invite")
@click.option("--role", type=role_type, required=True)
@clients_option
@mail_option
def invite_user(
    email: str, member_of: str, role: str, client: tuple[str, ...], mail: bool
) -> Outcome:
    """Print a link that gives a person a role in a tenant, once and within seven days."""
    client_ids = limits.find_clients(member_of, client) if client else None
    made = invitations.invite(email, member_of, role, client_ids=client_ids, by_mail=mail)
    data = {
        "ok": True,
        "email": made.email,
        "role": made.role,
        "clients": list(client) or None,
        "link": made.link,
        "expires_at": made.expires_at.isoformat(),
        "by_mail": made.by_mail,
    }
    return Outcome(
        data,
        f"{made.link}\nThis link makes {made.email} {role} of {member_of}. It works once, within "
        f"seven days.{_say_mail(mail)}",
    )


@users.command("list", cls=PortalCommand)
@tenant_option
def list_users() -> Outcome:
    """List the users of a tenant."""
    places = user_service.list_members()
    limited = limits.list_limits(places)
    rows = [
        _describe(place) | {"clients": list(limited[place.id].names) if place.limited else None}
        for place in places
    ]
    lines = [
        (
            row["email"],
            row["role"],
            "enabled" if row["enabled"] else "disabled",
            "" if row["clients"] is None else ", ".join(row["clients"]) or "no client",
        )
        for row in rows
    ]
    return Outcome(
        {"ok": True, "users": rows},
        columns(lines) or "This tenant has no users. Add one with `portal users add`.",
    )


@member_command("role")
@click.argument("role", type=role_type)
def change_role(email: str, role: str, member_of: str) -> Outcome:
    """Change a user's role in a tenant."""
    place = user_service.change_role(email, member_of, role)
    return _member_outcome(place, f"is now {role} of {member_of}.")


@member_command("limit")
@clients_option
@click.option("--all", "all_clients", is_flag=True, help="Let the user see all clients again.")
def limit_user(email: str, member_of: str, client: tuple[str, ...], all_clients: bool) -> Outcome:
    """Limit a technician or viewer to the records of some clients of a tenant."""
    if bool(client) is all_clients:
        raise InvalidInput("Name the clients, each with --client, or say --all.")
    client_ids = None if all_clients else limits.find_clients(member_of, client)
    place = limits.limit_user(email, member_of, client_ids)
    sees = f"sees these clients of {member_of} alone: {', '.join(client)}."
    outcome = _member_outcome(place, f"sees all of {member_of}." if all_clients else sees)
    outcome.data["clients"] = None if all_clients else list(client)
    return outcome


@member_command("disable")
def disable_user(email: str, member_of: str) -> Outcome:
    """Block a user's access to a tenant; the role is kept."""
    place = user_service.disable_user(email, member_of)
    return _member_outcome(place, f"is disabled in {member_of}.")


@member_command("enable")
def enable_user(email: str, member_of: str) -> Outcome:
    """Restore a disabled user's access to a tenant."""
    place = user_service.enable_user(email, member_of)
    return _member_outcome(place, f"is enabled in {member_of}.")


@member_command("remove")
def remove_user(email: str, member_of: str) -> Outcome:
    """Remove a user from a tenant; a user who is in no other tenant is deleted."""
    is_gone = user_service.remove_user(email, member_of)
    rest = "They were in no other tenant, so the user was deleted." if is_gone else ""
    data = {"ok": True, "email": email, "tenant": member_of, "deleted": is_gone}
    return Outcome(data, f"{email} was removed from {member_of}. {rest}".strip())


@users.command("sign-out", cls=PortalCommand)
@click.argument("email")
def sign_out(email: str) -> Outcome:
    """Sign a user out in every browser; the password stays."""
    user = user_service.get_user(email)
    sessions.sign_out_everywhere(user.id)
    return Outcome({"ok": True, "email": user.email}, f"{user.email} is signed out everywhere.")


@users.command("reset", cls=PortalCommand)
@click.argument("email")
@click.option(
    "--password-stdin", is_flag=True, help="Set the password from a line of standard input."
)
@click.option("--remove-factors", is_flag=True, help="Remove the user's second factors too.")
@mail_option
@click.option(
    "--tenant",
    "mailed_by",
    help="The tenant whose mail channel sends it; needed if the user is in several.",
)
def reset(
    email: str, password_stdin: bool, remove_factors: bool, mail: bool, mailed_by: str | None
) -> Outcome:
    """Print a link that lets the user set a new password, once and within a day."""
    if password_stdin:
        if mail:
            raise InvalidInput("A password that you set makes no link to send. Leave out --mail.")
        password = read_secret_line("password")
        user = password_changes.set_password(email, password, remove_factors=remove_factors)
        return Outcome(
            {"ok": True, "email": user.email},
            f"{user.email} has a new password and is signed out everywhere."
            + (" Their second factors are removed." if remove_factors else ""),
        )
    sender = password_changes.choose_tenant(email, mailed_by) if mail else None
    made = password_changes.issue_reset(email, remove_factors=remove_factors, mailed_by=sender)
    data = {
        "ok": True,
        "email": made.email,
        "link": made.link,
        "expires_at": made.expires_at.isoformat(),
        "removes_factors": made.removes_factors,
        "by_mail": made.by_mail,
    }
    rest = " and removes their second factors" if made.removes_factors else ""
    return Outcome(
        data,
        f"{made.link}\nThis link sets the password of {made.email}{rest}. It works once, within a "
        f"day.{_say_mail(mail)}",
    )


@users.command("reset-factors", cls=PortalCommand)
@click.argument("email")
def reset_factors(email: str) -> Outcome:
    """Remove all second factors of a user who has lost them; the password is kept.

    The user is signed out everywhere. Make sure first that it is the user who asks.
    """
    user = changes.reset_factors(email)
    return Outcome(
        {"ok": True, "email": user.email},
        f"{user.email} has no second factor any more and is signed out everywhere.",
    )


def _describe(place: Membership) -> dict[str, Any]:
    last = place.user.last_sign_in_at
    return {
        "email": place.user.email,
        "role": place.role,
        "enabled": place.disabled_at is None,
        "last_sign_in_at": last.isoformat() if last else None,
        "added_at": place.created_at.isoformat(),
    }


def _say_mail(mail: bool) -> str:
    return " It is sent by mail as well." if mail else ""


def _member_outcome(place: Membership, predicate: str) -> Outcome:
    return Outcome({"ok": True, **_describe(place)}, f"{place.user.email} {predicate}")
