"""One asset with what is known around it."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import and_

from portal.db import db
from portal.models import Asset, OrganizationMapping
from portal.scope import allowed_clients
from portal.services.assets.freshness import stale_before, status_read_seconds
from portal.services.assets.listing import explain_absence, select_asset
from portal.services.assets.words import find_own_words


@dataclass(frozen=True, slots=True)
class AssetDetail:
    asset: Asset
    organization: OrganizationMapping | None
    superseded: list[str]
    """The agents that its computer had before, the first one first."""
    tags: list[str]
    stale_before: datetime
    """A status from before that moment is stale."""

    @property
    def not_synced_because(self) -> str | None:
        """Why the asset's facts are no longer refreshed, in words; None when they are."""
        if because := self._organization_is_why():
            return because
        if self.asset.retired_at is not None:
            return "It is retired. A sync restores it if Tactical lists its agent again."
        if self.asset.missing_since is not None:
            return "Tactical no longer lists this agent."
        return None

    def _organization_is_why(self) -> str | None:
        organization = self.organization
        if organization is None:
            # Of other clients' organizations, whoever is limited to some clients hears nothing.
            is_hidden = allowed_clients() is not None
            return None if is_hidden else "Its Tactical server was replaced by another one."
        if organization.client_id is None:
            return f"The organization {organization.external_organization_name} is not mapped."
        if not organization.auto_sync_assets:
            return (
                f"Auto-sync is off for the organization {organization.external_organization_name}."
            )
        return None


def get_asset_detail(asset_id: int) -> AssetDetail:
    """Raises as `get_asset` does."""
    is_its = and_(
        OrganizationMapping.integration_id == Asset.integration_id,
        OrganizationMapping.external_organization_id == Asset.rmm_organization_id,
    )
    query = select_asset(asset_id).add_columns(OrganizationMapping, status_read_seconds())
    found = db.session.execute(query.outerjoin(OrganizationMapping, is_its)).one_or_none()
    if found is None:
        raise explain_absence(asset_id)
    asset, organization, seconds = found
    words = find_own_words([asset.id])[asset.id]
    return AssetDetail(asset, organization, words.superseded, words.tags, stale_before(seconds))
