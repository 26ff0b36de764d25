"""Who may do what: roles and what each allows, in one table. docs/people.md shows it."""

from __future__ import annotations

from enum import StrEnum


class Permission(StrEnum):
    READ = "see and export clients, assets, alerts, software, runs and what happened"
    READ_CONNECTION = "see the connection, the webhook, its calls and event subscribers"
    REFRESH = "read a single computer anew"
    EDIT = "edit, retire and restore assets"
    ACT_ON_ALERTS = "acknowledge, assign, resolve and snooze alerts"
    READ_RULES = "see alert rules, maintenance windows and channels"
    CHANGE_RULES = "change alert rules, maintenance windows and software watches"
    SHARE_VIEWS = "save views of lists for everybody"
    SYNC = "sync, preview, apply or decline plans, and process webhook calls again"
    MAP = (
        "map organizations, name customers of helpdesks, edit clients, merge assets, "
        "settle conflicts, undo runs"
    )
    CHANGE_SETTINGS = (
        "change the connection, the webhook, its secret, event subscribers and channels"
    )
    READ_AUDIT = "see and export the audit trail"
    DELETE = "delete assets for good"
    MANAGE_USERS = "manage users, their roles and sessions, single sign-on, and second factors"
    MANAGE_TOKENS = "make and revoke tokens of the API"


class Role(StrEnum):
    OWNER = "owner"
    ADMIN = "admin"
    TECHNICIAN = "technician"
    VIEWER = "viewer"


_VIEWER = frozenset({Permission.READ, Permission.READ_CONNECTION, Permission.READ_RULES})
_TECHNICIAN = _VIEWER | {
    *(Permission.REFRESH, Permission.EDIT, Permission.ACT_ON_ALERTS),
    *(Permission.SYNC, Permission.MAP, Permission.CHANGE_RULES, Permission.SHARE_VIEWS),
}
_ADMIN = _TECHNICIAN | {Permission.CHANGE_SETTINGS, Permission.READ_AUDIT}

ROLES: dict[str, frozenset[Permission]] = {
    Role.OWNER: frozenset(Permission),
    Role.ADMIN: _ADMIN,
    Role.TECHNICIAN: _TECHNICIAN,
    Role.VIEWER: _VIEWER,
}


WITHIN_CLIENTS = frozenset(
    {Permission.READ, Permission.REFRESH, Permission.EDIT, Permission.ACT_ON_ALERTS}
)
"""What a role allows somebody who is limited to some clients: all else concerns others too."""
LIMITABLE = (Role.TECHNICIAN, Role.VIEWER)
"""Who answers for the whole tenant, or runs its connection, sees all of it."""


def role_allows(role: str, permission: Permission, *, limited: bool = False) -> bool:
    """`limited`: to some clients. False for a role that is not in the table."""
    allowed = ROLES.get(role, frozenset())
    return permission in (allowed & WITHIN_CLIENTS if limited else allowed)
