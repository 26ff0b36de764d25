"""What a channel is told next: one message by itself, or many together. Pure but for the rows."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from portal.models import AlertHandling, Message
from portal.models.channels.message import MessageReason, MessageStatus
from portal.services.accounts.link_mails import LINKS

OVER = "The alert was over before it was sent."
TAKEN = "The alert was acknowledged before it was sent."
TOLD_AT_ONCE = "The first message told it already."
STILL_WAITS = "An earlier message tells it, which could not be sent yet."
NEVER_TOLD = "That it began was not told here either."
ACTIVE_AGAIN = "The alert is active after all."
LINK_GONE = "The link was used, replaced or withdrawn, or is too old."
BEGINNINGS = (MessageReason.RAISED, MessageReason.ESCALATED, MessageReason.NOTICE)
ENDS = (MessageReason.RESOLVED, MessageReason.NOTICE_OVER)
LATER = (MessageReason.REMINDER, MessageReason.ESCALATED)
TOLD_OVER, IN_DOUBT, ALONE = "told_over", "in_doubt", "alone"
"""In a message's facts: it said that the alert is over as well; an attempt of it may have arrived,
so that it stays as it was; it was refused together with others."""


@dataclass(frozen=True, slots=True)
class Line:
    """What waits for a channel, in the order of its ids, and all that it was told of the same
    occurrences, by handling, and of the same notices. `is_burst`: there is more, too much to be
    told one by one. `live_links`: ids of those that bring a link which can still be used."""

    waiting: Sequence[Message]
    handlings: Mapping[int, AlertHandling]
    history: Mapping[int, Sequence[Message]]
    notices: Mapping[int, Sequence[Message]] = field(default_factory=dict)
    is_burst: bool = False
    live_links: frozenset[int] = frozenset()

    def handling_of(self, message: Message) -> AlertHandling | None:
        return self.handlings.get(message.handling_id or 0)

    def history_of(self, message: Message) -> Sequence[Message]:
        """Of a notice only what the same person was told."""
        if message.notice_id is None:
            return self.history.get(message.handling_id or 0, ())
        told = self.notices.get(message.notice_id, ())
        return [each for each in told if _read_route(each) == _read_route(message)]


def find_needless(line: Line) -> dict[int, str]:
    """Ids of messages that need not be sent any more, with the reason."""
    found = {}
    for message in line.waiting:
        if message.reason in LINKS:
            why = None if message.id in line.live_links else LINK_GONE
        else:
            why = None if is_begun(message) else _why_needless(line, message)
        if why is not None:
            found[message.id] = why
    return found


def choose(line: Line, left: int) -> list[Message]:
    """The next one, or those that are told together, the one whose key is used first; `left`:
    how many more may be sent in this minute. Empty when none can be sent now.

    Those that were tried least come first: what cannot be sent holds nobody up.
    """
    ready = [message for message in line.waiting if _is_ready(line, message)]
    if not ready:
        return []
    first = min(ready, key=lambda message: (message.attempts, message.id))
    if is_begun(first):
        head = first.told_in or first.id
        others = (each for each in line.waiting if each.told_in == head and each is not first)
        return [first, *others]
    together = [
        message for message in ready if _may_join(message) and message.recipient == first.recipient
    ]
    is_burst = line.is_burst or len(ready) > left
    if is_burst and first in together and len(together) > 1:
        return together
    return [first]


def find_thread(line: Line, message: Message) -> dict[str, object]:
    """What the far side gave for the last message of the same occurrence or notice."""
    threads = [dict(each.thread) for each in line.history_of(message) if each.thread]
    return threads[-1] if threads else {}


def is_begun(message: Message) -> bool:
    """Whether the far side may have it already."""
    return message.begun_at is not None or bool(message.facts.get(IN_DOUBT))


def _why_needless(line: Line, message: Message) -> str | None:
    handling = line.handling_of(message)
    if handling is None:
        return _why_needless_end(line, message)
    if (message.reason in LATER or _is_left_behind(message)) and handling.over_at is not None:
        return OVER
    if message.reason in LATER and handling.acknowledged_at is not None:
        return TAKEN
    if message.reason is MessageReason.REMINDER and _waits_earlier(line, message):
        return STILL_WAITS
    if message.reason is MessageReason.RESOLVED and handling.over_at is None:
        return ACTIVE_AGAIN
    return _why_needless_end(line, message)


def _is_left_behind(message: Message) -> bool:
    """Whether it tells one recipient alone what the others were told: who is told the end need not
    be told the beginning afterwards."""
    says_both = bool(message.facts.get(TOLD_OVER))
    return message.recipient is not None and message.reason in BEGINNINGS and not says_both


def _why_needless_end(line: Line, message: Message) -> str | None:
    if message.reason not in ENDS:
        return None
    begun = _find_beginning(line, message)
    if begun is None or begun.status in (MessageStatus.FAILED, MessageStatus.DROPPED):
        return NEVER_TOLD
    return TOLD_AT_ONCE if begun.facts.get(TOLD_OVER) and _is_sent(begun) else None


def _waits_earlier(line: Line, reminder: Message) -> bool:
    """So that a channel which was away for hours is not reminded once for each of them."""
    return any(
        each.id < reminder.id
        and each.status is MessageStatus.WAITING
        and each.reason in (*BEGINNINGS, MessageReason.REMINDER)
        for each in line.history_of(reminder)
    )


def _is_ready(line: Line, message: Message) -> bool:
    """Not one that goes with another, nor an end whose beginning still waits.

    The other may have been given up, or be gone with its alert: then the rest goes without it.
    """
    if is_begun(message) and any(each.id == message.told_in for each in line.waiting):
        return False
    if message.reason not in ENDS:
        return True
    begun = _find_beginning(line, message)
    return begun is None or begun.status is not MessageStatus.WAITING


def _find_beginning(line: Line, end: Message) -> Message | None:
    """That which told, or is to tell, what is over; of several, one that arrived."""
    told = [each for each in line.history_of(end) if each.id < end.id and each.reason in BEGINNINGS]
    own = [each for each in told if each.recipient == end.recipient]
    earlier = own or [each for each in told if each.recipient is None]
    sent = [each for each in earlier if _is_sent(each)]
    waiting = [each for each in earlier if each.status is MessageStatus.WAITING]
    found = waiting or sent or earlier
    return found[-1] if found else None


def _read_route(message: Message) -> str:
    """The end of its key: to whom a channel tells it. An address may change meanwhile."""
    return message.key.rpartition(":c")[2]


def _is_sent(message: Message) -> bool:
    return message.status is MessageStatus.SENT


def _may_join(message: Message) -> bool:
    is_alert = message.handling_id is not None
    return is_alert and not is_begun(message) and not message.facts.get(ALONE)
