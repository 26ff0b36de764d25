"""The one place where notices begin and end: the tick looks whether something is wrong."""

from __future__ import annotations

import logging
import time
from collections.abc import Iterable
from datetime import datetime
from typing import Final

from flask import current_app
from sqlalchemy import exists, select, update
from sqlalchemy.orm import Session

from portal import queue
from portal.clock import utc_now
from portal.db import changed_one, count_changed, db, insert, release, transaction
from portal.models import Membership, Message, Notice, User
from portal.models.channels.message import MessageReason, MessageStatus
from portal.scope import all_tenants, get_tenant_id, tenant_scope
from portal.services.accounts.places import IS_OPEN
from portal.services.notices.audience import load_audience
from portal.services.notices.planning import Change, Lasting, Step, plan_changes
from portal.services.notices.signs import list_signs
from portal.services.notices.telling import tell_beginning, tell_end

log = logging.getLogger(__name__)

EVERY_SECONDS: Final = 30.0
"""Nothing that is told here has to be known sooner."""
LAST_LOOK: Final = "notices_looked_at"
OF_NOTICES: Final = (MessageReason.NOTICE, MessageReason.NOTICE_OVER)
NO_PLACE: Final = "Not sent: this person has no place here any more that notices are for."


def look_if_due() -> None:
    """As often as a scheduler needs to."""
    last: float | None = current_app.extensions.get(LAST_LOOK)
    if last is not None and time.monotonic() < last + EVERY_SECONDS:
        return
    current_app.extensions[LAST_LOOK] = time.monotonic()
    look()


def look() -> None:
    """Begin what has lasted long enough, end what is over. Several may look at once."""
    with all_tenants():
        signs, lasting = list_signs(), _list_lasting()
        changes = list(plan_changes(signs, lasting, utc_now()))
        orphans = _list_orphans()
    release()
    for tenant_id in sorted({change.tenant_id for change in changes}):
        with tenant_scope(tenant_id):
            _apply([change for change in changes if change.tenant_id == tenant_id])
    for tenant_id, message_id in orphans:
        with tenant_scope(tenant_id):
            _drop(message_id)


def _list_lasting() -> list[Lasting]:
    its = Notice
    rows = db.session.execute(
        select(its.id, its.tenant_id, its.kind, its.subject, its.calm_since).where(
            its.ended_at.is_(None)
        )
    )
    return [Lasting(*row) for row in rows]


def _apply(changes: Iterable[Change]) -> None:
    """Of the scope's tenant, in one transaction with the messages, which are sent then."""
    channels: set[int] = set()
    with transaction() as session:
        audience = load_audience(session)
        for change in changes:
            if change.step is Step.BEGIN:
                notice = _begin(session, change)
                if notice is not None:
                    channels |= tell_beginning(session, notice, audience)
            elif change.step is Step.END:
                notice = _end(session, change)
                if notice is not None:
                    channels |= tell_end(session, notice, audience)
            else:
                calm_since = change.at if change.step is Step.CALM else None
                _set(session, change, calm_since=calm_since)
    for channel_id in sorted(channels):
        queue.enqueue("send_messages", get_tenant_id(), channel_id)


def _begin(session: Session, change: Change) -> Notice | None:
    """None where another process has."""
    sign = change.sign
    assert sign is not None
    values = {
        **{"tenant_id": sign.tenant_id, "kind": sign.kind, "subject": sign.subject},
        **{"text": sign.text, "began_at": change.at, "calm_since": None, "ended_at": None},
    }
    new = insert(Notice).on_conflict_do_nothing().returning(Notice.id)
    made = session.scalar(new, values)
    if made is None:
        return None
    log.warning("Notice %s of tenant %s began: %s.", made, sign.tenant_id, sign.kind)
    return session.get_one(Notice, made)


def _end(session: Session, change: Change) -> Notice | None:
    """None where another process has."""
    if not _set(session, change, ended_at=change.at):
        return None
    log.info("Notice %s of tenant %s ended.", change.notice_id, change.tenant_id)
    return session.get_one(Notice, change.notice_id, populate_existing=True)


def _set(session: Session, change: Change, **values: datetime | None) -> bool:
    which = Notice.id == change.notice_id, Notice.ended_at.is_(None)
    return changed_one(session, update(Notice).where(*which).values(values))


def _list_orphans() -> list[tuple[int, int]]:
    """Tenant and message, of those that wait for somebody who left, was disabled or limited."""
    is_member = exists().where(
        User.email == Message.recipient,
        Membership.user_id == User.id,
        Membership.tenant_id == Message.tenant_id,
        IS_OPEN,
        ~Membership.limited,
    )
    rows = db.session.execute(
        select(Message.tenant_id, Message.id).where(
            Message.status == MessageStatus.WAITING,
            Message.reason.in_(OF_NOTICES),
            Message.recipient.is_not(None),
            ~is_member,
        )
    )
    return [(row.tenant_id, row.id) for row in rows]


def _drop(message_id: int) -> None:
    """Unless it is being sent right now."""
    waits = Message.status == MessageStatus.WAITING, Message.begun_at.is_(None)
    dropped = {"status": MessageStatus.DROPPED, "answer": NO_PLACE, "settled_at": utc_now()}
    with transaction() as session:
        its = update(Message).where(Message.id == message_id, *waits)
        count_changed(session, its.values(dropped))
