"""Stopping what takes long, on the wish of a person: it ends with the portion that it is at.

The wish is kept in the errand's row, so that it is heard of also by whoever goes on after a worker
that died.
"""

from __future__ import annotations

from typing import Final

from sqlalchemy import select
from sqlalchemy.orm import Session

from portal.clock import utc_now
from portal.db import transaction
from portal.errors import NotFound, Refused
from portal.models import Errand
from portal.models.errands.errand import ErrandKind
from portal.scope import beyond_clients
from portal.services.alerts import portions
from portal.services.audit.actions import Action
from portal.services.audit.actor import current_actor
from portal.services.audit.record import Target, record
from portal.services.undo.offers import renew_offer

STOPPED: Final = "stopped"
"""The fault of an errand that was."""
ENDED = "It had ended already, so there was nothing to stop."
STOPPING = "It is being stopped already: it ends with the alerts that it is at."
TOO_SHORT = "This cannot be stopped: it is done in one go, which takes some seconds."


def can_stop(errand: Errand) -> bool:
    """Whether it is done in portions, and is not over."""
    if errand.ok is not None or errand.kind is not ErrandKind.ACT_ON_ALERTS:
        return False
    return len(errand.wanted["alert_ids"]) > portions.PORTION


def stop_errand(errand_id: int) -> None:
    """What waits for a worker ends at once. Raises NotFound, and Refused for what is over, is being
    stopped already, or is too short."""
    with transaction() as session, beyond_clients():  # who may see it is asked before
        errand = _hold(session, errand_id)
        if errand.ok is not None:
            raise Refused(ENDED)
        if errand.stopped_by is not None:
            raise Refused(STOPPING)
        if not can_stop(errand):
            raise Refused(TOO_SHORT)
        progress = portions.Progress.read(errand.wanted, errand.result)
        about = Target("request", errand.id, errand.title)
        after = {"reached": progress.reached, "total": progress.total}
        record(Action.REQUEST_STOPPED, about, after=after)
        errand.stopped_by = current_actor().name
        # What a worker died over may be done in part: whoever goes on with it looks.
        waits = errand.lease is None and errand.fencing_number == 0
        if waits:
            end_stopped(errand)
    if waits:
        renew_offer(errand.wanted["undo"])


def end_stopped(errand: Errand) -> None:
    """With what is done so far, in the caller's transaction."""
    progress = portions.Progress.read(errand.wanted, errand.result)
    errand.ok, errand.fault, errand.finished_at = False, STOPPED, utc_now()
    errand.message = progress.summary_when_stopped


def _hold(session: Session, errand_id: int) -> Errand:
    query = select(Errand).where(Errand.id == errand_id).with_for_update()
    errand = session.scalar(query.execution_options(populate_existing=True))
    if errand is None:
        raise NotFound("This request no longer exists.")
    return errand
