"""Each message arrives once, as far as anybody can know, and in the end its row says what came of
it."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from sqlalchemy import event, select

from portal.channels import wording
from portal.db import db, transaction
from portal.models import AlertRule, Channel, Event, Message
from portal.models.channels.message import MessageReason, MessageStatus
from portal.models.events.event import EventType
from portal.services.alerts.acknowledging import acknowledge
from portal.services.channels.changing import switch_channel
from portal.services.channels.deleting import delete_channel
from portal.services.handling import deciding, sending
from portal.services.handling.attempts import begin
from portal.services.handling.settling import settle
from portal.services.turns import claim
from portal.vault import forget_secrets
from tests.channels.far_side import Planned
from tests.handling.conftest import START, Desk

WAITING, SENT = MessageStatus.WAITING, MessageStatus.SENT
DROPPED, FAILED = MessageStatus.DROPPED, MessageStatus.FAILED
LOST = Planned(hangs_up=True)
pytestmark = pytest.mark.one_database


def channel(channel_id: int) -> Channel:
    found = db.session.get_one(Channel, channel_id, populate_existing=True)
    db.session.rollback()
    return found


def bodies(desk: Desk) -> list[dict[str, Any]]:
    return [call.json for call in desk.far_side.calls]


# --- Doubles --------------------------------------------------------------------------------


def test_a_lost_answer_is_sent_again_under_the_same_key_and_says_so(
    desk: Desk, ops: int, clock: Any
) -> None:
    desk.far_side.plan = [LOST]
    desk.raise_alerts(1)
    desk.work()
    [message] = desk.messages()
    assert (message.status, message.attempts) == (WAITING, 1)
    assert channel(ops).failures == 1
    clock.shift(10)
    desk.work()
    [message] = desk.messages()
    assert (message.status, message.attempts, message.may_be_double) == (SENT, 2, True)
    first, second = bodies(desk)
    assert first["key"] == second["key"]
    assert (first["note"], second["note"]) == ("", wording.MAY_BE_DOUBLE)
    assert any("was lost: it may have arrived" in text for text in desk.timeline())
    assert any("it may be a second copy" in text for text in desk.timeline())


def test_a_far_side_that_knows_keys_is_told_of_no_double(desk: Desk, clock: Any) -> None:
    desk.add_rule(notify=(desk.add_channel(knows_keys=True),))
    desk.far_side.plan = [LOST]
    desk.raise_alerts(1)
    desk.work()
    clock.shift(10)
    desk.work()
    assert [each["note"] for each in bodies(desk)] == ["", ""]
    assert len({call.headers["Idempotency-Key"] for call in desk.far_side.calls}) == 1
    assert desk.messages()[0].may_be_double is False


def test_what_may_have_arrived_is_told_as_it_was_and_its_end_follows(
    desk: Desk, ops: int, clock: Any
) -> None:
    desk.far_side.plan = [LOST]
    desk.raise_alerts(1)
    desk.work()
    desk.resolve(1)
    clock.shift(10)
    desk.work()
    assert desk.said() == [
        ("raised", "Check failing: SRV-1"),
        ("raised", "Check failing: SRV-1"),
        ("resolved", "Resolved: SRV-1"),
    ]


def test_many_that_may_have_arrived_together_go_together_again(desk: Desk, clock: Any) -> None:
    channel_id = desk.add_channel(most=2, knows_keys=True)
    desk.add_rule(notify=(channel_id,))
    desk.far_side.plan = [LOST, Planned(status=503)]
    desk.raise_alerts(1, 2, 3)
    desk.work()
    desk.raise_alerts(4)
    clock.shift(70)
    desk.work()
    clock.shift(70)
    desk.work()
    counts = [(each["key"], each["count"]) for each in bodies(desk)]
    assert counts[0] == counts[2]
    assert [count for _key, count in counts] == [3, 1, 3, 1]
    assert {message.status for message in desk.messages()} == {SENT}


def test_what_went_with_one_that_was_given_up_is_told_all_the_same(desk: Desk, clock: Any) -> None:
    channel_id = desk.add_channel(most=2, knows_keys=True)
    desk.add_rule(notify=(channel_id,))
    desk.far_side.plan = [Planned(status=503), *[LOST] * 5]
    desk.raise_alerts(1)
    desk.work()
    clock.shift(23 * 3600)
    desk.raise_alerts(2, 3, 4)
    for _attempt in range(5):
        desk.work()
        clock.shift(2 * 3600)
    assert [message.status for message in desk.messages()] == [FAILED, WAITING, WAITING, WAITING]
    clock.shift(3600)
    desk.work()
    assert [message.status for message in desk.messages()] == [FAILED, SENT, SENT, SENT]
    assert desk.messages()[1].may_be_double  # under a key that the far side does not know
    assert (bodies(desk)[-1]["count"], bodies(desk)[-1]["note"]) == (3, wording.MAY_BE_DOUBLE)


def test_a_channel_that_is_changed_while_it_is_told_is_told_once(desk: Desk, ops: int) -> None:
    desk.raise_alerts(1)
    deciding.handle_due()
    lease = claim(Channel, ops)
    assert lease is not None
    attempt = begin(ops, lease)
    assert attempt is not None
    switch_channel(ops, on=False)
    switch_channel(ops, on=True)
    assert sending.send_messages(ops) == 0
    assert settle(attempt, attempt.send())
    assert [message.status for message in desk.messages()] == [SENT]


def test_a_channel_deleted_too_early_leaves_a_word_in_the_timeline(desk: Desk, clock: Any) -> None:
    channel_id = desk.add_channel()
    rule_id = desk.add_rule(notify=(channel_id,))
    desk.far_side.plan = [Planned(status=503)]
    desk.raise_alerts(1)
    desk.work()
    with transaction() as session:
        session.delete(session.get_one(AlertRule, rule_id))
    delete_channel(channel_id)
    assert desk.timeline()[-1] == "Ops was deleted while it was still to be told."


# --- The end, acknowledgements --------------------------------------------------------------


def test_what_is_over_before_it_is_told_is_told_once(desk: Desk, ops: int, clock: Any) -> None:
    desk.far_side.plan = [Planned(status=503)]
    desk.raise_alerts(1)
    desk.work()
    clock.shift(240)
    desk.resolve(1)
    deciding.handle_due()
    assert [message.reason for message in desk.messages()] == ["raised", "resolved"]
    desk.send()
    desk.send()
    assert desk.said()[1:] == [("raised", "Check was failing: SRV-1")]
    raised, resolved = desk.messages()
    assert (raised.status, resolved.status) == (SENT, DROPPED)
    assert resolved.answer == "The first message told it already."


def test_who_was_never_told_of_the_beginning_is_not_told_of_the_end(desk: Desk, ops: int) -> None:
    desk.far_side.plan = [Planned(status=422, body="no")]
    desk.raise_alerts(1)
    desk.work()
    desk.resolve(1)
    desk.work()
    assert desk.reasons() == ["raised"]
    [raised] = desk.messages()
    assert (raised.status, raised.answer) == (FAILED, "Answered 422: no")
    assert "Ops could not be told. Answered 422: no" in desk.timeline()
    failed = db.session.scalars(select(Event).where(Event.type == EventType.MESSAGE_FAILED)).all()
    assert [each.payload["channel"] for each in failed] == ["Ops"]


def test_a_reminder_that_still_waits_is_dropped_once_somebody_has_it(
    desk: Desk, clock: Any
) -> None:
    desk.add_rule(notify=(desk.add_channel(),), remind_hours=1)
    desk.raise_alerts(1)
    desk.work()
    clock.shift(3600)
    deciding.handle_due()
    acknowledge([desk.handling().alert_id], by="anna@example.com")
    desk.send()
    assert [message.status for message in desk.messages()] == [SENT, DROPPED]
    assert desk.reasons() == ["raised"]


# --- Failures -------------------------------------------------------------------------------


def test_a_channel_that_was_down_for_hours_is_not_reminded_of_each(desk: Desk, clock: Any) -> None:
    desk.add_rule(notify=(desk.add_channel(),), remind_hours=1)
    desk.far_side.plan = [Planned(status=503)] * 6
    desk.raise_alerts(1)
    for _hour in range(6):
        desk.work()
        clock.shift(3601)
    desk.work()
    assert [reason for reason, _title in desk.said()] == ["raised"] * 7
    assert any("earlier message tells it" in text for text in desk.timeline())
    clock.shift(3601)
    desk.work()
    assert desk.said()[-1][0] == "reminder"


def test_a_channel_that_fails_is_tried_for_a_day_and_then_marked(
    desk: Desk, ops: int, clock: Any
) -> None:
    desk.far_side.plan = [Planned(status=500)] * 200
    desk.raise_alerts(1, 2)
    deciding.handle_due()
    pauses = []
    while waiting := desk.messages(WAITING):
        desk.work()
        due_at = channel(ops).due_at
        assert due_at is not None
        pauses.append(due_at - datetime.now(UTC))
        clock.move_to(due_at)
        assert len(pauses) < 60, waiting
    assert pauses[0] < timedelta(seconds=7)
    assert max(pauses) <= timedelta(minutes=72)
    assert timedelta(days=1) <= datetime.now(UTC) - START < timedelta(hours=27)
    assert {message.status for message in desk.messages()} == {FAILED}
    assert channel(ops).failing_since == START
    desk.raise_alerts(3)
    desk.far_side.plan = []
    desk.work()
    assert desk.messages()[-1].status is SENT
    assert (channel(ops).failures, channel(ops).failing_since) == (0, None)


def test_the_far_side_says_when_it_wants_to_be_asked_again(
    desk: Desk, ops: int, clock: Any
) -> None:
    desk.far_side.plan = [Planned(status=429, headers=(("Retry-After", "600"),))]
    desk.raise_alerts(1)
    desk.work()
    due_at = channel(ops).due_at
    assert due_at is not None
    assert due_at - START >= timedelta(minutes=10)


def test_a_portal_that_was_off_for_a_day_still_tells(desk: Desk, ops: int, clock: Any) -> None:
    desk.raise_alerts(1)
    deciding.handle_due()
    clock.shift(2 * 86400)
    desk.far_side.plan = [Planned(status=500)]
    desk.work()
    assert desk.messages()[0].status is WAITING
    clock.shift(60)
    desk.work()
    assert desk.messages()[0].status is SENT


def test_one_that_cannot_be_sent_holds_nobody_up(desk: Desk, ops: int, clock: Any) -> None:
    desk.raise_alerts(1, 2)
    desk.far_side.plan = [Planned(status=500)]
    desk.work()
    clock.shift(10)
    desk.work()
    assert [title for _reason, title in desk.said()] == [
        "Check failing: SRV-1",
        "Check failing: SRV-2",
        "Check failing: SRV-1",
    ]


def test_a_channel_that_is_switched_off_is_told_nothing(desk: Desk, ops: int) -> None:
    desk.raise_alerts(1)
    deciding.handle_due()
    with transaction() as session:
        session.get_one(Channel, ops).active = False
    desk.send()
    [message] = desk.messages()
    assert (message.status, message.answer) == (DROPPED, "The channel was switched off.")
    assert desk.far_side.calls == []


# --- Many at once ---------------------------------------------------------------------------


def test_what_is_more_than_a_minute_takes_is_told_together(desk: Desk, clock: Any) -> None:
    channel_id = desk.add_channel(most=3)
    desk.add_rule(notify=(channel_id,))
    desk.raise_alerts(1)
    desk.work()
    desk.raise_alerts(*range(2, 40))
    desk.work()
    assert desk.reasons() == ["raised", "raised"]
    assert [each["count"] for each in bodies(desk)] == [1, 38]
    first, *others = desk.messages()[1:]
    assert {message.told_in for message in others} == {first.id}
    assert {message.status for message in desk.messages()} == {SENT}
    desk.raise_alerts(40, 41)
    desk.work()
    assert len(bodies(desk)) == 3  # the last one of this minute, for both
    desk.raise_alerts(50, 51)
    desk.work()
    assert len(bodies(desk)) == 3
    clock.shift(60)
    desk.work()
    assert [each["count"] for each in bodies(desk)][3:] == [1, 1]


def test_each_that_goes_by_itself_costs_the_same_however_many_wait(desk: Desk, clock: Any) -> None:
    desk.add_rule(notify=(desk.add_channel(most=60),))
    read: list[int] = []
    desk.raise_alerts(*range(50))
    deciding.handle_due()

    def note(message: Message, *_how: object) -> None:
        read.append(message.id)

    event.listen(Message, "refresh", note)
    try:
        desk.send()
    finally:
        event.remove(Message, "refresh", note)
    assert len(bodies(desk)) == 50
    assert 50 <= len(read) < 50 * 25


def test_what_is_refused_together_is_told_one_by_one(desk: Desk, clock: Any) -> None:
    desk.add_rule(notify=(desk.add_channel(most=2),))
    desk.far_side.plan = [Planned(status=413)]
    desk.raise_alerts(1, 2, 3)
    for _minute in range(3):
        desk.work()
        clock.shift(60)
    assert [each["count"] for each in bodies(desk)] == [3, 1, 1, 1]
    assert {message.status for message in desk.messages()} == {SENT}


def test_notices_have_words_of_their_own_and_join_nothing(desk: Desk) -> None:
    channel_id = desk.add_channel(most=1)
    with transaction() as session:
        session.add(
            Message(
                channel_id=channel_id,
                key="n1:began",
                reason=MessageReason.NOTICE,
                facts={"title": "Connection lost", "text": "Since noon."},
            )
        )
    desk.work()
    assert desk.said() == [("notice", "Connection lost")]


def test_a_channel_without_its_secret_says_what_to_enter(desk: Desk, ops: int) -> None:
    with transaction() as session:
        forget_secrets(session, session.get_one(Channel, ops))
    desk.raise_alerts(1)
    desk.work()
    [message] = desk.messages()
    assert (message.status, message.may_be_double) == (WAITING, False)
    assert channel(ops).last_error == "URL is missing. Enter it in the settings."
