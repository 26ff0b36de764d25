"""One attempt to do something to a ticket: written before the helpdesk hears of it, and done."""

from __future__ import annotations

import logging
from contextlib import suppress
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from enum import StrEnum

from sqlalchemy.orm import Session

from portal.clock import utc_now
from portal.db import transaction
from portal.errors import PORTAL_FAULT
from portal.helpdesks import KINDS
from portal.helpdesks.carefully import (
    KeyLost,
    comment_once,
    find_own,
    open_once,
    read_one,
    set_state,
    withdraw_doubles,
)
from portal.helpdesks.kind import (
    AnswerLost,
    Draft,
    HelpdeskError,
    NotDone,
    Refused,
    Remote,
    State,
)
from portal.helpdesks.kind import Helpdesk as FarSide
from portal.models import Helpdesk, Ticket, TicketTask
from portal.models.tickets.ticket import TaskVerb
from portal.services.helpdesks.reaching import Way, make_way
from portal.services.tickets.board import hold_helpdesks
from portal.services.tickets.doubts import ANSWER_LOST, can_repeat, leave_in_doubt, may_be_double
from portal.services.tickets.waiting import find_next

log = logging.getLogger(__name__)

NO_KIND = "The portal has no such kind of helpdesk."
OPENS_AGAIN = timedelta(minutes=2)
"""So long a ticket whose opening may have been carried out is only looked for: a slow helpdesk has
it by then."""
CLOSES = "The portal closes this ticket."
STAYS = "The ticket stays open, as {} has worked on it."


