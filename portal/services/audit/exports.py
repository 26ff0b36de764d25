"""Lists that leave the portal as files."""

from __future__ import annotations

from portal.db import transaction
from portal.services.audit.actions import Action
from portal.services.audit.record import Target, record
from portal.services.audit.values import Values


def record_export(name: str, form: str, filters: Values) -> None:
    """Before the first line is sent: what cannot be recorded is not exported."""
    with transaction():
        after = {"format": form, "filters": dict(filters)}
        record(Action.LIST_EXPORTED, Target("list", "", name), after=after)
