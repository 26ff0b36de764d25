"""What the file holds: rules, maintenance windows, channels and helpdesks, with names for ids. No
secrets."""

from __future__ import annotations

from typing import Any, Literal

import msgspec
from msgspec import Struct
from sqlalchemy import select

from portal.channels import KINDS
from portal.clock import utc_now
from portal.db import db
from portal.errors import InvalidInput
from portal.helpdesks import KINDS as HELPDESKS
from portal.models import Channel, Helpdesk, MaintenanceWindow
from portal.services.audit.exports import record_export
from portal.services.rules.file.names import Names
from portal.services.rules.file.reading import read_yaml, write_yaml
from portal.services.rules.file.settings import list_settings
from portal.services.rules.listing import query_rules
from portal.services.windows.loading import select_ahead

COMMENT = "Alert rules, maintenance windows, channels and helpdesks. Secrets are not in it."


class _Part(Struct, forbid_unknown_fields=True, kw_only=True):
    name: str


class RulePart(_Part, kw_only=True):
    switched_on: bool = False
    go_on: bool = False
    conditions: dict[str, Any] = {}
    steps: dict[str, Any] = {}


class WindowPart(_Part, kw_only=True):
    zone: str
    starts: str
    minutes: int
    repeats: dict[str, Any] = {}
    scope: dict[str, Any] = {}


class ChannelPart(_Part, kw_only=True):
    kind: str
    active: bool = True
    most_per_minute: int = 10
    settings: dict[str, str | bool] = {}
    templates: dict[str, str] = {}


class HelpdeskPart(_Part, kw_only=True):
    kind: str
    settings: dict[str, str | bool] = {}


class Content(Struct, forbid_unknown_fields=True):
    format: Literal[1] = 1
    channels: list[ChannelPart] = []
    helpdesks: list[HelpdeskPart] = []
    rules: list[RulePart] = []
    windows: list[WindowPart] = []


def read_content(file: bytes) -> Content:
    """Raises InvalidInput, which says where."""
    found = read_yaml(file)
    try:
        return msgspec.convert(found, Content)
    except msgspec.ValidationError as error:
        problem, _, path = str(error).partition(" - at `$")
        where = f" (at {path.rstrip('`').lstrip('.')})" if path else ""
        raise InvalidInput(f"The file cannot be used: {problem}{where}.", field="file") from None


def write_content() -> str:
    """Of the scope's tenant: all rules, channels and helpdesks, and the windows that are not over.
    That it leaves the portal is recorded."""
    record_export("rules", "yaml", {})
    names = Names()
    windows = db.session.scalars(select_ahead(utc_now())).all()
    channels = db.session.scalars(select(Channel).order_by(Channel.id)).all()
    helpdesks = db.session.scalars(select(Helpdesk).order_by(Helpdesk.id)).all()
    content = Content(
        channels=[_write_channel(row) for row in channels],
        helpdesks=[_write_helpdesk(row) for row in helpdesks],
        rules=[
            RulePart(
                name=rule.name,
                switched_on=rule.switched_on_at is not None,
                go_on=rule.go_on,
                conditions=names.to_names(rule.conditions),
                steps=names.to_names(rule.steps),
            )
            for rule in query_rules()
        ],
        windows=[_write_window(row, names) for row in windows],
    )
    return write_yaml(msgspec.to_builtins(content), COMMENT)


def _write_window(row: MaintenanceWindow, names: Names) -> WindowPart:
    return WindowPart(
        name=row.name,
        zone=row.zone,
        starts=row.starts,
        minutes=row.minutes,
        repeats=row.repeats,
        scope=names.to_names(row.scope),
    )


def _write_channel(row: Channel) -> ChannelPart:
    return ChannelPart(
        name=row.name,
        kind=row.kind,
        active=row.active,
        most_per_minute=row.most_per_minute,
        settings=list_settings(KINDS.get(row.kind), row.settings),
        templates=row.templates,
    )


def _write_helpdesk(row: Helpdesk) -> HelpdeskPart:
    settings = list_settings(HELPDESKS.get(row.kind), row.settings)
    return HelpdeskPart(name=row.name, kind=row.kind, settings=settings)
