from __future__ import annotations

import re
from datetime import datetime
from enum import StrEnum

from sqlalchemy import JSON
from sqlalchemy.orm import Mapped, mapped_column, validates

from portal.clock import utc_now
from portal.db import Base, BigId

SLUG_PATTERN = re.compile(r"[a-z][a-z0-9-]{0,39}")
"""Starts with a letter, so that a slug is never mistaken for an id."""


class FactorRule(StrEnum):
    """Whose second factor a tenant requires; `admins` are owners too."""

    NOBODY = "nobody"
    ADMINS = "admins"
    ALL = "all"


class Tenant(Base):
    """One MSP."""

    __tablename__ = "tenants"

    id: Mapped[int] = mapped_column(BigId, primary_key=True)
    slug: Mapped[str] = mapped_column(unique=True)
    name: Mapped[str]
    factor_rule: Mapped[FactorRule] = mapped_column(default=FactorRule.NOBODY)
    factors_from: Mapped[datetime | None]
    """From when on second factors are required; None: the rule holds already."""
    sso_since: Mapped[datetime | None]
    """Since when people enter by the tenant's identity provider only; None: they need not."""
    steps_skipped: Mapped[list[str]] = mapped_column(JSON, default=list, server_default="[]")
    """The first steps that somebody does not want to take, or `all` of them."""
    created_at: Mapped[datetime] = mapped_column(default=utc_now)

    @validates("slug")
    def _check_slug(self, _key: str, slug: str) -> str:
        if not SLUG_PATTERN.fullmatch(slug):
            raise ValueError(f"{slug!r} is not a slug.")
        return slug
