"""Far sides that are told of alerts: a folder for each kind. Knows no tables and no pages."""

from __future__ import annotations

from collections.abc import Mapping

from portal.channels import http
from portal.channels.kind import ChannelKind, Field, Outcome, Rejected, Result
from portal.channels.telling import URGENCIES, AlertFacts, Group, Telling

KINDS: Mapping[str, ChannelKind] = {kind.name: kind for kind in (http.KIND,)}
"""In the order in which they are offered."""

__all__ = [
    "KINDS",
    "URGENCIES",
    "AlertFacts",
    "ChannelKind",
    "Field",
    "Group",
    "Outcome",
    "Rejected",
    "Result",
    "Telling",
]
