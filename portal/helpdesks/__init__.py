"""Helpdesks in which tickets are opened: a folder for each kind. Knows no tables and no pages."""

from __future__ import annotations

from portal.helpdesks import http, mail, redmine, rt, zammad
from portal.helpdesks.kind import HelpdeskKind

_IN_ORDER: tuple[HelpdeskKind, ...] = (
    rt.KIND,
    redmine.KIND,
    zammad.KIND,
    http.KIND,
    mail.KIND,
)
KINDS: dict[str, HelpdeskKind] = {kind.name: kind for kind in _IN_ORDER}
"""In the order in which they are offered."""

__all__ = ["KINDS", "HelpdeskKind"]
