"""The messages and events of a notice, written in the transaction in which it begins or ends."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from flask import current_app
from sqlalchemy import select
from sqlalchemy.orm import Session

from portal.clock import iso_utc
from portal.config import Settings
from portal.events.outbox import record_events
from portal.models import Message, Notice, Tenant
from portal.models.channels.message import MessageReason, MessageStatus
from portal.models.events.event import EventType
from portal.scope import get_tenant_id
from portal.services.notices.audience import Audience, Route
from portal.services.notices.kinds import KINDS
from portal.wording import plural, say_moment

Values = dict[str, Any]


def tell_beginning(session: Session, notice: Notice, audience: Audience) -> set[int]:
    """Everybody whose choice it is; the channels concerned."""
    routes = audience.list_routes(notice.kind, notice.subject)
    kind = KINDS[notice.kind]
    text = f"{notice.text}\n\nThis began on {say_moment(notice.began_at)}."
    facts = _facts(session, notice, kind.title, text)
    _record(session, EventType.NOTICE_BEGAN, notice)
    return _add(session, notice, MessageReason.NOTICE, "began", routes, facts)


def tell_end(session: Session, notice: Notice, audience: Audience) -> set[int]:
    """Those who were told that it began and may still be told; the channels concerned."""
    assert notice.ended_at is not None
    told = set(
        session.scalars(
            select(Message.key).where(
                Message.notice_id == notice.id,
                Message.reason == MessageReason.NOTICE,
                Message.status != MessageStatus.DROPPED,
            )
        )
    )
    routes = [route for route in _list_all_routes(audience) if _key(notice, "began", route) in told]
    text = (
        f"It began on {say_moment(notice.began_at)} and was over on "
        f"{say_moment(notice.ended_at)}, after "
        f"{describe_time(notice.began_at, notice.ended_at)}. Nothing needs to be done."
    )
    facts = _facts(session, notice, f"Over: {KINDS[notice.kind].title}", text)
    _record(session, EventType.NOTICE_ENDED, notice)
    return _add(session, notice, MessageReason.NOTICE_OVER, "ended", routes, facts)


def find_url(session: Session, notice: Notice) -> str:
    """The page where something can be done about it."""
    settings: Settings = current_app.extensions["settings"]
    slug = session.scalar(select(Tenant.slug).where(Tenant.id == get_tenant_id()))
    return f"{settings.address}/t/{slug}/{KINDS[notice.kind].page}"


def describe_time(began_at: datetime, ended_at: datetime) -> str:
    """`4 minutes`, `3 hours`, `2 days`: in the largest unit that it fills twice."""
    minutes = max(1, round((ended_at - began_at).total_seconds() / 60))
    if minutes < 2 * 60:
        return plural(minutes, "minute")
    hours = round(minutes / 60)
    return plural(hours, "hour") if hours < 2 * 24 else plural(round(hours / 24), "day")


def _list_all_routes(audience: Audience) -> list[Route]:
    """Every way to everybody."""
    found = {
        audience.find_route(listener, channel_id)
        for listener in audience.listeners
        for channel_id in audience.channels
    }
    return sorted(found, key=lambda route: route.ending)


def _add(
    session: Session,
    notice: Notice,
    reason: MessageReason,
    state: str,
    routes: list[Route],
    facts: Values,
) -> set[int]:
    rows = [
        Message(
            channel_id=route.channel_id,
            notice_id=notice.id,
            key=_key(notice, state, route),
            reason=reason,
            recipient=route.recipient,
            facts=facts,
        )
        for route in routes
    ]
    session.add_all(rows)
    session.flush()
    return {route.channel_id for route in routes}


def _key(notice: Notice, state: str, route: Route) -> str:
    return f"n{notice.id}:{state}:{route.ending}"


def _facts(session: Session, notice: Notice, title: str, text: str) -> Values:
    """What a channel says: see `portal.channels.telling`."""
    url = find_url(session, notice)
    return {"title": title, "text": f"{text}\n\n{url}", "url": url, "kind": str(notice.kind)}


def _record(session: Session, kind: EventType, notice: Notice) -> None:
    payload = {
        "notice_id": notice.id,
        "kind": str(notice.kind),
        "subject": notice.subject or None,
        "text": notice.text,
        "began_at": iso_utc(notice.began_at),
        "ended_at": iso_utc(notice.ended_at) if notice.ended_at else None,
    }
    record_events(session, [(kind, KINDS[notice.kind].title, payload)])
