"""Which role the provider's groups give a person."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from portal.models import OidcProvider
from portal.services.accounts.permissions import ROLES


class NoAccess(Exception):
    """The provider knows the person, and the tenant does not let them in. `reason` is for the
    audit trail."""

    def __init__(self, reason: str) -> None:
        super().__init__(reason)
        self.reason = reason


def find_role(provider: OidcProvider, claims: Mapping[str, Any]) -> str | None:
    """The highest role of the person's groups, else the default one; None where roles are given
    here. Raises NoAccess for who is in none of the groups."""
    claim = provider.groups_claim
    if not claim:
        return None
    groups = _read_groups(claim, claims)
    roles = {role for group, role in provider.group_roles.items() if group in groups}
    found = next((role for role in ROLES if role in roles), provider.default_role)
    if found is None:
        raise NoAccess("they are in no group that has a role")
    return found


def _read_groups(claim: str, claims: Mapping[str, Any]) -> list[Any]:
    """Entra ID names more than 200 groups by a link in place of them: that is not none."""
    elsewhere = claims.get("_claim_names")
    if isinstance(elsewhere, dict) and claim in elsewhere:
        raise NoAccess(
            "the provider left their groups out because they are in too many; let it send only "
            "the groups that are assigned to the application"
        )
    told = claims.get(claim)
    return [told] if isinstance(told, str) else told if isinstance(told, list) else []