class Result(StrEnum):
    DONE = "done"
    LATER = "later"
    """Surely not carried out."""
    LOST = "lost"
    """Perhaps carried out."""
    REFUSED = "refused"
    MISSING = "missing"
    """Perhaps carried out earlier, and not found yet."""
    KEY_LOST = "key_lost"
    """Opened, and not found again by its key."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Outcome:
    """`remote`: the ticket as the helpdesk has it by now; None where it was not asked. `is_told`:
    the text of the task arrived, whatever became of the rest. `touched_by`: who was seen to have
    worked on the ticket before anything was done to it."""

    result: Result
    remote: Remote | None = None
    answer: str = ""
    is_told: bool = False
    touched_by: str | None = None
    retry_after: float | None = None


@dataclass(slots=True)
class Attempt:
    """As plain values: the rows may be gone when it ends. `touched_by`: who was known to have
    worked on the ticket."""

    helpdesk_id: int
    lease: str
    task_id: int
    begun_at: datetime
    verb: TaskVerb
    text: str
    marker: str
    reference: str
    draft: Draft
    touched_by: str | None
    was_lost: bool
    """An earlier attempt may have been carried out."""
    lost_at: datetime | None
    """When the last of these began, of opening."""
    may_be_double: bool
    """What was lost may have been carried out after the ticket was opened again."""
    way: Way | None
    """None where there is no such kind of helpdesk."""
    is_told: bool = False

    def do(self) -> Outcome:
        """Never raises."""
        return replace(self._try(), is_told=self.is_told, touched_by=self.touched_by)

    def _try(self) -> Outcome:
        if self.way is None:
            return Outcome(result=Result.LATER, answer=NO_KIND)
        try:
            return Outcome(result=Result.DONE, remote=self._do(self.way.connect()))
        except KeyLost as error:
            return Outcome(result=Result.KEY_LOST, remote=error.remote, answer=error.message)
        except HelpdeskError as error:
            return Outcome(
                result=_judge(error), answer=error.message, retry_after=error.retry_after
            )
        except Exception:
            log.exception("Helpdesk %s could not do a task.", self.helpdesk_id)
            return Outcome(result=Result.LOST, answer=PORTAL_FAULT)

    @property
    def can_find(self) -> bool:
        return self.way is not None and self.way.can_find

    @property
    def can_close(self) -> bool:
        return self.way is not None and self.way.can_close

    def _do(self, helpdesk: FarSide) -> Remote | None:
        if self.verb is TaskVerb.OPEN:
            return self._open(helpdesk)
        if self.verb is TaskVerb.COMMENT:
            if self.can_close:
                self._look(helpdesk)
            self._tell(helpdesk, self.text)
            return None
        if not self.can_close:
            self._tell(helpdesk, self.text, closing=self.verb is TaskVerb.CLOSE)
            return None
        return self._close(helpdesk) if self.verb is TaskVerb.CLOSE else self._reopen(helpdesk)

    @property
    def only_looks(self) -> bool:
        return self.lost_at is not None and self.lost_at > self.begun_at - OPENS_AGAIN

    def _open(self, helpdesk: FarSide) -> Remote:
        if not self.can_find:
            return helpdesk.open(self.draft)
        if not self.only_looks:
            return open_once(helpdesk, self.draft)
        if found := find_own(helpdesk, self.draft.key):
            return found
        raise _Missing(ANSWER_LOST)

    def _close(self, helpdesk: FarSide) -> Remote:
        """Where nobody has worked on it; else it is only told."""
        if self.may_be_double and self.can_find:
            with suppress(Refused):
                withdraw_doubles(helpdesk, self.draft.key, self.reference)
        before = self._look(helpdesk)
        if before.state is not State.OPEN:
            return before
        if self.touched_by:
            self._tell(helpdesk, f"{self.text}\n{STAYS.format(self.touched_by)}", closing=True)
            return before
        self._tell(helpdesk, f"{self.text}\n{CLOSES}", closing=True)
        return set_state(helpdesk, self.reference, State.CLOSED)

    def _reopen(self, helpdesk: FarSide) -> Remote:
        self._look(helpdesk)
        after = set_state(helpdesk, self.reference, State.OPEN)
        if after.state is State.OPEN:
            self._tell(helpdesk, self.text)
        return after

    def _look(self, helpdesk: FarSide) -> Remote:
        """Before anything is done to it: some helpdesks name the last who changed it alone, and
        that is us afterwards."""
        before = read_one(helpdesk, self.reference)
        self.touched_by = before.touched_by or self.touched_by
        return before

    def _tell(self, helpdesk: FarSide, text: str, *, closing: bool = False) -> None:
        """Once, as far as the helpdesk can be asked."""
        if not self.text:
            return  # an earlier attempt did
        if self.can_find:
            comment_once(helpdesk, self.reference, text, self.marker, closing=closing)
        else:
            helpdesk.comment(self.reference, text, closing=closing)
        self.is_told = True


class _Missing(HelpdeskError):
    """It was given up lately, and may be carried out yet."""


def _judge(error: HelpdeskError) -> Result:
    if isinstance(error, _Missing):
        return Result.MISSING
    if isinstance(error, AnswerLost):
        return Result.LOST
    return Result.LATER if isinstance(error, NotDone) else Result.REFUSED


def begin(helpdesk_id: int, lease: str) -> Attempt | None:
    """The next one, committed as begun. None when there is nothing to do now: then the helpdesk is
    free for whoever comes; or when it is another process's."""
    now = utc_now()
    with transaction() as session:
        helpdesk = hold_helpdesks(session, [helpdesk_id]).get(helpdesk_id)
        if helpdesk is None or not helpdesk.active or helpdesk.lease != lease:
            return None
        kind = KINDS.get(helpdesk.kind)
        can_find = kind is not None and kind.can_find(helpdesk.settings)
        while found := find_next(session, helpdesk, now):
            task, ticket = found
            if task.begun_at is None or can_find:
                return _begin(session, helpdesk, task, ticket, now)
            if can_repeat(helpdesk, task):
                task.text = ""
                return _begin(session, helpdesk, task, ticket, now)
            # The process that did it died, and nobody can say whether it did.
            leave_in_doubt(session, helpdesk, ticket, task, now)
            session.flush()
        helpdesk.lease, helpdesk.due_at = None, None
        return None


def _begin(
    session: Session, helpdesk: Helpdesk, task: TicketTask, ticket: Ticket, now: datetime
) -> Attempt:
    opens = task.verb is TaskVerb.OPEN
    attempt = Attempt(
        helpdesk_id=helpdesk.id,
        lease=helpdesk.lease or "",
        task_id=task.id,
        begun_at=now,
        verb=task.verb,
        text=task.text,
        marker=f"[{ticket.key}-{task.id}]",
        reference=ticket.reference or "",
        draft=_make_draft(ticket),
        touched_by=ticket.touched_by,
        was_lost=task.begun_at is not None,
        lost_at=task.lost_at or task.begun_at if opens else None,
        may_be_double=not opens and may_be_double(session, ticket.id),
        way=make_way(helpdesk),
    )
    task.attempts, task.begun_at = task.attempts + 1, now
    if opens and attempt.can_find:  # it counts as lost until its outcome is written
        task.lost_at = attempt.lost_at if attempt.only_looks else now
    return attempt


def _make_draft(ticket: Ticket) -> Draft:
    return Draft(
        key=ticket.key,
        queue=ticket.queue,
        customer=ticket.customer_id,
        priority=ticket.priority,
        urgency=ticket.urgency,
        subject=ticket.subject,
        body=ticket.body,
        url=ticket.page,
    )
