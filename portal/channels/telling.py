"""What a far side is told: plain facts, of alerts or of the portal itself."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

URGENCIES = ("low", "normal", "high", "critical")


@dataclass(frozen=True, slots=True, kw_only=True)
class AlertFacts:
    """One occurrence of an alert. What is not known is an empty string."""

    hostname: str = ""
    client: str = ""
    """The MSP's customer; of an unmapped organization its name in Tactical."""
    site: str = ""
    severity: str = "error"
    """`info`, `warning` or `error`."""
    kind: str = "custom"
    """`availability`, `check`, `task` or `custom`."""
    message: str = ""
    check: str = ""
    """The name of the check or the task."""
    system: str = ""
    """The operating system."""
    asset_type: str = ""
    """`server`, `workstation`, …"""
    began: datetime
    over: datetime | None = None
    """When it was resolved; None while it is active."""
    occurrence: int = 1
    urgency: str = "normal"
    """One of URGENCIES."""
    rule: str = ""
    """The name of the rule that decided."""
    url: str = ""
    """The alert's page in the portal."""
    acknowledge_url: str = ""
    """The signed link to a page with a button; empty when there is nothing to acknowledge."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Group:
    """Alerts of one client that are told together."""

    client: str
    alerts: int
    types: Mapping[str, int] = field(default_factory=dict)
    """Asset type -> how many of the alerts are of such assets."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Telling:
    """One message to one far side.

    About one alert: `alerts` holds it. Many at once: `groups` counts them all by client, and
    `alerts` holds those that are worth a line of their own, first of all the most urgent ones.
    Anything else (a notice of the portal's, a test): `title` and `text`, and no alerts.
    """

    key: str
    """The same at each attempt, another for each message: for far sides that know doubles by it."""
    reason: str
    """A word of `models.channels.MessageReason`, or `test`."""
    alerts: Sequence[AlertFacts] = ()
    groups: Sequence[Group] = ()
    title: str = ""
    text: str = ""
    url: str = ""
    """Of a notice: the page where something can be done about it."""
    links: Sequence[tuple[str, str]] = field(default=(), repr=False)
    """Label and address of what the person whom it is for can open, where it is about no alert.
    Secrets: only kinds that send to `recipient` are given any."""
    may_be_double: bool = False
    """An earlier attempt may have arrived, and the text says so."""
    thread: Mapping[str, Any] = field(default_factory=dict)
    """What the outcome of the first message of the same occurrence gave."""
    recipient: str | None = None
    """An address of its own, such as a person's; None: whom the channel's settings name."""
    templates: Mapping[str, str] = field(default_factory=dict)
    """The channel's own wording, by part; see `templating`."""
    sender: str = ""
    """The tenant's name."""
