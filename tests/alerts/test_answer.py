"""Who was told of an alert, or why nobody was, in one sentence."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from portal.models import AlertHandling, Message
from portal.models.alerts.handling import HandlingState
from portal.models.channels.message import MessageReason, MessageStatus
from portal.services.alerts.answer import answer
from portal.services.alerts.timeline import SentMessage

BEGAN = datetime(2026, 11, 28, 10, 1, tzinfo=UTC)


def handling(state: HandlingState, **values: Any) -> AlertHandling:
    return AlertHandling(state=state, began_at=BEGAN, **values)


def message(status: MessageStatus, minutes: int = 1, channel: str = "Mail", **more: Any) -> Any:
    values: dict[str, Any] = {"reason": MessageReason.RAISED, "attempts": 1} | more
    settled_at = BEGAN + timedelta(minutes=minutes)
    return SentMessage(Message(status=status, settled_at=settled_at, **values), channel)


TAKEN = {"acknowledged_at": BEGAN + timedelta(minutes=4), "acknowledged_by": "anna@acme.example"}
NEXT_DAY = {
    "acknowledged_at": BEGAN + timedelta(days=1),
    "acknowledged_by": "the link sent to Mail",
}
ACTED, SENT = HandlingState.ACTED, MessageStatus.SENT


@pytest.mark.parametrize(
    ("found", "messages", "sentence"),
    [
        (None, [], "Nobody was told: it began before the portal acted on alerts."),
        (
            handling(HandlingState.SILENT, reason="No rule matches."),
            [],
            "Nobody was told: no rule matches.",
        ),
        (
            handling(HandlingState.IGNORED, reason="The rule “Noise” says so."),
            [],
            "Nobody was told: the rule “Noise” says so.",
        ),
        (
            handling(HandlingState.HELD, window_name="DC move"),
            [],
            "Nobody was told yet: the maintenance window “DC move” keeps it silent.",
        ),
        (
            handling(HandlingState.UNDECIDED),
            [],
            "Nobody was told yet: it has not been decided what to do.",
        ),
        (handling(ACTED), [message(SENT)], "Told by Mail on 28 Nov 2026, 10:02 UTC."),
        (
            handling(ACTED, **TAKEN),
            [message(SENT), message(SENT, 3, "Pager"), message(SENT, 90)],
            "Told by Mail on 28 Nov 2026, 10:02 UTC and Pager on 28 Nov 2026, 10:04 UTC, "
            "acknowledged by anna@acme.example on 28 Nov 2026, 10:05 UTC.",
        ),
        (
            handling(ACTED, **NEXT_DAY),
            [message(MessageStatus.WAITING, attempts=2, answer="It answered 503.")],
            "Nobody was told yet: the message to Mail was tried 2 times. It answered 503. "
            "Acknowledged by the link sent to Mail on 29 Nov 2026, 10:01 UTC.",
        ),
        (
            handling(ACTED),
            [
                message(MessageStatus.DROPPED),
                message(MessageStatus.FAILED, channel="Pager", answer="No such room."),
                message(SENT, reason=MessageReason.RESOLVED),
            ],
            "Nobody was told: the message to Pager failed. No such room.",
        ),
        (
            handling(ACTED, rule_name="Urgency only"),
            [],
            "Nobody was told: the rule “Urgency only” tells no channel.",
        ),
    ],
)
def test_it_is_one_sentence(
    found: AlertHandling | None, messages: list[SentMessage], sentence: str
) -> None:
    assert answer(found, messages) == sentence
