"""Who may do what: roles are words in one table."""

from __future__ import annotations

from enum import StrEnum


class Permission(StrEnum):
    READ = "read"
    CHANGE_SETTINGS = "change settings"
    SYNC = "sync"
    MAP = "map organizations and edit clients"
    ACT_ON_ALERTS = "resolve and snooze alerts, and replay deliveries"


ROLES: dict[str, frozenset[Permission]] = {
    "admin": frozenset(Permission),
    "viewer": frozenset({Permission.READ}),
}


def role_allows(role: str, permission: Permission) -> bool:
    """False for a role that is not in the table."""
    return permission in ROLES.get(role, frozenset())
