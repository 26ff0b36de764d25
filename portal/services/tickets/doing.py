"""Doing what is to be done to tickets: in each helpdesk one thing at a time, until nothing waits.

No ticket twice: what was begun is committed before the helpdesk hears of it, and after a lost
answer it is looked for first. Where a helpdesk cannot be asked, a person is.
"""

from __future__ import annotations

from sqlalchemy import exists, select

from portal.db import db, transaction
from portal.models import Helpdesk, TicketTask
from portal.models.tickets.ticket import TaskStatus, TaskVerb
from portal.services.tickets.attempts import begin
from portal.services.tickets.board import hold_helpdesks
from portal.services.tickets.dropping import SWITCHED_OFF, drop_waiting
from portal.services.tickets.settling import settle
from portal.services.turns import is_due, take_turn


def do_tickets(helpdesk_id: int) -> int:
    """Do what waits, for a while; how many attempts were made. Does nothing unless due."""
    attempts = take_turn(
        Helpdesk, helpdesk_id, "do_tickets", lambda lease: _do_next(helpdesk_id, lease)
    )
    if attempts is None:
        _drop_if_off(helpdesk_id)
    return attempts or 0


def _do_next(helpdesk_id: int, lease: str) -> bool | None:
    attempt = begin(helpdesk_id, lease)
    return None if attempt is None else settle(attempt, attempt.do())


def list_helpdesks_behind() -> list[tuple[int, int]]:
    """Tenant and helpdesk, of those that are due and have something waiting. Across tenants.

    Of one that is not proven nothing is opened, and of one that is switched off what it may have
    heard of waits until it is on again.
    """
    its = (TicketTask.helpdesk_id == Helpdesk.id, TicketTask.status == TaskStatus.WAITING)
    can_be_done = exists().where(
        *its, Helpdesk.active, Helpdesk.is_proven | (TicketTask.verb != TaskVerb.OPEN)
    )
    is_to_be_dropped = exists().where(*its, ~Helpdesk.active, TicketTask.begun_at.is_(None))
    rows = db.session.execute(
        select(Helpdesk.tenant_id, Helpdesk.id)
        .where(is_due(Helpdesk), can_be_done | is_to_be_dropped)
        .order_by(Helpdesk.id)
    )
    return [(row.tenant_id, row.id) for row in rows]


def _drop_if_off(helpdesk_id: int) -> None:
    """What came while a person switched it off."""
    if db.session.scalar(select(Helpdesk.active).where(Helpdesk.id == helpdesk_id)) is not False:
        return
    with transaction() as session:
        helpdesk = hold_helpdesks(session, [helpdesk_id]).get(helpdesk_id)
        if helpdesk is not None and not helpdesk.active:
            drop_waiting(session, helpdesk, SWITCHED_OFF)
