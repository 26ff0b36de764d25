"""What maintenance windows are for, by the names of clients, organizations, sites and assets."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import select

from portal.db import db
from portal.errors import InvalidInput
from portal.models import Asset, Client, OrganizationMapping
from portal.services.windows.terms import Scope

EVERYTHING = "Everything"
GONE = "no longer there"
MOST_ASSETS = 200


@dataclass(frozen=True, slots=True)
class Part:
    """`kind`: `everything`, `client`, `organization`, `site`, `asset` or `kinds`; `id`: of a client
    or an asset in the portal, of others at Tactical."""

    kind: str
    name: str
    id: int | str | None = None


class Names:
    """Of all that the scopes name, read in at most four statements."""

    def __init__(self, scopes: Iterable[Scope]) -> None:
        found = list(scopes)
        self.clients = _read(Client.id, Client.name, [i for s in found for i in s.clients])
        self.assets = _read(Asset.id, Asset.name, [i for s in found for i in s.assets])
        mapping = OrganizationMapping
        self.organizations = _read(
            mapping.external_organization_id,
            mapping.external_organization_name,
            [i for s in found for i in s.organizations],
        )
        self.sites = _read(Asset.site_id, Asset.site_name, [i for s in found for i in s.sites])

    def describe(self, scope: Scope) -> list[Part]:
        parts = [
            *(_name("client", each, self.clients) for each in scope.clients),
            *(_name("organization", each, self.organizations) for each in scope.organizations),
            *(_name("site", each, self.sites) for each in scope.sites),
            *(_name("asset", each, self.assets) for each in scope.assets),
        ]
        kinds = [Part("kinds", ", ".join(scope.kinds))] if scope.kinds else []
        return [*(parts or [Part("everything", EVERYTHING)]), *kinds]


def describe_scope(parts: Sequence[Part]) -> str:
    """`the client Contoso and the site HQ; availability only`"""
    places = [p.name if p.kind == "everything" else f"{p.kind} {p.name}" for p in parts[:10]]
    named = [place for place, part in zip(places, parts, strict=False) if part.kind != "kinds"]
    more = len(parts) - len(places)
    text = ", ".join([*named, *([f"and {more} more"] if more > 0 else [])])
    kinds = [part.name for part in parts if part.kind == "kinds"]
    return f"{text}; {kinds[0]} alerts only" if kinds else text


def list_sites() -> list[tuple[str, str]]:
    """Tactical's number and the name of each that an asset is at, with its organization's."""
    is_its = OrganizationMapping.external_organization_id == Asset.rmm_organization_id
    organization_name = OrganizationMapping.external_organization_name
    rows = db.session.execute(
        select(Asset.site_id, Asset.site_name, organization_name)
        .outerjoin(OrganizationMapping, is_its)
        .where(Asset.site_id.is_not(None))
        .distinct()
        .order_by(organization_name, Asset.site_name)
    )
    return [
        (str(site), f"{organization or 'Unknown organization'}: {name or site}")
        for site, name, organization in rows
    ]


def find_assets(text: str) -> tuple[int, ...]:
    """The ids of assets that are named, one in each line: by name, or as `#12` by number.

    Raises InvalidInput for one that is not there, and for a name that two bear.
    """
    lines = list(dict.fromkeys(line.strip() for line in text.splitlines() if line.strip()))
    if not lines:
        raise InvalidInput("Enter the name of at least one asset.", field="assets")
    if len(lines) > MOST_ASSETS:
        raise InvalidInput(f"Enter at most {MOST_ASSETS} assets.", field="assets")
    numbers = [int(line[1:]) for line in lines if _is_number(line)]
    is_meant = Asset.name.in_(lines) | Asset.id.in_(numbers)
    rows = db.session.execute(
        select(Asset.id, Asset.name).where(is_meant, Asset.retired_at.is_(None))
    )
    by_word: dict[str, list[int]] = {}
    for asset_id, name in rows:
        by_word.setdefault(name, []).append(asset_id)
        by_word.setdefault(f"#{asset_id}", []).append(asset_id)
    return tuple(dict.fromkeys(_choose(line, by_word.get(line, [])) for line in lines))


def write_assets(asset_ids: Sequence[int]) -> str:
    """For the form, as `find_assets` reads it: the name, unless another asset bears it too."""
    if not asset_ids:
        return ""
    names = _read(Asset.id, Asset.name, asset_ids)
    same = db.session.scalars(select(Asset.name).where(Asset.name.in_(set(names.values())))).all()
    lines = [names.get(each, "") for each in asset_ids]
    return "\n".join(
        name if same.count(name) == 1 else f"#{asset_id}"
        for asset_id, name in zip(asset_ids, lines, strict=True)
    )


def _choose(line: str, found: list[int]) -> int:
    if len(found) == 1:
        return found[0]
    if not found:
        raise InvalidInput(f"There is no asset named {line}.", field="assets")
    numbers = ", ".join(f"#{each}" for each in sorted(found))
    raise InvalidInput(
        f"{len(found)} assets are named {line}. Enter the one that you mean by its number: "
        f"{numbers}.",
        field="assets",
    )


def _is_number(line: str) -> bool:
    digits = line[1:]
    return line.startswith("#") and digits.isascii() and digits.isdigit() and len(digits) < 16


def _name(kind: str, key: Any, names: Mapping[Any, str]) -> Part:
    return Part(kind, names.get(key) or f"{key} ({GONE})", key)


def _read(key: Any, name: Any, wanted: Sequence[Any]) -> dict[Any, str]:
    if not wanted:
        return {}
    rows = db.session.execute(select(key, name).where(key.in_(set(wanted))).distinct())
    return {row[0]: row[1] for row in rows}
