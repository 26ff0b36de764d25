"""Channels are added, changed, worded, switched off and on."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from portal.channels import KINDS, ChannelKind
from portal.channels.templating import PARTS, VALUES
from portal.db import db, transaction
from portal.errors import NotFound, Refused
from portal.far_side.form import Rejected
from portal.far_side.templating import BadTemplate, check_template
from portal.models import Channel, Tenant
from portal.scope import get_tenant_id
from portal.services.audit.actions import Action
from portal.services.audit.record import Target, record
from portal.services.audit.values import Values
from portal.services.channels.listing import get_channel
from portal.services.far_sides import (
    TARGET,
    BadFields,
    Entered,
    keep_secrets,
    read_secrets,
    sort_entered,
)

MOST_CHANNELS = 50
FASTEST = 60
"""Messages a minute. Whoever gets more wants them told together."""
BAD_NUMBER = f"Enter a number from 1 to {FASTEST}."


@dataclass(frozen=True, slots=True, kw_only=True)
class EnteredChannel(Entered):
    """A form as it was sent."""

    most_per_minute: str


def get_kind(name: str) -> ChannelKind:
    """Raises NotFound."""
    if name not in KINDS:
        raise NotFound("There is no such kind of channel.")
    return KINDS[name]


def add_channel(kind_name: str, entered: EnteredChannel) -> Channel:
    """Raises BadFields, Refused, and NotFound for a kind that there is not."""
    kind = get_kind(kind_name)
    with transaction() as session:
        # One at a time; who only adds rows of the tenant does not wait.
        session.get_one(Tenant, get_tenant_id(), with_for_update={"key_share": True})
        if len(session.scalars(select(Channel.id)).all()) >= MOST_CHANNELS:
            raise Refused(
                f"There are already {MOST_CHANNELS} channels, which is the most allowed. Delete "
                "one first."
            )
        channel = Channel(kind=kind.name, name="", settings={}, templates={})
        _apply(session, channel, kind, entered)
        record(Action.CHANNEL_ADDED, get_target(channel), after=describe(channel, entered))
    return channel


def change_channel(channel_id: int, entered: EnteredChannel) -> Channel:
    """What waits is tried at once with what was entered. Raises BadFields and NotFound."""
    with transaction() as session:
        channel = _hold(session, channel_id)
        before = describe(channel)
        _apply(session, channel, KINDS[channel.kind], entered)
        _forget_failures(channel)
        channel.tested_at = None
        after = describe(channel, entered)
        record(Action.CHANNEL_CHANGED, get_target(channel), before, after)
    return channel


def word_channel(channel_id: int, templates: Mapping[str, str]) -> Channel:
    """Parts that are empty get the default words. Raises BadFields and NotFound."""
    with transaction():
        channel = get_channel(channel_id)
        kind, before = KINDS[channel.kind], dict(channel.templates)
        wanted = clean_templates(kind, templates)
        try:
            kind.check(channel.settings, read_secrets(channel, kind.fields), wanted)
        except Rejected as error:
            raise BadFields(error.problems) from error
        channel.templates = wanted
        record(Action.CHANNEL_WORDED, get_target(channel), before, wanted)
    return channel


def clean_templates(kind: ChannelKind, templates: Mapping[str, str]) -> dict[str, str]:
    """Raises BadFields."""
    wanted, problems = {}, {}
    for part in kind.parts:
        source = templates.get(part, "").replace("\r\n", "\n")
        if not source.strip():
            continue
        try:
            check_template(source, VALUES)
        except BadTemplate as error:
            problems[part] = f"{PARTS[part]}: {error}"
        wanted[part] = source
    if problems:
        raise BadFields(problems)
    return wanted


def switch_channel(channel_id: int, *, on: bool) -> Channel:
    """Off: nothing is sent, and what waits is dropped. Raises NotFound."""
    with transaction() as session:
        channel = _hold(session, channel_id)
        action = Action.CHANNEL_SWITCHED_ON if on else Action.CHANNEL_SWITCHED_OFF
        record(action, get_target(channel), {"active": channel.active}, {"active": on})
        channel.active = on
        _forget_failures(channel)
    return channel


def _apply(session: Session, channel: Channel, kind: ChannelKind, entered: EnteredChannel) -> None:
    """Raises BadFields."""
    stored = read_secrets(channel, kind.fields) if channel.id else {}
    found = sort_entered(kind.fields, entered, channel.settings, stored)
    settings, secrets, problems = found.settings, found.secrets, found.problems
    name, most = entered.name.strip(), _read_number(entered.most_per_minute)
    if _is_taken(channel, name):
        problems["name"] = "Another channel has this name."
    if most is None:
        problems["most_per_minute"] = BAD_NUMBER
    if not problems:
        try:
            settings[TARGET] = kind.check(settings, secrets, channel.templates)
        except Rejected as error:
            problems |= error.problems
    if problems:
        raise BadFields(problems)
    channel.name, channel.most_per_minute, channel.settings = name, most or 1, settings
    session.add(channel)
    session.flush()
    keep_secrets(session, channel, stored, secrets)


def _read_number(text: str) -> int | None:
    text = text.strip()
    is_number = text.isascii() and text.isdigit() and len(text) < 4
    return int(text) if is_number and 1 <= int(text) <= FASTEST else None


def _is_taken(channel: Channel, name: str) -> bool:
    query = select(Channel.id).where(func.lower(Channel.name) == name.lower())
    with db.session.no_autoflush:
        return any(found != channel.id for found in db.session.scalars(query))


def describe(channel: Channel, entered: EnteredChannel | None = None) -> Values:
    """For the audit trail: of secrets only that one was entered."""
    return {
        "kind": channel.kind,
        "name": channel.name,
        "most_per_minute": channel.most_per_minute,
        **channel.settings,
        "entered": (entered and entered.list_secrets(KINDS[channel.kind].fields)) or None,
    }


def get_target(channel: Channel) -> Target:
    return Target("channel", channel.id, channel.name)


def _hold(session: Session, channel_id: int) -> Channel:
    """Nobody begins to send to it in this transaction. Raises NotFound."""
    channel = get_channel(channel_id)
    session.refresh(channel, with_for_update={"key_share": True})
    return channel


def _forget_failures(channel: Channel) -> None:
    channel.failures, channel.failing_since, channel.last_error = 0, None, None
    if channel.lease is None:  # else it is being told, and by a second process it would be twice
        channel.due_at = None
