"""The channels of a tenant, as pages, commands and the API show them: never a secret."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Select, func, select

from portal.channels import KINDS, ChannelKind
from portal.clock import iso_utc
from portal.db import db
from portal.errors import NotFound
from portal.models import AlertHandling, AlertRule, Channel, Message
from portal.models.channels.message import MessageStatus
from portal.services.far_sides import TARGET
from portal.vault import list_change_times

NEWEST = 20


@dataclass(frozen=True, slots=True)
class ChannelRow:
    """`rules`: names of those that tell it. `waiting`: messages that were not sent yet."""

    channel: Channel
    rules: Sequence[str]
    waiting: int

    @property
    def kind(self) -> ChannelKind:
        return KINDS[self.channel.kind]

    @property
    def target(self) -> str:
        return str(self.channel.settings.get(TARGET, ""))

    @property
    def state(self) -> str:
        """`working`, `failing`, `tested` (a test message arrived, and nothing else was sent yet),
        `unused` (nothing was sent yet) or `off`."""
        if not self.channel.active:
            return "off"
        if self.channel.failures:
            return "failing"
        if self.channel.sent_at:
            return "working"
        return "tested" if self.channel.tested_at else "unused"


def list_channels() -> list[ChannelRow]:
    """By name."""
    ordered = _select().order_by(func.lower(Channel.name), Channel.id)
    return view_channels(db.session.scalars(ordered).all())


def list_names() -> dict[int, str]:
    """Of all channels by id, in the order of the names."""
    ordered = select(Channel.id, Channel.name).order_by(func.lower(Channel.name), Channel.id)
    return {row.id: row.name for row in db.session.execute(ordered)}


def view_channels(channels: Iterable[Channel]) -> list[ChannelRow]:
    """With what is counted of them."""
    rules, waiting = _list_rules(), _count_waiting()
    return [
        ChannelRow(channel, rules.get(channel.id, ()), waiting.get(channel.id, 0))
        for channel in channels
    ]


def get_row(channel_id: int) -> ChannelRow:
    """Raises NotFound."""
    return view_channels([get_channel(channel_id)])[0]


def get_channel(channel_id: int) -> Channel:
    """Raises NotFound."""
    found = db.session.scalar(_select().where(Channel.id == channel_id))
    if found is None:
        raise NotFound("This channel does not exist.")
    return found


def _select() -> Select[Channel]:
    """Of kinds that there are."""
    known = select(Channel).where(Channel.kind.in_(list(KINDS)))
    return known.execution_options(populate_existing=True)


def list_newest(channel_id: int) -> Sequence[tuple[Message, int | None]]:
    """Its last messages, the newest first, each with the alert that it is about."""
    query = (
        select(Message, AlertHandling.alert_id)
        .outerjoin(AlertHandling, AlertHandling.id == Message.handling_id)
        .where(Message.channel_id == channel_id)
    )
    rows = db.session.execute(query.order_by(Message.id.desc()).limit(NEWEST))
    return [(message, alert_id) for message, alert_id in rows]


def list_stored(channel: Channel) -> Collection[str]:
    """Names of the fields whose secrets are kept."""
    return list_change_times(channel).keys()


def to_public(row: ChannelRow) -> dict[str, Any]:
    channel = row.channel
    return {
        "id": str(channel.id),
        "kind": channel.kind,
        "name": channel.name,
        "target": row.target,
        "state": row.state,
        "active": channel.active,
        "most_per_minute": channel.most_per_minute,
        "waiting": row.waiting,
        "rules": list(row.rules),
        "sent_at": iso_utc(channel.sent_at) if channel.sent_at else None,
        "tested_at": iso_utc(channel.tested_at) if channel.tested_at else None,
        "failures": channel.failures,
        "failing_since": iso_utc(channel.failing_since) if channel.failing_since else None,
        "last_error": channel.last_error,
        "created_at": iso_utc(channel.created_at),
    }


def _list_rules() -> Mapping[int, Sequence[str]]:
    """Names of the rules that tell a channel, by its id."""
    found: dict[int, list[str]] = {}
    rules = db.session.execute(
        select(AlertRule.name, AlertRule.steps).order_by(AlertRule.position, AlertRule.id)
    )
    for name, steps in rules:
        for channel_id in {*steps.get("notify", ()), *steps.get("escalate_to", ())}:
            found.setdefault(channel_id, []).append(name)
    return found


def _count_waiting() -> Mapping[int, int]:
    query = (
        select(Message.channel_id, func.count())
        .where(Message.status == MessageStatus.WAITING)
        .group_by(Message.channel_id)
    )
    return {row[0]: row[1] for row in db.session.execute(query)}
