"""Far sides that are told of alerts: a folder for each kind. Knows no tables and no pages."""

from __future__ import annotations

from collections.abc import Mapping

from portal.channels import discord, http, mail, ntfy, slack, teams
from portal.channels.kind import (
    ChannelKind,
    Outcome,
    Result,
    find_missing,
)
from portal.channels.telling import URGENCIES, AlertFacts, Group, Telling

_IN_ORDER: tuple[ChannelKind, ...] = (
    *(mail.KIND, teams.KIND, slack.KIND, discord.KIND),
    *(ntfy.KIND, http.KIND),
)
KINDS: Mapping[str, ChannelKind] = {kind.name: kind for kind in _IN_ORDER}
"""In the order in which they are offered."""

__all__ = [
    "KINDS",
    "URGENCIES",
    "AlertFacts",
    "ChannelKind",
    "Group",
    "Outcome",
    "Result",
    "Telling",
    "find_missing",
]
