"""Writing what came of an attempt: the task, the ticket, the helpdesk, the timeline and events."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from sqlalchemy import select
from sqlalchemy.orm import Session

from portal.clock import utc_now
from portal.db import transaction
from portal.helpdesks.kind import Remote, State
from portal.lease import LEASE_TIME
from portal.models import Helpdesk, Ticket, TicketTask
from portal.models.events.event import EventType
from portal.models.tickets.ticket import TaskStatus, TaskVerb, TicketStatus
from portal.services.events.delivery import pause_after
from portal.services.handling.settling import FEWEST_ATTEMPTS, TRIED_FOR
from portal.services.tickets.attempts import Attempt, Outcome, Result
from portal.services.tickets.board import hold_helpdesks
from portal.services.tickets.doubts import LOOKING, can_repeat, close_unless_back, leave_in_doubt
from portal.services.tickets.dropping import WHAT, drop_tasks, list_waiting
from portal.services.tickets.records import name_ticket, write_down

NOT_OPEN = "The ticket is not open."
GONE = "It was deleted there, or the portal’s account cannot see it any more."
_OPENS = (TaskVerb.OPEN, TaskVerb.REOPEN)


def settle(attempt: Attempt, outcome: Outcome) -> bool:
    """Whether the helpdesk is still ours, and may be asked for the next."""
    now = utc_now()
    with transaction() as session:
        helpdesk = hold_helpdesks(session, [attempt.helpdesk_id]).get(attempt.helpdesk_id)
        task = session.scalar(
            select(TicketTask)
            .where(
                TicketTask.id == attempt.task_id,
                TicketTask.status == TaskStatus.WAITING,
                TicketTask.begun_at == attempt.begun_at,
            )
            .execution_options(populate_existing=True)
        )
        if helpdesk is None or task is None:
            return False  # deleted, or taken over while this process was stopped
        ticket = session.get_one(Ticket, task.ticket_id, populate_existing=True)
        ticket.touched_by = outcome.touched_by or ticket.touched_by
        if outcome.result is not Result.LOST:
            task.lost_at = attempt.lost_at
        if outcome.result in (Result.DONE, Result.KEY_LOST):
            _finish(session, helpdesk, ticket, task, outcome, now)
        elif outcome.result is Result.REFUSED:
            task.answer = helpdesk.last_error = outcome.answer
            if not attempt.was_lost:
                task.begun_at = None
            _give_up(session, helpdesk, ticket, task, outcome.answer, now)
        elif outcome.result is Result.MISSING:
            task.answer = ticket.last_error = f"{outcome.answer} {LOOKING}"
        else:
            _try_later(session, helpdesk, ticket, task, attempt, outcome, now)
        return _move_on(helpdesk, attempt, outcome, now)


def _finish(
    session: Session,
    helpdesk: Helpdesk,
    ticket: Ticket,
    task: TicketTask,
    outcome: Outcome,
    now: datetime,
) -> None:
    task.status, task.settled_at, task.begun_at = TaskStatus.DONE, now, None
    task.answer = outcome.answer or None
    helpdesk.failures, helpdesk.failing_since, helpdesk.last_error = 0, None, None
    helpdesk.last_done_at = now
    ticket.last_error = None
    if outcome.remote is not None:
        _take_over(ticket, outcome.remote, now)
        if outcome.remote.state is State.GONE:
            lose_ticket(session, helpdesk, ticket)
            return
    if task.verb is TaskVerb.OPEN:
        _finish_opening(session, helpdesk, ticket, outcome, now)
    elif task.verb is TaskVerb.CLOSE:
        _finish_closing(session, helpdesk, ticket, outcome.remote, now)
    else:
        is_reopened = task.verb is TaskVerb.REOPEN
        text = f"{'Reopened' if is_reopened else 'Commented'} {name_ticket(helpdesk, ticket)}."
        kind = EventType.TICKET_REOPENED if is_reopened else EventType.TICKET_COMMENTED
        write_down(session, helpdesk, ticket, text, kind)


def _take_over(ticket: Ticket, remote: Remote, now: datetime) -> None:
    ticket.url = remote.url or ticket.url
    ticket.touched_by = remote.touched_by or ticket.touched_by
    ticket.read_at = now


def _finish_opening(
    session: Session, helpdesk: Helpdesk, ticket: Ticket, outcome: Outcome, now: datetime
) -> None:
    remote = outcome.remote
    ticket.status, ticket.opened_at = TicketStatus.OPEN, now
    ticket.reference = remote.reference if remote else None
    text = f"Opened {name_ticket(helpdesk, ticket)}."
    if outcome.result is Result.KEY_LOST:
        helpdesk.is_proven, helpdesk.last_error = False, outcome.answer
        ticket.last_error = outcome.answer
        text += f" {outcome.answer}"
    write_down(session, helpdesk, ticket, text, EventType.TICKET_OPENED, outcome.answer)


def _finish_closing(
    session: Session, helpdesk: Helpdesk, ticket: Ticket, remote: Remote | None, now: datetime
) -> None:
    """Where somebody works on it, it was only told. Where its outage is back, it is about to be
    opened again."""
    if remote is not None and remote.state is State.OPEN:
        text = (
            f"Told {name_ticket(helpdesk, ticket)} that it is over. It stays open, as "
            f"{ticket.touched_by or 'somebody'} has worked on it."
        )
        write_down(session, helpdesk, ticket, text, EventType.TICKET_COMMENTED)
        return
    close_unless_back(session, ticket, now)
    text = f"Closed {name_ticket(helpdesk, ticket)}."
    write_down(session, helpdesk, ticket, text, EventType.TICKET_CLOSED)


def lose_ticket(session: Session, helpdesk: Helpdesk, ticket: Ticket) -> None:
    """It is not there any more. In the caller's transaction, which holds the helpdesk."""
    ticket.status, ticket.last_error = TicketStatus.GONE, GONE
    text = f"There is no {name_ticket(helpdesk, ticket)} any more. {GONE}"
    write_down(session, helpdesk, ticket, text, EventType.TICKET_GONE, GONE)
    drop_tasks(session, helpdesk, list_waiting(session, ticket), NOT_OPEN)


