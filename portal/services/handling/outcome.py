"""What deciding about one occurrence of an alert comes to, before it is written."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from portal.models import AlertHandling
from portal.models.alerts.handling import HandlingState
from portal.models.alerts.timeline import TimelineKind
from portal.models.channels.message import MessageReason
from portal.models.events.event import EventType
from portal.services.tickets.ordering import TicketOrder
from portal.sync.alerts.timeline import Entry

Step = dict[str, Any]
"""One of a handling's plan: `do`, `at` as a time in text, and what `do` needs."""


@dataclass(slots=True)
class Outcome:
    """`values`: new columns of the handling. `dropped`: ids of messages that need not be sent any
    more, with the reason. `event`: its type, and what it says beside the alert. `tickets`: those
    that are to be opened, or on which it is to hang."""

    handling: AlertHandling
    values: dict[str, Any] = field(default_factory=dict)
    entries: list[Entry] = field(default_factory=list)
    messages: list[dict[str, Any]] = field(default_factory=list)
    dropped: dict[int, str] = field(default_factory=dict)
    event: tuple[EventType, dict[str, Any]] | None = None
    tickets: list[TicketOrder] = field(default_factory=list)

    def tell(self, kind: TimelineKind, text: str, **details: Any) -> None:
        details = {"handling_id": self.handling.id} | details
        self.entries.append(Entry(self.handling.alert_id, kind, text, details))

    def be_silent(self, reason: str, **values: Any) -> None:
        """Nobody is told, for good."""
        self.values |= {"state": HandlingState.SILENT, "reason": reason, "plan": [], "due_at": None}
        self.values |= values
        if reason == self.handling.reason:
            return  # it was said before
        self.tell(TimelineKind.SILENT, f"Nobody is told: {reason}")

    def send(
        self,
        channel_ids: Iterable[int],
        reason: MessageReason,
        facts: dict[str, Any],
        which: str = "",
    ) -> None:
        """A message for each channel; `which` tells those of one reason apart."""
        again = f":again{self.handling.reopened}" if self.handling.reopened else ""
        for channel_id in channel_ids:
            self.messages.append(
                {
                    "channel_id": channel_id,
                    "handling_id": self.handling.id,
                    "key": f"h{self.handling.id}:{reason}{which}{again}:c{channel_id}",
                    "reason": reason,
                    "facts": facts,
                }
            )

    def plan(self, steps: list[Step]) -> None:
        """What is still to come, and when to look again."""
        times = [datetime.fromisoformat(step["at"]) for step in steps]
        self.values |= {"plan": steps, "due_at": min(times, default=None)}
