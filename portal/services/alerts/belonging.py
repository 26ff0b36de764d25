"""Whose an alert is: the client of its asset or, while it has none, that of its organization."""

from __future__ import annotations

from typing import Any

from sqlalchemy import ColumnElement, Select, and_, func, select

from portal.models import Alert, Asset, OrganizationMapping

CLIENT_ID: ColumnElement[Any] = func.coalesce(Asset.client_id, OrganizationMapping.client_id)
"""In a query that `join_client` made; None where its organization has no client."""


def join_client(query: Select[Any]) -> Select[Any]:
    """To a query of alerts what CLIENT_ID needs."""
    its_organization = and_(
        Alert.asset_id.is_(None),
        OrganizationMapping.integration_id == Alert.integration_id,
        OrganizationMapping.external_organization_id == Alert.external_organization_id,
    )
    return query.outerjoin(Asset, Asset.id == Alert.asset_id).outerjoin(
        OrganizationMapping, its_organization
    )


def is_of_organization(alert: type[Alert], client_id: int) -> ColumnElement[bool]:
    """It has no asset, and its organization is mapped to the client."""
    mapping = (
        select(OrganizationMapping.id)
        .where(
            OrganizationMapping.client_id == client_id,
            OrganizationMapping.integration_id == alert.integration_id,
            OrganizationMapping.external_organization_id == alert.external_organization_id,
        )
        .exists()
    )
    return and_(alert.asset_id.is_(None), mapping)
