"""What people take charge of, and how it is written down: in the timeline, as events, in the audit
trail."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from sqlalchemy.orm import Session

from portal.errors import Refused
from portal.events.outbox import record_events
from portal.models import Alert
from portal.models.alerts.timeline import TimelineKind
from portal.models.events.event import EventType
from portal.models.undo.offer import UndoKind
from portal.services.alerts.occurrences import Occurrence
from portal.services.alerts.results import Failure
from portal.services.audit.actions import Action
from portal.services.audit.actor import Actor
from portal.services.audit.record import Target, record
from portal.services.audit.values import Values, gathered
from portal.services.undo.offers import CHANGED_SINCE, offer_undo
from portal.sync.alerts.alert_events import EVENT_COLUMNS, describe_alert
from portal.sync.alerts.timeline import Entry, add_entries
from portal.wording import plural


@dataclass(frozen=True, slots=True)
class Taken:
    """What was changed, and why the others were left as they are."""

    verb: str
    done: Sequence[Occurrence]
    failures: list[Failure]
    change: dict[str, Any] = field(default_factory=dict)
    """What the way back needs to know, beside the ids of the alerts."""
    undo: int | None = None
    """The number of the offer to take it back."""

    @property
    def ids(self) -> list[int]:
        return [each.alert.id for each in self.done]

    @property
    def summary(self) -> str:
        """`3 alerts acknowledged, 1 left as it is.`"""
        parts = [f"{plural(len(self.done), 'alert')} {self.verb}"]
        if self.failures:
            rest = "1 left as it is" if len(self.failures) == 1 else "{} left as they are"
            parts.append(rest.format(len(self.failures)))
        return ", ".join(parts) + "."


@dataclass(frozen=True, slots=True)
class Deed:
    """What was done to each, in the forms in which it is kept. `text` is a sentence for people."""

    kind: TimelineKind
    text: str
    action: Action | None
    """None for what the clock does: nobody has to answer for it."""
    values: dict[str, Any] = field(default_factory=dict)
    """For the audit trail and subscribers: what it changed."""
    event: EventType | None = None
    actor: Actor | None = None
    before: Sequence[Values] = ()
    """For the audit trail: what it changed, as it was, of each in its order."""


def offered(taken: Taken, kind: UndoKind) -> Taken:
    """After the transaction: with an offer to take it back, if anything was done."""
    if not taken.done:
        return taken
    return replace(taken, undo=offer_undo(kind, {"alert_ids": taken.ids} | taken.change))


def check_unchanged(done: Sequence[Occurrence]) -> None:
    """Raises Refused where nothing is left of what was to be taken back."""
    if not done:
        raise Refused(CHANGED_SINCE)


def part(
    held: Sequence[Occurrence], find_obstacle: Callable[[Occurrence], str | None]
) -> tuple[list[Occurrence], list[Failure]]:
    """Those that it can be done to, and the others with the reason."""
    reasons = [find_obstacle(each) for each in held]
    pairs = list(zip(held, reasons, strict=True))
    failures = [
        Failure(each.alert.id, name_alert(each.alert), reason) for each, reason in pairs if reason
    ]
    return [each for each, reason in pairs if reason is None], failures


def write_down(session: Session, done: Sequence[Occurrence], deed: Deed) -> None:
    """Inside the transaction of the change."""
    if not done:
        return
    ids = [each.alert.id for each in done]
    add_entries(session, [Entry(alert_id, deed.kind, deed.text) for alert_id in ids])
    if deed.event is not None:
        kind, values = deed.event, deed.values
        events = [(kind, name_alert(each.alert), _describe(each) | values) for each in done]
        record_events(session, events)
    if deed.action is None:
        return
    name = name_alert(done[0].alert) if len(done) == 1 else plural(len(done), "alert")
    about = Target("alert", ids[0] if len(ids) == 1 else "", name)
    before = gathered(zip(ids, deed.before, strict=True))
    record(deed.action, about, before, {"alert_ids": ids} | deed.values, actor=deed.actor)


def _describe(occurrence: Occurrence) -> dict[str, Any]:
    alert = occurrence.alert
    values = {name: getattr(alert, name) for name in EVENT_COLUMNS}
    return describe_alert(values, alert.confirmed_at is not None)


def name_alert(alert: Alert) -> str:
    """As events and the audit trail call it."""
    return alert.hostname or alert.agent_id or f"Alert {alert.external_alert_id or alert.id}"
