"""Users, roles, keys and tokens."""

from __future__ import annotations

import secrets
from typing import Any

from tactical_simulator.control.part import Part
from tactical_simulator.fleet.accounts import PERMISSIONS, ApiKey, Role, User


class AccessControl(Part):
    def add_user(self, username: str, password: str, **columns: Any) -> None:
        """`columns`: totp_secret, role, superuser, active, block_dashboard_login, sso."""
        self._state.accounts.users[username] = User(username, password, **columns)

    def edit_user(self, username: str, **columns: Any) -> None:
        user = self._state.accounts.users[username]
        for name, value in columns.items():
            setattr(user, name, value)

    def remove_user(self, username: str) -> None:
        del self._state.accounts.users[username]

    def add_role(
        self,
        name: str,
        permissions: list[str] | None = None,
        *,
        superuser: bool = False,
        without: list[str] | None = None,
        clients: list[int] | None = None,
        sites: list[int] | None = None,
    ) -> None:
        """Permissions are all where none are named, less those in `without`."""
        granted = PERMISSIONS if permissions is None else frozenset(permissions)
        unknown = (granted | frozenset(without or ())) - PERMISSIONS
        if unknown:
            raise ValueError(f"No permissions: {', '.join(sorted(unknown))}.")
        self._state.accounts.roles[name] = Role(
            name=name,
            permissions=granted - frozenset(without or ()),
            superuser=superuser,
            clients=frozenset(clients or ()),
            sites=frozenset(sites or ()),
        )

    def add_key(
        self,
        key: str | None = None,
        *,
        user: str | None = None,
        expires_in: float | None = None,
        active: bool = True,
        **role: Any,
    ) -> str:
        """An API key; of a user and role of its own unless `user` is named.

        `role` as in `add_role`: `without=["can_list_software"]`, `clients=[1]`, `permissions=[]`.
        A negative `expires_in` makes an expired key, `active=False` a user that is locked.
        """
        key = key or secrets.token_hex(16).upper()
        if user is None:
            user = f"user of {key[:6]}"
            self.add_role(user, **role)
            self.add_user(user, secrets.token_urlsafe(), role=user, active=active)
        expires = None if expires_in is None else self._state.clock.now() + expires_in
        self._state.accounts.keys[key] = ApiKey(key, user, expires)
        return key

    def expire_key(self, key: str) -> None:
        self._state.accounts.keys[key].expires = self._state.clock.now() - 1

    def remove_key(self, key: str) -> None:
        del self._state.accounts.keys[key]

    def tokens(self) -> list[dict[str, Any]]:
        """Who is signed in, and for how many seconds still; not the tokens themselves."""
        now = self._state.clock.now()
        return [
            {"user": token.user, "seconds_left": token.expires - now}
            for token in self._state.accounts.tokens.values()
        ]

    def revoke_tokens(self) -> None:
        self._state.accounts.tokens.clear()

    def reset_throttle(self) -> None:
        self._state.throttle.reset()
