"""News of alerts: that one has become active or is over, whichever way it came.

In the transaction that writes the alerts: events, what is to be done about each (a handling), and
the first lines of the timeline.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import case, select, update
from sqlalchemy.orm import Session

from portal.clock import utc_now
from portal.db import upsert
from portal.models import Alert, AlertHandling, TicketAlert, TimelineEntry
from portal.models.alerts.alert import AlertStatus
from portal.models.alerts.handling import HandlingState
from portal.models.alerts.timeline import TimelineKind
from portal.scope import get_tenant_id
from portal.sync.alerts.alert_events import is_open, record_alert_events, tells_overdue
from portal.sync.alerts.links import find_replaced
from portal.sync.alerts.timeline import Entry, add_entries

BY_HINT = "A webhook reported it. Tactical has not confirmed it yet."
BY_WEBHOOK = "A webhook reported it."
BY_LIST = "It stood in Tactical's list of alerts."
CONFIRMED = "Tactical's own record confirms it."
RESOLVED = "Tactical says that it is resolved."
GONE = "Tactical no longer has it, so it counts as resolved."
OVER_AT_FIRST = "It was already resolved when the portal first read it."
TOO_OLD = "It began before the portal acted on alerts."
UNIQUE = ("alert_id", "occurrence")
"""One handling for each occurrence."""
SUPERSEDED = "It says that an agent is overdue whose computer has another agent by now."


@dataclass(frozen=True, slots=True)
class News:
    """`values`: the alert's columns, those of the events, `condition` and `occurrences` among
    them, after the change. `text` says how it became known."""

    alert_id: int
    values: Mapping[str, Any]
    text: str
    is_first: bool
    """Whether the alert was not known before."""


def tell_news(session: Session, integration_id: int, news: Sequence[News], confirmed: bool) -> None:
    """Of alerts that have just become active or are over. `confirmed`: Tactical's own record
    was read."""
    if not news:
        return
    overdue = {each.values["agent_id"] for each in news if tells_overdue(each.values)}
    replaced = find_replaced(session, integration_id, overdue)
    record_alert_events(session, [each.values for each in news], confirmed, replaced)
    opened = [each for each in news if is_open(each.values)]
    over = [each for each in news if not is_open(each.values)]
    taken: set[int] = set()
    if opened:
        if confirmed:
            taken = _take_over_nameless(session, integration_id, opened)
        _open(session, opened, replaced)
    if over:
        _close(session, over)
    entries = [entry for each in news for entry in _describe(each, confirmed, taken, replaced)]
    add_entries(session, entries)


def tell_confirmed(session: Session, alert_ids: Collection[int]) -> None:
    """What only a webhook had said of these alerts is Tactical's word by now."""
    add_entries(session, [Entry(each, TimelineKind.CONFIRMED, CONFIRMED) for each in alert_ids])


def _describe(
    news: News, confirmed: bool, taken: Collection[int], replaced: Collection[str]
) -> list[Entry]:
    if not is_open(news.values):
        return [Entry(news.alert_id, TimelineKind.RESOLVED, news.text)]
    entries = []
    if news.alert_id not in taken:
        text = news.text
        if news.values["occurrences"] > 1:
            text = f"It became active again. {text}"
        entries.append(Entry(news.alert_id, TimelineKind.RECEIVED, text))
    if confirmed and news.is_first:
        entries.append(Entry(news.alert_id, TimelineKind.CONFIRMED, CONFIRMED))
    if _is_superseded(news, replaced):
        text = f"Nobody is told: {SUPERSEDED}"
        entries.append(Entry(news.alert_id, TimelineKind.SILENT, text))
    return entries


def _open(session: Session, opened: Sequence[News], replaced: Collection[str]) -> None:
    """A handling for each that waits to be decided.

    One that is there and over was only said to be over: it is decided anew.
    """
    now, table = utc_now(), AlertHandling
    was_over = table.over_at.is_not(None)
    anew = {
        "over_at": None,
        "reopened": table.reopened + case((was_over, 1), else_=0),
        "state": case((was_over, HandlingState.UNDECIDED), else_=table.state),
    }
    statement = upsert(table, UNIQUE, updated=("due_at",), computed=anew)
    rows = []
    for each in opened:
        row = _row(each, HandlingState.UNDECIDED, None) | {"due_at": now}
        if _is_superseded(each, replaced):
            row |= {"state": HandlingState.SILENT, "reason": SUPERSEDED, "due_at": None}
        rows.append(row)
    session.execute(statement, rows)


