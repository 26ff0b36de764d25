"""Tenants: the MSPs of this install."""

from __future__ import annotations

import re
import unicodedata
from datetime import timedelta
from itertools import count

from sqlalchemy import select

from portal.clock import utc_now
from portal.db import db, transaction
from portal.errors import InvalidInput, NotFound
from portal.models import Tenant
from portal.models.accounts.tenant import SLUG_PATTERN, FactorRule
from portal.services.audit.actions import Action
from portal.services.audit.record import Target, record_in
from portal.services.text import clean_line

NEW_FOR = timedelta(days=7)
"""How long people of a new tenant may go without a second factor."""
LONGEST_SLUG = 40
SPELLINGS = str.maketrans({"ä": "ae", "ö": "oe", "ü": "ue", "ø": "o", "ł": "l", "æ": "ae"})
"""Of letters that lose more than an accent; `casefold` makes `ss` of ß."""


def make_tenant(name: str, slug: str) -> Tenant:
    """A new one, not in the database yet. Soon it requires a second factor of everybody, unless an
    owner decides otherwise."""
    since = utc_now() + NEW_FOR
    return Tenant(name=name, slug=slug, factor_rule=FactorRule.ALL, factors_from=since)


def suggest_slug(name: str) -> str:
    """A short name that follows from the company's and that no tenant has: `bauer-soehne` of
    `Bauer & Söhne`. static/js/slugs.js shows it while the company is typed."""
    wanted = name.casefold().translate(SPELLINGS)
    plain = unicodedata.normalize("NFKD", wanted).encode("ascii", "ignore").decode()
    words = re.sub(r"[^a-z0-9]+", "-", plain).strip("-")
    if not words[:1].isalpha():
        words = f"msp-{words}".strip("-")
    slug = words[:LONGEST_SLUG].rstrip("-")
    taken = set(db.session.scalars(select(Tenant.slug)))
    candidates = (slug if number == 1 else f"{slug[:36]}-{number}" for number in count(1))
    return next(each for each in candidates if each not in taken)


def add_tenant(name: str, slug: str | None = None) -> Tenant:
    """Without a slug, with the one that follows from the name.

    Raises InvalidInput when the slug is taken or unfit, or the name is blank.
    """
    name = clean_line(name, "name", "a name for the tenant")
    slug = slug or suggest_slug(name)
    if not SLUG_PATTERN.fullmatch(slug):
        raise InvalidInput(
            "The short name must start with a letter and contain only lowercase letters, digits "
            "and hyphens, at most 40 characters.",
            field="slug",
        )
    with transaction() as session:
        if session.scalar(select(Tenant.id).where(Tenant.slug == slug)) is not None:
            raise InvalidInput(
                f"The short name {slug!r} is already taken. Choose another one.", field="slug"
            )
        tenant = make_tenant(name, slug)
        session.add(tenant)
        session.flush()
        record_in(
            [None, tenant.id],
            Action.TENANT_ADDED,
            Target("tenant", tenant.id, tenant.slug),
            after={"name": name, "slug": slug},
        )
    return tenant


def is_slug(text: str) -> bool:
    """Whether it could be a tenant's short name."""
    return SLUG_PATTERN.fullmatch(text) is not None


def list_tenants() -> list[Tenant]:
    """By short name."""
    return list(db.session.scalars(select(Tenant).order_by(Tenant.slug)))


def get_tenant(slug_or_id: str) -> Tenant:
    """Raises NotFound. An id is all digits; a slug starts with a letter."""
    by_id = slug_or_id.isascii() and slug_or_id.isdigit() and len(slug_or_id) < 19
    condition = Tenant.id == int(slug_or_id) if by_id else Tenant.slug == slug_or_id
    tenant = db.session.scalar(select(Tenant).where(condition))
    if tenant is None:
        raise NotFound(
            f"There is no tenant {slug_or_id!r}. `portal tenants list` shows every tenant."
        )
    return tenant
