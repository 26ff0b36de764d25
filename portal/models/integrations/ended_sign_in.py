from __future__ import annotations

from datetime import datetime

from sqlalchemy import ForeignKey, Index
from sqlalchemy.orm import Mapped, mapped_column

from portal.clock import utc_now
from portal.db import Base, BigId, TenantOwned


class EndedSignIn(TenantOwned, Base):
    """A sign-in at Tactical that the portal no longer uses and Tactical does not know of yet.

    Its token lies in the vault, as the secret `token` of this row.
    """

    __tablename__ = "rmm_ended_sign_ins"
    __table_args__ = (Index(None, "next_try_at"),)

    id: Mapped[int] = mapped_column(BigId, primary_key=True)
    integration_id: Mapped[int] = mapped_column(
        ForeignKey("rmm_integrations.id", ondelete="CASCADE")
    )
    base_url: Mapped[str]
    """Of the server that gave the token, which the integration may have left since."""
    ended_at: Mapped[datetime] = mapped_column(default=utc_now)
    next_try_at: Mapped[datetime] = mapped_column(default=utc_now)
