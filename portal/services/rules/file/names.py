"""Names in the file for ids in the database, and back."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from sqlalchemy import select

from portal.db import db
from portal.errors import InvalidInput
from portal.models import Client, OrganizationMapping
from portal.models.organizations.client import name_key
from portal.services.channels.listing import list_names
from portal.services.helpdesks.listing import list_names as list_helpdesks
from portal.services.windows.scopes import find_assets, write_assets

PLACES = ("clients", "organizations", "assets")
"""Of conditions of rules and scopes of windows; sites keep the number that Tactical gives them."""
CHANNELS = ("notify", "escalate_to")
HELPDESKS = "helpdesks"
_WHAT = dict.fromkeys(CHANNELS, "channels")


class Names:
    """All of the tenant, read once."""

    def __init__(self) -> None:
        clients = db.session.execute(select(Client.id, Client.name)).all()
        mapping = OrganizationMapping
        organizations = db.session.execute(
            select(mapping.external_organization_id, mapping.external_organization_name)
        ).all()
        self._names: dict[str, dict[Any, str]] = {
            "clients": {row[0]: row[1] for row in clients},
            "organizations": {row[0]: row[1] for row in organizations},
            "assets": {},
            **dict.fromkeys(CHANNELS, list_names()),
            HELPDESKS: list_helpdesks(),
        }

    def to_names(self, terms: Mapping[str, Any]) -> dict[str, Any]:
        """An id whose row is gone stays as `#12`, so that it is not lost unnoticed."""
        return self._convert(terms, self._name)

    def to_ids(self, terms: Mapping[str, Any]) -> dict[str, Any]:
        """Raises InvalidInput for a name that nothing bears, or two assets."""
        return self._convert(terms, self._find)

    def _convert(
        self, terms: Mapping[str, Any], convert: Callable[[str, Sequence[Any]], list[Any]]
    ) -> dict[str, Any]:
        converted = dict(terms)
        for field in (*PLACES, *CHANNELS):
            if field in converted:
                if not isinstance(converted[field], list | tuple):
                    raise InvalidInput(f"“{field}” must be a list of names.", field="file")
                converted[field] = convert(field, converted[field])
        ticket = converted.get("ticket")
        if isinstance(ticket, dict) and "helpdesk" in ticket:
            [helpdesk] = convert(HELPDESKS, [ticket["helpdesk"]])
            converted["ticket"] = ticket | {"helpdesk": helpdesk}
        return converted

    def _name(self, field: str, ids: Sequence[Any]) -> list[Any]:
        if field == "assets":
            return write_assets(ids).splitlines()
        return [self._names[field].get(each, f"#{each}") for each in ids]

    def _find(self, field: str, names: Sequence[Any]) -> list[Any]:
        if field == "assets":
            return list(find_assets("\n".join(str(name) for name in names))) if names else []
        by_key = {name_key(name): each for each, name in self._names[field].items()}
        missing = [name for name in names if name_key(str(name)) not in by_key]
        if missing:
            what = _WHAT.get(field, field)
            raise InvalidInput(f"Among the {what} there is no “{missing[0]}”.", field="file")
        return [by_key[name_key(str(name))] for name in names]
