"""How the far sides of each kind stand: channels, helpdesks, subscribers to events."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Any

from sqlalchemy import (
    ColumnElement,
    Select,
    and_,
    cast,
    func,
    literal,
    null,
    or_,
    select,
    union_all,
)

from portal.clock import utc_now
from portal.db import UtcDateTime, db
from portal.models import ApiToken, Channel, EventSubscriber, Helpdesk


class FarSide(StrEnum):
    CHANNELS = "channels"
    HELPDESKS = "helpdesks"
    SUBSCRIBERS = "subscribers"
    TOKENS = "tokens"
    """Of the API, by which programs come here: what has not expired is in use."""


@dataclass(frozen=True, slots=True)
class Standing:
    """How many there are, are in use, have done what they are for at least once, and fail."""

    number: int = 0
    active: int = 0
    proven: int = 0
    failing: int = 0
    failing_since: datetime | None = None
    """Of the first."""


def read_standings() -> dict[FarSide, Standing]:
    """In one statement."""
    arrived = or_(Channel.sent_at.is_not(None), Channel.tested_at.is_not(None))
    received = EventSubscriber.delivered_at.is_not(None)
    rows = union_all(
        _count(FarSide.CHANNELS, Channel, arrived, Channel.active.is_(True)),
        _count(
            FarSide.HELPDESKS, Helpdesk, Helpdesk.is_proven.is_(True), Helpdesk.active.is_(True)
        ),
        # One that failed for too long was stopped, and is not active any more.
        _count(FarSide.SUBSCRIBERS, EventSubscriber, received, EventSubscriber.failures > 0),
        _count_tokens(),
    )
    return {FarSide(kind): Standing(*numbers) for kind, *numbers in db.session.execute(rows)}


def _count(
    kind: FarSide, model: Any, is_proven: ColumnElement[bool], may_fail: ColumnElement[bool]
) -> Select[Any]:
    is_active, fails = model.active.is_(True), and_(may_fail, model.failures > 0)
    return select(
        literal(kind.value),
        func.count(),
        func.count().filter(is_active),
        func.count().filter(is_active, is_proven),
        func.count().filter(fails),
        func.min(model.failing_since).filter(fails),
    ).select_from(model)


def _count_tokens() -> Select[Any]:
    """They fail never."""
    in_use = func.count().filter(ApiToken.expires_at > utc_now())
    never = cast(null(), UtcDateTime())
    columns: tuple[Any, ...] = (
        literal(FarSide.TOKENS.value),
        func.count(),
        in_use,
        in_use,
        literal(0),
        never,
    )
    return select(*columns).select_from(ApiToken)
