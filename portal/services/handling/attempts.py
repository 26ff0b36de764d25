"""One attempt to tell a channel something: written before the far side hears of it, and after."""

from __future__ import annotations

import logging
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from portal.channels import KINDS, ChannelKind, Outcome, Result, Telling
from portal.clock import utc_now
from portal.db import transaction
from portal.errors import PORTAL_FAULT, SecretUnreadable
from portal.models import Channel, Message
from portal.services.accounts.link_mails import read_links
from portal.services.far_sides import try_secrets
from portal.services.handling.line import hold, load_line
from portal.services.handling.telling import make_telling
from portal.services.handling.units import IN_DOUBT, TOLD_OVER, Line, choose, is_begun
from portal.services.integrations.networks import get_gateway

log = logging.getLogger(__name__)

MINUTE = timedelta(minutes=1)
NO_KIND = "The portal has no such kind of channel."


@dataclass(frozen=True, slots=True)
class Attempt:
    """As plain values: the rows may be gone when it ends."""

    channel_id: int
    lease: str
    message_ids: Sequence[int]
    """The first one is that whose key is used."""
    begun_at: datetime
    takes_key: bool
    telling: Telling
    kind: ChannelKind | None
    settings: Mapping[str, object]
    secrets: Mapping[str, str] = field(repr=False)
    problem: str | None
    """Why it cannot be sent at all."""

    def send(self) -> Outcome:
        """Never raises."""
        if self.kind is None or self.problem is not None:
            return Outcome(result=Result.FAILED, answer=self.problem or NO_KIND)
        gateway: Any = get_gateway()
        try:
            return self.kind.send(gateway, self.settings, self.secrets, self.telling)
        except Exception:
            log.exception("Channel %s could not be told.", self.channel_id)
            return Outcome(result=Result.LOST, answer=PORTAL_FAULT)


def begin(channel_id: int, lease: str) -> Attempt | None:
    """The next one, committed as begun. None when there is nothing to send now: then the channel is
    free for whoever comes, or rests until more may be sent; or when it is another process's."""
    now = utc_now()
    with transaction() as session:
        channel = session.scalar(
            select(Channel)
            .where(Channel.id == channel_id, Channel.active, Channel.lease == lease)
            .with_for_update(key_share=True)  # messages for it can be added meanwhile
            .execution_options(populate_existing=True)
        )
        if channel is None:
            return None
        left = _count_left(channel, now)
        if left <= 0:
            assert channel.minute_at is not None
            channel.lease, channel.due_at = None, channel.minute_at + MINUTE
            return None
        line = load_line(session, channel, left, now)
        while (unit := choose(line, left)) and not hold(session, unit):
            line = load_line(session, channel, left, now)  # somebody dropped one of them just now
        if not unit:
            channel.lease, channel.due_at = None, None
            return None
        return _begin(session, channel, line, unit, now)


def _begin(
    session: Session, channel: Channel, line: Line, unit: Sequence[Message], now: datetime
) -> Attempt:
    first, kind = unit[0], KINDS.get(channel.kind)
    takes_key = kind is not None and kind.takes_key(channel.settings)
    for message in unit:
        # The key of one that went with another was never sent itself.
        _mark(message, line, takes_key and (message is not first or message.told_in is None))
        message.attempts, message.begun_at = message.attempts + 1, now
        message.told_in = first.id if message is not first else None
    channel.minute_sent += 1
    secrets, problem = try_secrets(channel, kind.fields if kind else ())
    telling = make_telling(session, channel, line, unit)
    try:
        telling = replace(telling, links=read_links(first))
    except SecretUnreadable as error:
        problem = error.message
    return Attempt(
        channel_id=channel.id,
        lease=channel.lease or "",
        message_ids=[message.id for message in unit],
        begun_at=now,
        takes_key=takes_key,
        telling=telling,
        kind=kind,
        settings=dict(channel.settings),
        secrets=secrets,
        problem=problem,
    )


def _mark(message: Message, line: Line, takes_key: bool) -> None:
    """What must be known of it when it is sent again: then it must say the same."""
    if is_begun(message):  # the process that sent it died, or its answer was lost
        message.facts = message.facts | {IN_DOUBT: True}
        message.may_be_double = message.may_be_double or not takes_key
        return
    handling = line.handling_of(message)
    is_over = handling is not None and handling.over_at is not None
    message.facts = message.facts | {TOLD_OVER: is_over}


def _count_left(channel: Channel, now: datetime) -> int:
    """How many may be sent in this minute, which begins anew after the last one."""
    if channel.minute_at is None or not channel.minute_at <= now < channel.minute_at + MINUTE:
        channel.minute_at, channel.minute_sent = now, 0
    return max(channel.most_per_minute, 1) - channel.minute_sent
