from __future__ import annotations

from datetime import datetime

from sqlalchemy import JSON, ForeignKey, Index, UniqueConstraint, sql
from sqlalchemy.orm import Mapped, mapped_column, relationship

from portal.clock import utc_now
from portal.db import Base, BigId, TenantOwned
from portal.models.accounts.tenant import Tenant
from portal.models.accounts.user import User


class ApiToken(TenantOwned, Base):
    """What a program shows to read the tenant's records through the API. Only its digest is kept;
    the row goes when the token is revoked."""

    __tablename__ = "api_tokens"
    __table_args__ = (UniqueConstraint("tenant_id", "name"), Index(None, "made_by"))

    id: Mapped[int] = mapped_column(BigId, primary_key=True)
    name: Mapped[str]
    """What the program is called by people."""
    token_digest: Mapped[str] = mapped_column(unique=True)
    ending: Mapped[str]
    """Its last four characters, to know it by."""
    scopes: Mapped[list[str]] = mapped_column(JSON)
    """Words of `portal.services.api.tokens.Scope`."""
    networks: Mapped[list[str]] = mapped_column(JSON)
    """From where it may be used, as CIDR; empty: from anywhere."""
    limited: Mapped[bool] = mapped_column(default=False, server_default=sql.false())
    """To the clients of its rows in `api_token_clients`: without any, to none at all."""
    made_by: Mapped[int | None] = mapped_column(ForeignKey("users.id", ondelete="SET NULL"))
    """None: an operator, by a command; or somebody who is gone."""
    expires_at: Mapped[datetime]
    last_used_at: Mapped[datetime | None]
    """To the minute."""
    last_used_from: Mapped[str | None]
    """The IP address."""
    created_at: Mapped[datetime] = mapped_column(default=utc_now)

    tenant: Mapped[Tenant] = relationship()
    maker: Mapped[User | None] = relationship()


class ApiTokenClient(TenantOwned, Base):
    """A client whose records a limited token opens."""

    __tablename__ = "api_token_clients"
    __table_args__ = (UniqueConstraint("api_token_id", "client_id"), Index(None, "client_id"))

    id: Mapped[int] = mapped_column(BigId, primary_key=True)
    api_token_id: Mapped[int] = mapped_column(ForeignKey("api_tokens.id", ondelete="CASCADE"))
    client_id: Mapped[int] = mapped_column(ForeignKey("clients.id", ondelete="CASCADE"))
