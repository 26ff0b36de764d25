"""Who may do what: roles and what each allows, in one table. docs/people.md shows it."""

from __future__ import annotations

from enum import StrEnum


class Permission(StrEnum):
    READ = "see and export everything of the tenant but its users and its audit trail"
    SYNC = "sync, preview, and apply or decline plans"
    MAP = "map organizations, edit clients and assets, settle conflicts, undo runs"
    ACT_ON_ALERTS = "resolve and snooze alerts, and replay deliveries"
    CHANGE_SETTINGS = "change the connection, the webhook, its secret and event subscribers"
    READ_AUDIT = "see and export the audit trail"
    DELETE = "delete assets for good"
    MANAGE_USERS = "manage users, their roles, their sessions, and whose second factor is required"
    MANAGE_TOKENS = "make and revoke tokens of the API"


class Role(StrEnum):
    OWNER = "owner"
    ADMIN = "admin"
    TECHNICIAN = "technician"
    VIEWER = "viewer"


_VIEWER = frozenset({Permission.READ})
_TECHNICIAN = _VIEWER | {Permission.SYNC, Permission.MAP, Permission.ACT_ON_ALERTS}
_ADMIN = _TECHNICIAN | {Permission.CHANGE_SETTINGS, Permission.READ_AUDIT}

ROLES: dict[str, frozenset[Permission]] = {
    Role.OWNER: frozenset(Permission),
    Role.ADMIN: _ADMIN,
    Role.TECHNICIAN: _TECHNICIAN,
    Role.VIEWER: _VIEWER,
}


def role_allows(role: str, permission: Permission) -> bool:
    """False for a role that is not in the table."""
    return permission in ROLES.get(role, frozenset())
