from __future__ import annotations

from datetime import datetime
from typing import Any

from sqlalchemy import JSON, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column

from portal.clock import utc_now
from portal.db import Base, BigId, TenantOwned


class OidcProvider(TenantOwned, Base):
    """The identity provider that a tenant's people sign in with (OpenID Connect).

    The client's secret lies in the vault, as the secret `client_secret` of this row.
    """

    __tablename__ = "oidc_providers"
    __table_args__ = (UniqueConstraint("tenant_id"),)

    id: Mapped[int] = mapped_column(BigId, primary_key=True)
    enabled: Mapped[bool] = mapped_column(default=True)
    issuer: Mapped[str]
    client_id: Mapped[str]
    scopes: Mapped[str] = mapped_column(default="")
    """Asked for besides `openid`, with spaces between them."""
    groups_claim: Mapped[str] = mapped_column(default="")
    """The claim of the token that lists a person's groups; empty: roles are given here."""
    group_roles: Mapped[dict[str, str]] = mapped_column(JSON, default=dict)
    """Group -> role."""
    default_role: Mapped[str | None]
    """Of who is in none of the groups; None: they do not get in."""
    second_factor_words: Mapped[str] = mapped_column(default="", server_default="")
    """Values of `amr` or `acr` that tell of a second factor, with spaces between them; empty: what
    the provider asks for is left to it."""
    endpoints: Mapped[dict[str, Any] | None] = mapped_column(JSON(none_as_null=True))
    """What discovery told, as `portal.services.oidc.discovery.Endpoints`; None before it did."""
    endpoints_at: Mapped[datetime | None]
    keys: Mapped[list[dict[str, Any]] | None] = mapped_column(JSON(none_as_null=True))
    """The provider's public keys."""
    keys_at: Mapped[datetime | None]
    problem: Mapped[str | None]
    """What the last test found wrong."""
    tested_at: Mapped[datetime | None]
    entered_at: Mapped[datetime | None]
    """When an owner last entered without the provider, though it is required."""
    entered_by: Mapped[str | None]
    created_at: Mapped[datetime] = mapped_column(default=utc_now)
