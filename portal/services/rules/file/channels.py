"""Channels of a file.

Their secrets are not in it. So a channel that is here already keeps its settings: with another
host among them, a stored password would be shown to whoever wrote the file.
"""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from portal.channels import KINDS, ChannelKind
from portal.channels.templating import VALUES
from portal.errors import InvalidInput
from portal.far_side.form import Rejected
from portal.far_side.templating import BadTemplate, check_template
from portal.models import Channel
from portal.services.audit.values import differing
from portal.services.channels.changing import FASTEST
from portal.services.far_sides import read_secrets
from portal.services.rules.file.content import ChannelPart
from portal.services.rules.file.outcome import Line, changed
from portal.services.rules.file.settings import check_settings, fill_up, find_missing, refuse
from portal.services.text import clean_line


def import_channel(session: Session, part: ChannelPart) -> Line:
    """A new one is switched off until its secrets are entered. Raises InvalidInput."""
    name = clean_line(part.name, "file", "a name for the channel")
    kind = KINDS.get(part.kind)
    if kind is None:
        raise InvalidInput(f"There is no kind of channel “{part.kind}”.", field="file")
    _check(kind, part)
    channel = session.scalar(select(Channel).where(func.lower(Channel.name) == name.lower()))
    values: dict[str, Any] = {
        "templates": part.templates,
        "most_per_minute": part.most_per_minute,
    }
    _check_as_form(kind, part, channel)
    if channel is None:
        new = Channel(kind=part.kind, name=name, active=False, settings=part.settings, **values)
        session.add(new)
        notes = ("switched off until you enter its secrets",)
        facts = {"kind": part.kind, "most_per_minute": part.most_per_minute, "active": False}
        return Line("channel", name, "added", notes, after=facts)
    if channel.kind != part.kind:
        raise InvalidInput(f"It is of the kind {channel.kind} here.", field="file")
    was, becomes = differing({each: getattr(channel, each) for each in values}, values)
    for field, value in becomes.items():
        setattr(channel, field, value)
    line = changed("channel", name, was, becomes)
    if any(channel.settings.get(field) != value for field, value in part.settings.items()):
        return replace(line, notes=(*line.notes, "its settings stay: change them on its page"))
    return line


def _check_as_form(kind: ChannelKind, part: ChannelPart, channel: Channel | None) -> None:
    """What the kind itself asks for, of what the file holds: settings of a new channel, templates
    of each. Secrets are asked for by the form."""
    given = part.settings if channel is None else channel.settings
    settings = fill_up(kind, given)
    secrets = read_secrets(channel, kind.fields) if channel else {}
    problems = find_missing(kind, settings)
    if not problems:
        try:
            kind.check(settings, secrets, part.templates)
        except Rejected as error:
            problems = dict(error.problems)
    own = kind.parts if channel else {*settings, *kind.parts}
    refuse({name: problem for name, problem in problems.items() if name in own})


def _check(kind: ChannelKind, part: ChannelPart) -> None:
    check_settings(kind, part.settings)
    for name, source in part.templates.items():
        if name not in kind.parts:
            raise InvalidInput(f"Messages of {kind.label} have no part “{name}”.", field="file")
        try:
            check_template(source, VALUES)
        except BadTemplate as error:
            raise InvalidInput(f"The template “{name}” cannot be used: {error}", "file") from None
    if not 1 <= part.most_per_minute <= FASTEST:
        raise InvalidInput(f"“most_per_minute” must be from 1 to {FASTEST}.", field="file")
