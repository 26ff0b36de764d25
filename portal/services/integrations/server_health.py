"""Whether the connected server answers: noted after each contact, asked before scheduled work."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Final

from sqlalchemy import ColumnElement, ScalarSelect, and_, func, or_, select, update
from sqlalchemy.orm import Session

from portal.clock import utc_now
from portal.db import changed_one, count_changed, db, transaction
from portal.errors import PortalError
from portal.models import Integration, Schedule
from portal.models.integrations.integration import IntegrationState, Stop
from portal.models.runs.sync_run import SyncKind
from portal.services.integrations.breaker import (
    CLOSED,
    Breaker,
    after_failure,
    begin_try,
    find_stop,
    is_of_server,
)
from portal.services.integrations.preview_due import goes_on

ASKING: Final = (*SyncKind, "keep_alive")
"""The kinds of scheduled work that ask the server; the others look after our own tables."""


@dataclass(frozen=True, slots=True)
class Outage:
    """Why scheduled work waits, for people."""

    stop: Stop | None
    """None: the server does not answer."""
    since: datetime | None
    next_try_at: datetime | None
    """None: nothing is tried by itself."""
    is_due: bool
    """The next try is due, and waits for the scheduler alone."""


def is_answering() -> ColumnElement[bool]:
    """In SQL: whether an integration's server answers, as far as is known."""
    return and_(Integration.stopped_for.is_(None), Integration.breaker_until.is_(None))


def may_try() -> ColumnElement[bool]:
    """In SQL: whether scheduled work may ask an integration's server now. With an open breaker it
    must `claim_try` too."""
    is_over = or_(Integration.breaker_until.is_(None), Integration.breaker_until <= utc_now())
    return and_(Integration.stopped_for.is_(None), is_over)


def claim_try(session: Session, integration_id: int, breaker: Breaker) -> bool:
    """Whether scheduled work may ask: with an open breaker, one piece of it for each pause.

    `breaker` is as it was read.
    """
    if not breaker.is_open:
        return True
    tried = begin_try(breaker, utc_now())
    return changed_one(
        session,
        update(Integration)
        .where(Integration.id == integration_id, Integration.breaker_until == breaker.until)
        .values(failures_in_row=tried.failures, breaker_until=tried.until),
    )


def note_contact(integration_id: int, error: PortalError | None, agents: int | None = None) -> None:
    """After work with the server; None when it went well. Not for a fault of one record alone.

    The status panel shows the error. `agents` is how many a read of the whole fleet found, if it
    was one: the next tick fits the interval of sweeps to it.
    """
    with transaction() as session:
        integration = lock_integration(session, integration_id)
        if error is None:
            clear(integration)
        else:
            integration.last_error, integration.last_error_at = error.message, utc_now()
            if is_of_server(error):
                _set_breaker(integration, after_failure(read_breaker(integration), utc_now()))
        if agents is not None:
            integration.found_agents = agents


def note_certificate(integration_id: int, ends_at: datetime | None) -> None:
    """After an answer over a connection whose certificate is valid until then; None without TLS."""
    with transaction() as session:
        which = update(Integration).where(Integration.id == integration_id)
        count_changed(session, which.values(certificate_ends_at=ends_at))


def note_refusal(integration: Integration, error: PortalError) -> None:
    """Tactical refused the credentials that the integration has: nothing is tried by itself."""
    stop = find_stop(error)
    if stop is None or integration.state is not IntegrationState.ACTIVE:
        return
    integration.stopped_for, integration.stopped_at = stop, utc_now()
    integration.last_error, integration.last_error_at = error.message, utc_now()


def clear(integration: Integration) -> None:
    """It answers, and takes the credentials."""
    integration.last_error = integration.last_error_at = None
    resume(integration)


def resume(integration: Integration) -> None:
    """Let scheduled work try again: a person did something about it."""
    integration.stopped_for = integration.stopped_at = None
    _set_breaker(integration, CLOSED)


def has_failed(integration: Integration) -> bool:
    """Whether the last contact failed, so that a success changes something."""
    return integration.failures_in_row > 0 or integration.stopped_for is not None


def read_breaker(integration: Integration) -> Breaker:
    return Breaker(
        integration.failures_in_row, integration.failing_since, integration.breaker_until
    )


def find_outage(integration: Integration | None) -> Outage | None:
    """None while nothing waits."""
    if integration is None or integration.breaker_until is None:
        return to_outage(integration, None)
    return to_outage(integration, db.session.scalar(select(due_asking())))


def to_outage(integration: Integration | None, due: datetime | None) -> Outage | None:
    """`find_outage`, of an integration whose `due_asking` is known."""
    if integration is None or integration.state is not IntegrationState.ACTIVE:
        return None
    if integration.stopped_for is not None:
        return Outage(integration.stopped_for, integration.stopped_at, None, is_due=False)
    if integration.breaker_until is None:
        return None
    # When the pause is over, there must be something to do, too.
    next_try_at = None if due is None else max(due, integration.breaker_until)
    is_due = next_try_at is not None and next_try_at <= utc_now()
    return Outage(None, integration.failing_since, next_try_at, is_due)


def due_asking() -> ScalarSelect[datetime]:
    """When the next scheduled work is due that asks the connected server, in SQL."""
    return (
        select(func.min(Schedule.next_due_at))
        .join(Integration, Integration.id == Schedule.integration_id)
        .where(Integration.set_aside_at.is_(None), Schedule.kind.in_(ASKING), goes_on())
        .scalar_subquery()
    )


def lock_integration(session: Session, integration_id: int) -> Integration:
    """As it is now: two that fail at once both count."""
    return session.get_one(
        Integration, integration_id, with_for_update={"key_share": True}, populate_existing=True
    )


def _set_breaker(integration: Integration, breaker: Breaker) -> None:
    integration.failures_in_row, integration.failing_since = breaker.failures, breaker.since
    integration.breaker_until = breaker.until
