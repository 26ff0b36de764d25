"""What each kind of helpdesk is: the fields of its form, and the verbs that the portal needs.

What is the same for all of them, such as never opening a ticket twice, is in `carefully`.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Protocol

from portal.far_side.form import FarSideKind, Secrets, Settings, Way

MOST_LISTED = 1000
"""Customers that are asked for: whoever has more types the ids of the others."""


class State(StrEnum):
    OPEN = "open"
    CLOSED = "closed"
    GONE = "gone"
    """Deleted, out of our sight, or merged into another ticket."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Draft:
    """A ticket that is to be opened. All is plain text; the kind writes it in its own markup."""

    key: str
    """Ours: letters, digits and hyphens, at most 64. By it the ticket is found again."""
    queue: str
    """As `Choice.id` of `list_queues`."""
    customer: str = ""
    """As `Choice.id` of `list_customers`; empty where nobody was chosen."""
    priority: str = ""
    """As `Choice.id` of `list_priorities`; empty for the helpdesk's own default."""
    urgency: str = "normal"
    """`low`, `normal`, `high` or `critical`, for a helpdesk without such a list."""
    subject: str
    body: str
    url: str = ""
    """What it is about: a page of the portal. Stands in `body` as well."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Remote:
    """A ticket as the helpdesk has it."""

    reference: str
    """By which people call it, such as `1042`. Ours where the helpdesk gives none."""
    url: str = ""
    """Its page, for a person; empty where it has none."""
    state: State = State.OPEN
    key: str = ""
    """The key that it carries. Whoever searched by one must compare: see `carefully`."""
    touched_by: str = ""
    """Somebody other than our account who did something to it since it was opened; system lines
    do not count. A name for people, and empty where nobody did."""
    merged_into: str = ""
    """The reference of the ticket that took it in."""


@dataclass(frozen=True, slots=True)
class Choice:
    """One of a list of the helpdesk's: a queue, a customer, a priority."""

    id: str
    name: str


class HelpdeskError(Exception):
    """Something that the helpdesk or the way to it did. The argument is a sentence for people, and
    holds no secret."""

    def __init__(self, message: str, *, retry_after: float | None = None) -> None:
        super().__init__(message)
        self.message = message
        self.retry_after = retry_after
        """Seconds that the helpdesk asks to be left alone."""


class NotDone(HelpdeskError):
    """It was surely not carried out. Later it may be."""


class AnswerLost(HelpdeskError):
    """It went out and no usable answer came: it may have been carried out, or be yet."""


class Refused(HelpdeskError):
    """For good: the same would be refused again."""


class Helpdesk(Protocol):
    """One helpdesk that the portal is connected to, for some calls in a row.

    Each verb is one request or a few, ends within 30 seconds on the clock of the wall, and raises
    HelpdeskError and nothing else for what the helpdesk or the network does. None tries again.
    """

    def check_account(self) -> str:
        """Whose account it is, for people. Raises Refused for a wrong key: the searches of some
        helpdesks only find nothing then."""

    def find(self, key: str) -> Sequence[Remote]:
        """The tickets that carry our key, closed ones included, the first one first: there are
        several where what was given up was carried out late. Where none does, what the search
        found instead. Only where `can_find`."""

    def open(self, draft: Draft) -> Remote:
        """Not careful at all: two calls make two tickets."""

    def comment(self, reference: str, text: str, *, closing: bool = False) -> None:
        """Internal, told to no customer, and the state stays as it was. `closing`: this one says
        that the outage is over."""

    def has_comment(self, reference: str, marker: str) -> bool:
        """Whether a comment of ours holds that text already."""

    def close(self, reference: str) -> None: ...

    def reopen(self, reference: str) -> None: ...

    def read(self, references: Collection[str]) -> Mapping[str, Remote]:
        """Many in few requests. One that is not among the answers is gone."""

    def list_queues(self) -> Sequence[Choice]: ...

    def list_customers(self) -> Sequence[Choice]:
        """At most MOST_LISTED."""

    def list_priorities(self) -> Sequence[Choice]: ...


class HelpdeskKind(FarSideKind, Protocol):
    """A kind of helpdesk."""

    @property
    def is_untried(self) -> bool:
        """Written by its documentation, and never run against a real server."""

    def can_find(self, settings: Settings) -> bool:
        """Whether it can be asked for a ticket by our key. Where it cannot, a lost answer is not
        retried: nobody could tell whether there is a ticket."""

    def can_close(self, settings: Settings) -> bool:
        """Whether it closes and reopens tickets, and tells their state."""

    def reads_at_once(self, settings: Settings) -> int:
        """How many tickets it is asked for at once: many where it tells of them in one request,
        few enough for `read` to end in time where each costs one."""

    def check(self, settings: Settings, secrets: Secrets) -> str:
        """Where it is, for people and without a secret: a host, a mail address. Raises Rejected."""

    def preview(self, settings: Settings) -> str:
        """Its requests, filled in with sample values; empty where it has no templates."""

    def connect(self, gateway: Way, settings: Settings, secrets: Secrets, /) -> Helpdesk:
        """Asks nothing of the helpdesk yet."""
