"""Errands: what a person asks for in the browser, and a worker does at somebody else's server.

No request waits for a foreign server. What was asked for is a row, which the page shows as
pending and then with its outcome; it outlives a lost job, a lost Redis and a killed worker.
"""

from __future__ import annotations

import json
from collections.abc import Collection
from datetime import timedelta
from typing import Any

from sqlalchemy import delete, func, select
from sqlalchemy.orm import Session

from portal import queue
from portal.clock import utc_now
from portal.db import db, transaction
from portal.errors import NotFound, PortalError
from portal.models import Alert, Errand, Tenant
from portal.models.alerts.alert import AlertStatus
from portal.models.errands.errand import ErrandKind
from portal.scope import beyond_clients, get_tenant_id
from portal.services import leases
from portal.services.alerts.results import AlertAction
from portal.services.audit.actions import Action
from portal.services.audit.record import Target, record
from portal.services.audit.values import gathered

MOST_UNFINISHED = 20
"""Of one tenant: what a team presses, and no more than a worker is through with in minutes."""
KEPT_ERRANDS = 100
_OF_ALERTS = {
    AlertAction.RESOLVE: (Action.ALERTS_RESOLVED, AlertStatus.RESOLVED),
    AlertAction.SNOOZE: (Action.ALERTS_SNOOZED, AlertStatus.SNOOZED),
    AlertAction.UNSNOOZE: (Action.ALERTS_UNSNOOZED, AlertStatus.ACTIVE),
}
"""What is recorded, and what the alerts are to be."""
_OF_ONE_PRESS = {"undo": None, "at": None}
"""Each press has its moment, and makes an offer of its own to take it back."""
LOST_AFTER = timedelta(minutes=30)
"""Longer than the errands of a tenant take, one after the other."""


class TooManyWaiting(PortalError):
    """So much waits already that no more is taken."""

    def __init__(self) -> None:
        super().__init__(
            f"{MOST_UNFINISHED} requests to other servers are already waiting, which "
            "is the most allowed. Wait until some of them are done, then try again."
        )


def request_errand(kind: ErrandKind, title: str, wanted: dict[str, Any]) -> Errand:
    """An errand that a worker will do. Raises TooManyWaiting."""
    with transaction() as session, beyond_clients():  # the limit of waiting ones is everybody's
        errand = add_errand(session, kind, title, wanted)
    enqueue_errand(errand)
    return errand


def add_errand(session: Session, kind: ErrandKind, title: str, wanted: dict[str, Any]) -> Errand:
    """As `request_errand`, in the caller's transaction, after which it is to be enqueued.

    Asked for twice, it is done once: one that is not finished is answered again.
    """
    wanted = json.loads(json.dumps(wanted))  # as it is read again, to be compared
    # One at a time, or many at once would pass the limit.
    session.get_one(Tenant, get_tenant_id(), with_for_update={"key_share": True})
    unfinished = session.scalars(select(Errand).where(Errand.ok.is_(None))).all()
    for errand in unfinished:
        if errand.kind == kind and errand.wanted | _OF_ONE_PRESS == wanted | _OF_ONE_PRESS:
            return errand
    if len(unfinished) >= MOST_UNFINISHED:
        raise TooManyWaiting
    errand = Errand(kind=kind, title=title, wanted=wanted)
    session.add(errand)
    session.flush()
    _record(session, errand)
    _prune(session)
    return errand


def enqueue_errand(errand: Errand) -> None:
    """After the commit. Without Redis it waits for a tick of the schedule."""
    queue.enqueue("do_errand", errand.tenant_id, errand.id)


def get_errand(errand_id: int) -> Errand:
    found = list_errands([errand_id])
    if not found:
        raise NotFound("This request no longer exists.")
    return found[0]


def list_errands(ids: Collection[int]) -> list[Errand]:
    """In the order in which they were asked for; what is not there is left out."""
    query = select(Errand).where(Errand.id.in_(ids)).order_by(Errand.id)
    return list(db.session.scalars(query.execution_options(populate_existing=True)))


def free_lost_errands() -> None:
    """Let another worker begin the errands whose worker died; end those that nobody came for."""
    last_touched = func.coalesce(Errand.heartbeat_at, Errand.asked_at)
    leases.free_lost(
        Errand,
        Errand.lease.is_(None) & (last_touched < utc_now() - LOST_AFTER),
        "The request was interrupted and may be partly done. Check before you try again.",
    )


def _record(session: Session, errand: Errand) -> None:
    """What is asked for here alone; the rest is recorded by who asks for it, or does it."""
    wanted = errand.wanted
    if errand.kind is ErrandKind.ACT_ON_ALERTS and wanted["deed"] in _OF_ALERTS:
        ids = wanted["alert_ids"]
        about = Target("alert", ids[0] if len(ids) == 1 else "", errand.title)
        rows = session.execute(select(Alert.id, Alert.status).where(Alert.id.in_(ids)))
        before = gathered((row.id, {"status": str(row.status)}) for row in rows)
        action, status = _OF_ALERTS[AlertAction(wanted["deed"])]
        after = {"alert_ids": ids, "status": str(status), "days": wanted["days"]}
        record(action, about, before, after)
    elif errand.kind is ErrandKind.PLAN_WEBHOOK:
        record(Action.WEBHOOK_PLANNED, Target("webhook"), after=wanted)


def _prune(session: Session) -> None:
    kept = select(Errand.id).order_by(Errand.id.desc()).limit(KEPT_ERRANDS)
    session.execute(
        delete(Errand)
        .where(Errand.ok.is_not(None), Errand.id.not_in(kept))
        .execution_options(synchronize_session=False)
    )
