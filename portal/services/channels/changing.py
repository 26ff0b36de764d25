"""Channels are added, changed, worded, switched off and on."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from typing import Any

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from portal.channels import KINDS, ChannelKind
from portal.channels.templating import PARTS, VALUES
from portal.db import db, transaction
from portal.errors import NotFound, PortalError, Refused
from portal.far_side.form import Field, Rejected
from portal.far_side.templating import BadTemplate, check_template
from portal.models import Channel, Tenant
from portal.scope import get_tenant_id
from portal.services.audit.actions import Action
from portal.services.audit.record import Target, record
from portal.services.audit.values import Values
from portal.services.channels.listing import TARGET, get_channel
from portal.services.channels.secrets import find_carried_off, read_secrets
from portal.vault import forget_secrets, store_secret

LONGEST_NAME = 100
MOST_CHANNELS = 50
FASTEST = 60
"""Messages a minute. Whoever gets more wants them told together."""
BAD_NUMBER = f"Enter a number from 1 to {FASTEST}."


class BadFields(PortalError):
    """`problems`: field of the form -> a sentence for people."""

    def __init__(self, problems: Mapping[str, str]) -> None:
        super().__init__(" ".join(problems.values()))
        self.problems = problems


@dataclass(frozen=True, slots=True)
class Entered:
    """A form as it was sent. `values` are of the kind's fields, secrets among them; a secret that
    is empty keeps the one that is stored."""

    name: str
    most_per_minute: str
    values: Mapping[str, Any] = field(repr=False)
    forgotten: Collection[str] = ()
    """Secrets that are to be deleted, where none is entered in their place."""


def get_kind(name: str) -> ChannelKind:
    """Raises NotFound."""
    if name not in KINDS:
        raise NotFound("There is no such kind of channel.")
    return KINDS[name]


def add_channel(kind_name: str, entered: Entered) -> Channel:
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


def change_channel(channel_id: int, entered: Entered) -> Channel:
    """What waits is tried at once with what was entered. Raises BadFields and NotFound."""
    with transaction() as session:
        channel = _hold(session, channel_id)
        before = describe(channel)
        _apply(session, channel, KINDS[channel.kind], entered)
        _forget_failures(channel)
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
            kind.check(channel.settings, read_secrets(channel), wanted)
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


def _apply(session: Session, channel: Channel, kind: ChannelKind, entered: Entered) -> None:
    """Raises BadFields."""
    stored = read_secrets(channel) if channel.id else {}
    kept = {name: secret for name, secret in stored.items() if name not in entered.forgotten}
    settings, secrets, problems = _split(kind, entered, kept)
    typed = {each for each, value in entered.values.items() if value}
    before, after = {**channel.settings, **stored}, settings | secrets
    problems |= find_carried_off(kind, before, after, typed)
    name, most = entered.name.strip(), _read_number(entered.most_per_minute)
    if not name or len(name) > LONGEST_NAME:
        problems["name"] = f"Enter a name of at most {LONGEST_NAME} characters."
    elif _is_taken(channel, name):
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
    for each, secret in secrets.items():
        if secret != stored.get(each):
            store_secret(session, channel, each, secret)
    if gone := stored.keys() - secrets.keys():
        forget_secrets(session, channel, *gone)


def _split(
    kind: ChannelKind, entered: Entered, stored: Mapping[str, str]
) -> tuple[dict[str, Any], dict[str, str], dict[str, str]]:
    """Settings, secrets, and what is missing, too long or not among the choices."""
    settings: dict[str, Any] = {}
    secrets, problems = dict(stored), dict[str, str]()
    for each in kind.fields:
        value = entered.values.get(each.name)
        if each.input == "checkbox":
            settings[each.name] = bool(value)
            continue
        text = str(value or "").strip().replace("\r\n", "\n")
        problem = _find_problem(each, text or stored.get(each.name, ""))
        if problem:
            problems[each.name] = problem
        elif not each.is_secret:
            settings[each.name] = text
        elif text:
            secrets[each.name] = text
    return settings, secrets, problems


def _find_problem(each: Field, text: str) -> str:
    if each.is_required and not text:
        return f"Fill in “{each.label}”."
    if len(text) > each.longest:
        return f"Use at most {each.longest:,} characters."
    if each.choices and text not in dict(each.choices):
        return "Choose one from the list."
    if each.input != "textarea" and "\n" in text:
        return "Enter a single line."
    return ""


def _read_number(text: str) -> int | None:
    text = text.strip()
    is_number = text.isascii() and text.isdigit() and len(text) < 4
    return int(text) if is_number and 1 <= int(text) <= FASTEST else None


def _is_taken(channel: Channel, name: str) -> bool:
    query = select(Channel.id).where(func.lower(Channel.name) == name.lower())
    with db.session.no_autoflush:
        return any(found != channel.id for found in db.session.scalars(query))


def describe(channel: Channel, entered: Entered | None = None) -> Values:
    """For the audit trail: of secrets only that one was entered."""
    entered_secrets = [
        each.name
        for each in KINDS[channel.kind].fields
        if entered and each.is_secret and entered.values.get(each.name)
    ]
    return {
        "kind": channel.kind,
        "name": channel.name,
        "most_per_minute": channel.most_per_minute,
        **channel.settings,
        "entered": entered_secrets or None,
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