def fail(
    session: Session,
    helpdesk: Helpdesk,
    ticket: Ticket,
    task: TicketTask,
    answer: str,
    now: datetime,
) -> None:
    """For good. In the caller's transaction, which holds the helpdesk."""
    task.status, task.settled_at, task.begun_at = TaskStatus.FAILED, now, None
    task.answer = ticket.last_error = answer
    if task.verb in _OPENS:
        ticket.status = TicketStatus.FAILED
    text = f"{WHAT[task.verb].format(helpdesk.name)} failed. {answer}"
    write_down(session, helpdesk, ticket, text, EventType.TICKET_FAILED, answer)
    if task.verb in _OPENS:
        session.flush()
        drop_tasks(session, helpdesk, list_waiting(session, ticket), NOT_OPEN)


def _try_later(
    session: Session,
    helpdesk: Helpdesk,
    ticket: Ticket,
    task: TicketTask,
    attempt: Attempt,
    outcome: Outcome,
    now: datetime,
) -> None:
    task.answer = ticket.last_error = helpdesk.last_error = outcome.answer
    helpdesk.failures += 1
    helpdesk.failing_since = helpdesk.failing_since or now
    if outcome.is_told:
        task.text = ""
    if outcome.result is Result.LATER:
        task.begun_at = task.begun_at if attempt.was_lost else None
    elif not attempt.can_find and can_repeat(helpdesk, task):
        task.text = ""
    elif not attempt.can_find:
        leave_in_doubt(session, helpdesk, ticket, task, now, outcome.answer)
        return
    is_looked_for = task.verb is TaskVerb.OPEN and outcome.result is Result.LOST
    if is_looked_for:
        ticket.last_error = f"{outcome.answer} {LOOKING}"
    if task.attempts == 1:
        what = WHAT[task.verb].format(helpdesk.name)
        text = f"{what} was not possible yet, and is tried for a day. {outcome.answer}"
        if is_looked_for:
            text = f"{what} had no clear answer. {ticket.last_error}"
        write_down(session, helpdesk, ticket, text)
    for old in _list_too_old(session, helpdesk, task, now):
        its = session.get_one(Ticket, old.ticket_id)
        _give_up(session, helpdesk, its, old, outcome.answer, now)


def _give_up(
    session: Session,
    helpdesk: Helpdesk,
    ticket: Ticket,
    task: TicketTask,
    answer: str,
    now: datetime,
) -> None:
    """What may have been opened is looked for by a person."""
    if task.status is not TaskStatus.WAITING:
        return  # it went with an earlier one of its ticket
    if task.verb is TaskVerb.OPEN and task.begun_at is not None:
        leave_in_doubt(session, helpdesk, ticket, task, now, answer)
    else:
        fail(session, helpdesk, ticket, task, task.answer or answer, now)


def _list_too_old(
    session: Session, helpdesk: Helpdesk, task: TicketTask, now: datetime
) -> Sequence[TicketTask]:
    """Of a helpdesk that failed for so long, all that are that old; else this one alone."""
    before = now - TRIED_FOR
    is_old = task.created_at <= before and task.attempts >= FEWEST_ATTEMPTS
    since = helpdesk.failing_since
    if since is None or since > before or helpdesk.failures < FEWEST_ATTEMPTS:
        return [task] if is_old else []
    query = select(TicketTask).where(
        TicketTask.helpdesk_id == helpdesk.id,
        TicketTask.status == TaskStatus.WAITING,
        TicketTask.created_at <= before,
    )
    return session.scalars(query.order_by(TicketTask.id)).all()


def _move_on(helpdesk: Helpdesk, attempt: Attempt, outcome: Outcome, now: datetime) -> bool:
    if helpdesk.lease != attempt.lease:
        return False
    is_down = outcome.result in (Result.LATER, Result.LOST) and (
        helpdesk.failures > 1 or outcome.retry_after is not None
    )
    if not is_down:  # a single failure holds up its own ticket alone
        helpdesk.due_at = now + LEASE_TIME
        return True
    helpdesk.lease = None
    helpdesk.due_at = now + pause_after(helpdesk.failures, outcome.retry_after)
    return False
