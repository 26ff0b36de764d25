"""What the audit trail keeps of a connection: its settings, and which secrets it has."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from portal.models import Integration
from portal.services.audit.actions import Action
from portal.services.audit.record import Target, record
from portal.services.audit.values import differing
from portal.services.integrations.options import OPTIONS
from portal.vault import list_last_fours

_COLUMNS = ("base_url", "auth_mode", "username", *(option.name for option in OPTIONS))


def facts_of(integration: Integration) -> dict[str, Any]:
    """By name; each secret that is stored stands for itself by its name alone."""
    facts = {name: getattr(integration, name) for name in _COLUMNS}
    return facts | dict.fromkeys(list_last_fours(integration), True)


def record_saved(
    integration: Integration, before: dict[str, Any], entered: Iterable[str] = ()
) -> None:
    """What a save changed, if anything; `entered`: names of the secrets that it brought."""
    now = facts_of(integration)
    was, became = differing(before, dict.fromkeys(before) | now)
    for name in entered:
        was[name], became[name] = before.get(name), True
    if became:
        record(Action.CONNECTION_SAVED, target_of(integration), was, became)


def target_of(integration: Integration) -> Target:
    return Target("connection", integration.id, integration.base_url)
