"""The verbs of a helpdesk, made safe to repeat: no ticket or comment twice, nothing believed.

No helpdesk takes a key against doubles, and most carry out what the caller has given up. So a
ticket is searched before it is opened and again afterwards, a comment carries a marker that is
looked for, and each change of state is read back. Whoever calls these holds a lock for the ticket:
two at once would be two tickets.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass, replace
from secrets import token_hex

from portal.far_side.escaping import cut
from portal.helpdesks.kind import (
    AnswerLost,
    Draft,
    Helpdesk,
    HelpdeskError,
    Refused,
    Remote,
    State,
)

KEY_LOST = (
    "The ticket was opened, and is not found by its key. The account must be allowed to write and "
    "to read the field of the key."
)
NOT_OURS = "The search by key finds tickets that do not carry it. Its field is not set up for that."
COMMENT_LOST = (
    "The comment was written, and cannot be read. The account must be allowed to read comments."
)
LARGEST_TEXT = 20_000
"""Characters of a body or a comment: helpdesks differ in what they do with more."""


class KeyLost(HelpdeskError):
    """There is a ticket, and it will not be found again: the set-up must be mended first."""

    def __init__(self, remote: Remote) -> None:
        super().__init__(KEY_LOST)
        self.remote = remote


def find_own(helpdesk: Helpdesk, key: str) -> Remote | None:
    """The first of them. Raises HelpdeskError, also for a search that finds what does not carry the
    key."""
    return next(iter(_find_all(helpdesk, key)), None)


def _find_all(helpdesk: Helpdesk, key: str) -> Sequence[Remote]:
    found = helpdesk.find(key)
    if any(each.key != key for each in found):
        raise Refused(NOT_OURS)
    return found


def open_once(helpdesk: Helpdesk, draft: Draft) -> Remote:
    """The ticket of that key, opened where there is none yet. Raises HelpdeskError.

    After AnswerLost it is called again later, and finds what was carried out meanwhile.
    """
    if found := find_own(helpdesk, draft.key):
        return found
    try:
        opened = helpdesk.open(replace(draft, body=cut(draft.body, LARGEST_TEXT)))
    except AnswerLost:
        if found := _find_afterwards(helpdesk, draft.key):
            return found
        raise
    found = _find_afterwards(helpdesk, draft.key)
    if found is None:
        raise KeyLost(opened)
    if found.reference != opened.reference:
        _withdraw(helpdesk, opened.reference, found.reference)
    return found


def _find_afterwards(helpdesk: Helpdesk, key: str) -> Remote | None:
    """Where it cannot be asked now, it may be there: raises AnswerLost, whatever the reason."""
    try:
        return find_own(helpdesk, key)
    except HelpdeskError as error:
        raise AnswerLost(error.message, retry_after=error.retry_after) from error


def withdraw_doubles(helpdesk: Helpdesk, key: str, first: str) -> None:
    """Close what else carries the key, unless somebody works on it: however long one waits for what
    was given up, it may be carried out later still. Raises HelpdeskError."""
    others = [
        each.reference
        for each in _find_all(helpdesk, key)
        if each.reference != first and each.state is State.OPEN
    ]
    for each in helpdesk.read(others).values() if others else ():
        if each.state is State.OPEN and not each.touched_by:
            _withdraw(helpdesk, each.reference, first)


def _withdraw(helpdesk: Helpdesk, double: str, first: str) -> None:
    """What was given up earlier was carried out after all."""
    with suppress(HelpdeskError):
        helpdesk.comment(double, f"The same as {first}.", closing=True)
    with suppress(HelpdeskError):
        helpdesk.close(double)


def comment_once(
    helpdesk: Helpdesk, reference: str, text: str, marker: str, *, closing: bool = False
) -> None:
    """Unless a comment with the marker is there. Raises HelpdeskError."""
    if helpdesk.has_comment(reference, marker):
        return
    whole = f"{cut(text, LARGEST_TEXT)}\n\n{marker}"
    helpdesk.comment(reference, whole, closing=closing)


def set_state(helpdesk: Helpdesk, reference: str, wanted: State) -> Remote:
    """Close or reopen it, and read back whether it is so. Raises HelpdeskError."""
    before = read_one(helpdesk, reference)
    if before.state in (wanted, State.GONE):
        return before
    change = helpdesk.close if wanted is State.CLOSED else helpdesk.reopen
    change(reference)
    after = read_one(helpdesk, reference)
    if after.state not in (wanted, State.GONE):
        raise Refused(
            f"The helpdesk took the request and left the ticket {after.state}. Perhaps its account "
            "may not change the state."
        )
    return after


def read_one(helpdesk: Helpdesk, reference: str) -> Remote:
    return helpdesk.read([reference]).get(reference) or Remote(
        reference=reference, state=State.GONE
    )


def make_key(prefix: str) -> str:
    """Told by nobody else: letters, digits and hyphens."""
    return f"{re.sub('[^a-z0-9-]', '', prefix.lower())[:24]}-{token_hex(8)}"


@dataclass(frozen=True, slots=True)
class ProbeStep:
    """One thing that was tried. `text` says what came of it, and what to do."""

    name: str
    is_good: bool
    text: str


def probe(
    helpdesk: Helpdesk,
    draft: Draft,
    *,
    can_find: bool,
    can_close: bool,
    tell: Callable[[Sequence[ProbeStep]], None] = lambda _steps: None,
) -> list[ProbeStep]:
    """Tries the set-up with a ticket of its own, up to the first step that fails. `tell`: what is
    done so far, for whoever waits.

    A wrong set-up mostly looks like “not found”, and would open a ticket each time.
    """
    steps: list[ProbeStep] = []

    def note(name: str, is_good: bool, text: str) -> None:
        steps.append(ProbeStep(name, is_good, text))
        tell(steps)

    try:
        note("account", True, f"Signed in as {helpdesk.check_account()}.")
        if can_find:
            if find_own(helpdesk, make_key("none")) is not None:
                raise Refused(NOT_OURS)
            note("search", True, "A key that no ticket has finds none.")
        reference = _probe_opening(helpdesk, draft, can_find=can_find)
        how = " and found it by its key" if can_find else ""
        note("open", True, f"Opened ticket {reference}{how}.")
        _probe_comment(helpdesk, reference, draft.key, can_find=can_find)
        note("comment", True, "Wrote a comment.")
        if can_close:
            closed = set_state(helpdesk, reference, State.CLOSED)
            note("close", closed.state is State.CLOSED, "Closed it again.")
    except HelpdeskError as error:
        steps.append(ProbeStep(_name_next(steps, can_find), False, error.message))
    return steps


def _probe_opening(helpdesk: Helpdesk, draft: Draft, *, can_find: bool) -> str:
    if not can_find:
        return helpdesk.open(draft).reference
    opened = open_once(helpdesk, draft)
    # Once more: where there was no ticket yet, a search that ignores the key found none either.
    find_own(helpdesk, make_key("none"))
    return opened.reference


def _probe_comment(helpdesk: Helpdesk, reference: str, key: str, *, can_find: bool) -> None:
    """Where a comment cannot be read, it would be written again after each lost answer."""
    marker = f"[{key}:probe]"
    helpdesk.comment(reference, f"The set-up was tried.\n\n{marker}")
    if can_find and not helpdesk.has_comment(reference, marker):
        raise Refused(COMMENT_LOST)


def _name_next(done: Sequence[ProbeStep], can_find: bool) -> str:
    names = ["account", *(["search"] if can_find else []), "open", "comment", "close"]
    return names[len(done)]
