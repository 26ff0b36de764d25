"""Links by which calendar programs read the maintenance windows to come."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta
from typing import Any

from sqlalchemy import func, select
from sqlalchemy.orm import Session, joinedload

from portal.clock import utc_now
from portal.db import db, transaction
from portal.errors import NotFound, Refused
from portal.models import CalendarFeed, Membership, User
from portal.scope import all_tenants, tenant_scope
from portal.services.accounts.permissions import Permission, role_allows
from portal.services.accounts.tokens import digest, new_token
from portal.services.audit.actions import Action
from portal.services.audit.record import Target, record
from portal.services.text import clean_line

MOST_FEEDS = 50
NOTED_EVERY = timedelta(minutes=10)


@dataclass(frozen=True, slots=True)
class FeedRow:
    feed: CalendarFeed
    owner: str | None


@dataclass(frozen=True, slots=True)
class Reader:
    """For whom a calendar is read."""

    tenant_id: int
    tenant_name: str
    slug: str


def list_feeds() -> list[FeedRow]:
    """Of the scope's tenant, by name."""
    query = (
        select(CalendarFeed, User.email)
        .outerjoin(User, User.id == CalendarFeed.user_id)
        .order_by(CalendarFeed.name, CalendarFeed.id)
    )
    return [FeedRow(feed, owner) for feed, owner in db.session.execute(query)]


def add_feed(name: str, user_id: int) -> tuple[CalendarFeed, str]:
    """The link's row, and its token: seen this once. Raises InvalidInput, Refused."""
    name, token = clean_line(name, "name", "a name for the link"), new_token()
    with transaction() as session:
        if (session.scalar(select(func.count(CalendarFeed.id))) or 0) >= MOST_FEEDS:
            raise Refused(
                f"There are already {MOST_FEEDS} links, which is the most allowed. Revoke one "
                "first."
            )
        feed = CalendarFeed(name=name, token_digest=digest(token), user_id=user_id)
        session.add(feed)
        session.flush()
        record(Action.CALENDAR_LINK_MADE, _target(feed), after=_describe(session, feed))
    return feed, token


def revoke_feed(feed_id: int) -> str:
    """It opens nothing from now on; its name. Raises NotFound."""
    with transaction() as session:
        feed = session.scalar(select(CalendarFeed).where(CalendarFeed.id == feed_id))
        if feed is None:
            raise NotFound("This link does not exist.")
        record(Action.CALENDAR_LINK_REVOKED, _target(feed), _describe(session, feed))
        session.delete(feed)
        return feed.name


def identify(token: str) -> Reader:
    """Whose link it is. Raises NotFound for one that is revoked or never was one, and where its
    person may not see the windows (any more)."""
    with all_tenants():
        feed = db.session.scalar(
            select(CalendarFeed).where(CalendarFeed.token_digest == digest(token))
        )
        place = _find_place(feed) if feed else None
        if feed is None or place is None or not _may_read(place):
            raise NotFound("This calendar does not exist, or its link was revoked.")
        reader = Reader(place.tenant_id, place.tenant.name, place.tenant.slug)
    if feed.last_used_at is None or feed.last_used_at <= utc_now() - NOTED_EVERY:
        with tenant_scope(reader.tenant_id), transaction() as session:
            session.get_one(CalendarFeed, feed.id).last_used_at = utc_now()
    return reader


def _target(feed: CalendarFeed) -> Target:
    return Target("calendar_link", feed.id, feed.name)


def _describe(session: Session, feed: CalendarFeed) -> dict[str, Any]:
    """For the audit trail: whose it is, and since when."""
    owner = session.get(User, feed.user_id) if feed.user_id is not None else None
    return {
        "name": feed.name,
        "shows_what_is_seen_by": owner.email if owner else None,
        "made_at": feed.created_at,
    }


def _find_place(feed: CalendarFeed) -> Membership | None:
    return db.session.scalar(
        select(Membership)
        .options(joinedload(Membership.tenant))
        .where(Membership.user_id == feed.user_id, Membership.tenant_id == feed.tenant_id)
    )


def _may_read(place: Membership) -> bool:
    may = role_allows(place.role, Permission.READ_RULES, limited=place.limited)
    return place.disabled_at is None and may
