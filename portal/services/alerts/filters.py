"""Which alerts a list shows, and the same in SQL for what lists, counts and exports."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Any

from sqlalchemy import ColumnElement, false, or_, select, true, tuple_, union_all
from sqlalchemy.orm import InstrumentedAttribute, aliased

from portal.clock import FIRST_DAY, LAST_DAY, begin_of, utc_now
from portal.models import Alert, AlertHandling, Asset, Ticket, TicketAlert
from portal.models.alerts.alert import IS_PRESENT
from portal.models.alerts.handling import HandlingState
from portal.models.tickets.ticket import TicketStatus
from portal.services.alerts.belonging import is_of_organization
from portal.services.lists.search import find_named, folded_contains, split_words
from portal.services.tickets.filters import HAS_FAILED, IS_OF_PRESENT, STATES

AGES: dict[str, tuple[timedelta | None, timedelta | None]] = {
    "1h": (timedelta(hours=1), None),
    "24h": (timedelta(days=1), None),
    "7d": (timedelta(days=7), None),
    "30d": (timedelta(days=30), None),
    "over-1d": (None, timedelta(days=1)),
    "over-7d": (None, timedelta(days=7)),
}
"""Word of the filter -> at most this old, at least this old."""

UNACKNOWLEDGED = "unacknowledged"
HANDLED: dict[str, ColumnElement[bool]] = {
    "acknowledged": AlertHandling.acknowledged_at.is_not(None),
    "kept-back": AlertHandling.window_id.is_not(None),
    "told": AlertHandling.state == HandlingState.ACTED,
    "silent": AlertHandling.state.in_((HandlingState.SILENT, HandlingState.IGNORED)),
}
"""Word of the filter -> what holds of the handling; UNACKNOWLEDGED beside them."""

ANY_TICKET, UNTICKETED = "with", "without"
TICKETED: dict[str, ColumnElement[bool]] = {
    ANY_TICKET: true(),
    "unsure": STATES[TicketStatus.UNSURE],
    "failing": HAS_FAILED,
}
"""Word of the filter -> what holds of a ticket of the present occurrence; UNTICKETED beside."""


@dataclass(frozen=True, slots=True)
class AlertFilter:
    """What the list shows; an empty field does not filter. `sort` with a `-` is downwards."""

    search: str = ""
    status: str = ""
    severity: str = ""
    client_id: int | None = None
    asset_id: int | None = None
    age: str = ""
    handled: str = ""
    """A word of HANDLED."""
    assigned_to: int | None = None
    """The id of a membership."""
    rule_id: int | None = None
    window_id: int | None = None
    urgency: str = ""
    raised_on: date | None = None
    resolved_on: date | None = None
    """A day of the portal's machine on which any occurrence was."""
    ticket: str = ""
    """A word of TICKETED, or UNTICKETED."""
    sort: str = "-triggered"


def alert_conditions(shown: AlertFilter) -> list[ColumnElement[bool]]:
    """The filter in SQL, for what lists, counts and exports."""
    conditions: list[ColumnElement[bool]] = []
    equals: tuple[tuple[InstrumentedAttribute[Any], object], ...] = (
        (Alert.status, shown.status),
        (Alert.severity, shown.severity),
        (Alert.asset_id, shown.asset_id),
    )
    conditions.extend(column == value for column, value in equals if value not in ("", None))
    if shown.client_id is not None:
        conditions.append(_belongs_to(shown.client_id))
    newest, oldest = AGES.get(shown.age, (None, None))
    if newest is not None:
        conditions.append(Alert.triggered_at >= utc_now() - newest)
    if oldest is not None:
        conditions.append(Alert.triggered_at < utc_now() - oldest)
    conditions.extend(_list_handled(shown))
    conditions.extend(_on_day(AlertHandling.began_at, shown.raised_on))
    conditions.extend(_on_day(AlertHandling.over_at, shown.resolved_on))
    conditions.extend(_list_ticketed(shown.ticket))
    # Every word must be found somewhere, so that "print server" narrows.
    for word, named in find_named(Asset.id, split_words(shown.search)).items():
        conditions.append(or_(folded_contains(Alert.searched, word), Alert.asset_id.in_(named)))
    return conditions


def _list_handled(shown: AlertFilter) -> Iterator[ColumnElement[bool]]:
    """Of the present occurrence. Found from the handlings, of which few meet a condition."""
    equals: tuple[tuple[InstrumentedAttribute[Any], object], ...] = (
        (AlertHandling.assigned_to, shown.assigned_to),
        (AlertHandling.rule_id, shown.rule_id),
        (AlertHandling.window_id, shown.window_id),
        (AlertHandling.urgency, shown.urgency),
    )
    wanted = [column == value for column, value in equals if value not in ("", None)]
    if shown.handled in HANDLED:
        wanted.append(HANDLED[shown.handled])
    if wanted:
        found = select(AlertHandling.alert_id, AlertHandling.occurrence).where(*wanted)
        yield tuple_(Alert.id, Alert.occurrences).in_(found)
    if shown.handled == UNACKNOWLEDGED:
        yield is_unacknowledged()


def _on_day(moment: InstrumentedAttribute[Any], day: date | None) -> Iterator[ColumnElement[bool]]:
    """As the nightly counts have it: of any occurrence, found from the handlings."""
    if day is not None and not FIRST_DAY <= day <= LAST_DAY:
        yield false()
    elif day is not None:
        end = begin_of(day + timedelta(days=1))
        on_it = select(AlertHandling.alert_id).where(moment >= begin_of(day), moment < end)
        yield Alert.id.in_(on_it)


def _list_ticketed(word: str) -> Iterator[ColumnElement[bool]]:
    """Of alerts with or without one there are many, and each is looked at; of tickets that are not
    well there are few, and theirs are found from them."""
    linked = select(TicketAlert.alert_id, TicketAlert.occurrence)
    has_one = linked.where(IS_OF_PRESENT).exists()
    if word in (ANY_TICKET, UNTICKETED):
        yield has_one if word == ANY_TICKET else ~has_one
    elif word in TICKETED:
        found = linked.where(TicketAlert.ticket_id.in_(select(Ticket.id).where(TICKETED[word])))
        yield tuple_(Alert.id, Alert.occurrences).in_(found)


def is_unacknowledged() -> ColumnElement[bool]:
    """Also of an alert that the portal never handled."""
    acknowledged = select(AlertHandling.id).where(
        IS_PRESENT, AlertHandling.acknowledged_at.is_not(None)
    )
    return ~acknowledged.exists()


def _belongs_to(client_id: int) -> ColumnElement[bool]:
    """Asked for either way by itself: no index tells of alerts that one or the other holds for, and
    a database would look at all of them."""
    linked, unlinked = aliased(Alert), aliased(Alert)
    return Alert.id.in_(
        union_all(
            select(linked.id).where(_is_of_asset(linked, client_id)),
            select(unlinked.id).where(is_of_organization(unlinked, client_id)),
        )
    )


def _is_of_asset(alert: type[Alert], client_id: int) -> ColumnElement[bool]:
    return alert.asset_id.in_(select(Asset.id).where(Asset.client_id == client_id))
