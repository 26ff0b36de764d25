"""Users, roles, API keys and Knox tokens."""

from __future__ import annotations

import secrets
from dataclasses import dataclass, field

SHORT_LIFE = 180
"""Seconds that a `checkcreds` token lives before its first use."""
TOKEN_LIFE = 5 * 3600
MIN_REFRESH = 600

PERMISSIONS = frozenset({
    "can_list_agents", "can_edit_agent", "can_list_clients", "can_manage_clients",
    "can_list_sites", "can_manage_sites", "can_list_alerts", "can_manage_alerts",
    "can_list_software", "can_list_checks", "can_list_notes", "can_manage_notes",
    "can_view_customfields", "can_manage_winupdates", "can_manage_winsvcs", "can_run_urlactions",
    "can_edit_core_settings", "can_view_core_settings", "can_list_alerttemplates",
    "can_manage_alerttemplates", "can_view_global_keystore", "can_edit_global_keystore",
    "can_list_agent_history", "can_list_roles", "can_list_accounts",
})  # fmt: skip


@dataclass(slots=True)
class Role:
    """`clients` and `sites` are the pks of `can_view_clients` and `can_view_sites`."""

    name: str
    permissions: frozenset[str] = frozenset()
    superuser: bool = False
    clients: frozenset[int] = frozenset()
    sites: frozenset[int] = frozenset()

    @property
    def is_scoped(self) -> bool:
        return not self.superuser and bool(self.clients or self.sites)


@dataclass(slots=True)
class User:
    username: str
    password: str
    totp_secret: str | None = None
    role: str | None = None
    superuser: bool = False
    active: bool = True
    block_dashboard_login: bool = False
    sso: bool = False


@dataclass(slots=True)
class ApiKey:
    key: str
    user: str
    expires: float | None = None


@dataclass(slots=True)
class Token:
    user: str
    expires: float


@dataclass(slots=True)
class Caller:
    """Who asks: a user, seen through the role."""

    user: User
    role: Role | None
    token: str | None = None

    def may(self, permission: str) -> bool:
        if self.is_superuser:
            return True
        return self.role is not None and permission in self.role.permissions

    @property
    def is_superuser(self) -> bool:
        return self.user.superuser or (self.role is not None and self.role.superuser)

    @property
    def scope(self) -> Role | None:
        """The role, where it limits which clients and sites are seen."""
        if self.user.superuser or self.role is None or not self.role.is_scoped:
            return None
        return self.role


@dataclass(slots=True)
class Accounts:
    users: dict[str, User] = field(default_factory=dict)
    roles: dict[str, Role] = field(default_factory=dict)
    keys: dict[str, ApiKey] = field(default_factory=dict)
    tokens: dict[str, Token] = field(default_factory=dict)

    def issue_token(self, user: User, expires: float) -> str:
        token = secrets.token_hex(32)
        self.tokens[token] = Token(user.username, expires)
        return token

    def use_token(self, token: str, now: float) -> User | None:
        """The life slides with each use that gains more than ten minutes; seen on a live server."""
        row = self.tokens.get(token)
        if row is None:
            return None
        user = self.users.get(row.user)
        if row.expires < now or user is None:
            del self.tokens[token]
            return None
        if now + TOKEN_LIFE - row.expires > MIN_REFRESH:
            row.expires = now + TOKEN_LIFE
        return user
