"""“Why did nobody call me?”: who was told of an alert, or why nobody was, in one sentence."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from portal.models import AlertHandling
from portal.models.alerts.handling import HandlingState
from portal.models.channels.message import MessageReason, MessageStatus
from portal.services.alerts.timeline import SentMessage
from portal.services.handling.decision import PUT_OFF
from portal.sync.alerts.news import TOO_OLD
from portal.wording import join_words, plural, say_moment

TELLING = (MessageReason.RAISED, MessageReason.REMINDER, MessageReason.ESCALATED)
_BEGINNINGS = ("It ", "No ", "The ", "This ", "Its ", "There ")
"""Of reasons that go on in a sentence of ours."""


def answer(handling: AlertHandling | None, messages: Sequence[SentMessage]) -> str:
    """`messages`: those about this occurrence, in order."""
    if handling is None:
        return f"Nobody was told: {_go_on(TOO_OLD)}"
    told = _list_told(messages)
    sentence = f"Told by {join_words(told)}." if told else _say_why_not(handling, messages)
    if handling.acknowledged_at is None:
        return sentence
    by, at = handling.acknowledged_by, say_moment(handling.acknowledged_at)
    if told:
        return f"{sentence[:-1]}, acknowledged by {by} on {at}."
    return f"{sentence} Acknowledged by {by} on {at}."


def _list_told(messages: Sequence[SentMessage]) -> list[str]:
    """Each channel with the time at which it was first told: `Mail on 28 Nov 2026, 10:02 UTC`."""
    first: dict[str, datetime] = {}
    for sent in messages:
        message = sent.message
        is_told = message.status is MessageStatus.SENT and message.reason in TELLING
        if is_told and message.settled_at is not None:
            first.setdefault(sent.channel, message.settled_at)
    return [f"{channel} on {say_moment(at)}" for channel, at in first.items()]


def _say_why_not(handling: AlertHandling, messages: Sequence[SentMessage]) -> str:
    tried = [sent for sent in messages if sent.message.reason in TELLING]
    if tried:
        return _say_what_became(tried)
    if handling.state is HandlingState.HELD:
        return (
            f"Nobody was told yet: the maintenance window “{handling.window_name}” keeps it silent."
        )
    if handling.state in (HandlingState.IGNORED, HandlingState.SILENT):
        return f"Nobody was told: {_go_on(handling.reason or 'No rule matches.')}"
    if handling.state is HandlingState.ACTED:
        return f"Nobody was told: the rule “{handling.rule_name}” tells no channel."
    if handling.reason == PUT_OFF:
        return f"Nobody was told yet: {_go_on(handling.reason)}"
    return "Nobody was told yet: it has not been decided what to do."


def _say_what_became(tried: Sequence[SentMessage]) -> str:
    """Of messages of which none was sent: those that wait first."""
    rank = (MessageStatus.WAITING, MessageStatus.FAILED, MessageStatus.DROPPED)
    first = min(tried, key=lambda sent: rank.index(sent.message.status))
    message, channel = first.message, first.channel
    answered = f" {message.answer}" if message.answer else ""
    if message.status is MessageStatus.FAILED:
        return f"Nobody was told: the message to {channel} failed.{answered}"
    if message.status is MessageStatus.DROPPED:
        return f"Nobody was told: the message to {channel} was dropped.{answered}"
    if message.attempts == 0:
        return f"Nobody was told yet: the message to {channel} is about to be sent."
    times = plural(message.attempts, "time")
    return f"Nobody was told yet: the message to {channel} was tried {times}.{answered}"


def _go_on(reason: str) -> str:
    """As the end of a sentence."""
    return reason[0].lower() + reason[1:] if reason.startswith(_BEGINNINGS) else reason
