"""Assets that are not as Tactical would have them: kept at another client, or with an old agent."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from sqlalchemy import ColumnElement, and_, exists, select

from portal.db import db
from portal.models import Asset, OrganizationMapping
from portal.versions import version_key

_ITS_MAPPING = and_(
    OrganizationMapping.integration_id == Asset.integration_id,
    OrganizationMapping.external_organization_id == Asset.rmm_organization_id,
)


def join_mapping(query: Any) -> Any:
    """Each asset with the mapping of its organization, of which `is_elsewhere` speaks."""
    return query.outerjoin(OrganizationMapping, _ITS_MAPPING)


def is_elsewhere() -> ColumnElement[bool]:
    """Whether the asset belongs to another client than the one its organization is mapped to: a
    person moved it, or its agent, and the other side was left alone."""
    return OrganizationMapping.client_id != Asset.client_id


def exists_elsewhere() -> ColumnElement[bool]:
    """The same, as a condition of an asset alone."""
    return exists().where(_ITS_MAPPING, is_elsewhere())


def is_behind(version: str) -> ColumnElement[bool]:
    """Whether the asset's agent is older than that version. Asks which versions there are."""
    versions = db.session.scalars(select(Asset.agent_version).distinct()).all()
    return Asset.agent_version.in_(list_behind(versions, version))


def list_behind(versions: Iterable[str | None], version: str) -> list[str]:
    """Those of the versions that are older."""
    key = version_key(version)
    return [each for each in versions if each and version_key(each) < key]