def _close(session: Session, over: Sequence[News]) -> None:
    """Its handling ends; without one, nobody is told that it was there at all."""
    statement = upsert(AlertHandling, UNIQUE, updated=("over_at",), computed={"due_at": utc_now()})
    rows = [
        _row(each, HandlingState.SILENT, OVER_AT_FIRST if each.is_first else TOO_OLD)
        | {"over_at": each.values["resolved_at"] or utc_now(), "due_at": None}
        for each in over
    ]
    session.execute(statement, rows)


def _row(news: News, state: HandlingState, reason: str | None) -> dict[str, Any]:
    return {
        "tenant_id": get_tenant_id(),
        "alert_id": news.alert_id,
        "occurrence": news.values["occurrences"],
        "state": state,
        "reason": reason,
        "began_at": news.values["triggered_at"],
        "noticed_at": utc_now(),
    }


def _is_superseded(news: News, replaced: Collection[str]) -> bool:
    return tells_overdue(news.values) and news.values["agent_id"] in replaced


def _take_over_nameless(session: Session, integration_id: int, opened: Sequence[News]) -> set[int]:
    """Give what was done about alerts that a webhook reported without an id to the records that
    take their place, so that nobody is told twice; the ids of those records."""
    by_condition = {each.values["condition"]: each for each in opened}
    nameless = session.execute(
        select(
            *(Alert.condition, Alert.id, AlertHandling.id.label("handling_id")),
            *(Alert.snoozed_by, Alert.snoozed_until),
        )
        .join(AlertHandling, AlertHandling.alert_id == Alert.id)
        .where(
            Alert.integration_id == integration_id,
            Alert.external_alert_id.is_(None),
            Alert.condition.in_(by_condition),
            Alert.status != AlertStatus.RESOLVED,
            AlertHandling.over_at.is_(None),
        )
        .order_by(AlertHandling.id)
    ).all()
    taken: set[int] = set()
    for row in nameless:
        record = by_condition[row.condition]
        if record.alert_id not in taken and _hand_over(session, row.handling_id, record):
            moved = update(TimelineEntry).where(TimelineEntry.alert_id == row.id)
            session.execute(_quick(moved.values(alert_id=record.alert_id)))
            if row.snoozed_by is not None:
                _hand_over_snooze(session, row, record.alert_id)
            taken.add(record.alert_id)
    return taken


def _hand_over(session: Session, handling_id: int, record: News) -> bool:
    occurrence = record.values["occurrences"]
    of_record = (AlertHandling.alert_id == record.alert_id) & (
        AlertHandling.occurrence == occurrence
    )
    if session.scalar(select(AlertHandling.id).where(of_record)) is not None:
        return False
    its = {"alert_id": record.alert_id, "occurrence": occurrence}
    linked = update(TicketAlert).where(TicketAlert.handling_id == handling_id).values(its)
    session.execute(_quick(linked))
    its["began_at"] = record.values["triggered_at"]
    taken = update(AlertHandling).where(AlertHandling.id == handling_id).values(its)
    session.execute(_quick(taken))
    return True


def _hand_over_snooze(session: Session, nameless: Any, alert_id: int) -> None:
    """Unless Tactical itself keeps quiet about the record."""
    is_active = (Alert.id == alert_id) & (Alert.status == AlertStatus.ACTIVE)
    values = {"status": AlertStatus.SNOOZED, "snoozed_by": nameless.snoozed_by}
    values |= {"snoozed_until": nameless.snoozed_until}
    session.execute(_quick(update(Alert).where(is_active).values(values)))


def _quick(statement: Any) -> Any:
    return statement.execution_options(synchronize_session=False)
