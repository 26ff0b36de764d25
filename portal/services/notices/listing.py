"""Notices as people and programs look at them: those that last, and those of the last months."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta
from enum import StrEnum
from typing import Any, Final

from sqlalchemy import func, select

from portal.clock import iso_utc, utc_now
from portal.db import db
from portal.models import Message, Notice
from portal.models.channels.message import MessageReason, MessageStatus
from portal.services.api.paging import Items, Part, read_part
from portal.services.lists.paging import Page, paginate_records
from portal.services.lists.pruning import delete_in_parts
from portal.services.notices.kinds import KINDS, Kind

KEPT_FOR: Final = timedelta(days=90)
PRUNED_AT_ONCE: Final = 1000


class NoticeFilter(StrEnum):
    ALL = ""
    NOW = "now"
    OVER = "over"


@dataclass(frozen=True, slots=True)
class NoticeRow:
    """`told`: how many messages of its beginning there are by status."""

    notice: Notice
    kind: Kind
    told: dict[MessageStatus, int]


def list_notices(page: int = 1) -> Page[NoticeRow]:
    """Of the scope's tenant: those that last first, then the newest."""
    is_over = Notice.ended_at.is_not(None)
    found = paginate_records(
        select(Notice),
        select(Notice.id).order_by(is_over, Notice.id.desc()),
        select(func.count()).select_from(Notice),
        page,
    )
    told = _count_told([notice.id for notice in found.items])
    rows = [
        NoticeRow(notice, KINDS[notice.kind], told.get(notice.id, {})) for notice in found.items
    ]
    return Page(rows, found.number, found.total)


def list_part(shown: NoticeFilter, part: Part) -> Items:
    """The newest first, for the API."""
    query = select(Notice).order_by(Notice.id.desc())
    if shown is not NoticeFilter.ALL:
        lasts = Notice.ended_at.is_(None)
        query = query.where(lasts if shown is NoticeFilter.NOW else ~lasts)
    return read_part(query, part, lambda rows: [describe_notice(row[0]) for row in rows])


def describe_notice(notice: Notice) -> dict[str, Any]:
    """For programs."""
    return {
        "id": str(notice.id),
        "kind": str(notice.kind),
        "subject": notice.subject or None,
        "title": KINDS[notice.kind].title,
        "text": notice.text,
        "began_at": iso_utc(notice.began_at),
        "ended_at": iso_utc(notice.ended_at) if notice.ended_at else None,
    }


def prune_notices() -> int:
    """Those of the scope's tenant that were over 90 days ago, with their messages; how many."""
    before = utc_now() - KEPT_FOR
    old = select(Notice.id).where(Notice.ended_at < before).limit(PRUNED_AT_ONCE)
    return delete_in_parts(Notice, lambda: db.session.scalars(old).all())


def _count_told(notice_ids: list[int]) -> dict[int, dict[MessageStatus, int]]:
    told: dict[int, dict[MessageStatus, int]] = {}
    rows = db.session.execute(
        select(Message.notice_id, Message.status, func.count())
        .where(Message.notice_id.in_(notice_ids), Message.reason == MessageReason.NOTICE)
        .group_by(Message.notice_id, Message.status)
    )
    for notice_id, status, number in rows:
        told.setdefault(notice_id or 0, {})[status] = number
    return told
