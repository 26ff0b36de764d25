"""Processes that die, are stopped for long, or come at the same moment."""

from __future__ import annotations

import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest
from flask import Flask

from portal.channels import wording
from portal.clock import utc_now
from portal.models import Channel
from portal.models.alerts.handling import HandlingState
from portal.models.channels.message import MessageReason, MessageStatus
from portal.scope import tenant_scope
from portal.services.handling import deciding
from portal.services.handling.attempts import begin
from portal.services.handling.sending import send_messages
from portal.services.handling.settling import settle
from portal.services.turns import claim
from tests.handling.conftest import Desk

WAITING, SENT = MessageStatus.WAITING, MessageStatus.SENT


@pytest.mark.parametrize("died", ["before", "after"])
def test_a_worker_that_is_killed_between_sending_and_writing_may_have_sent(
    desk: Desk, ops: int, clock: Any, died: str
) -> None:
    desk.raise_alerts(1)
    deciding.handle_due()
    lease = claim(Channel, ops)
    assert lease is not None
    attempt = begin(ops, lease)
    assert attempt is not None
    if died == "after":
        attempt.send()
    desk.send()  # its lease still holds
    assert desk.messages()[0].status is WAITING
    clock.shift(15)
    desk.send()
    [message] = desk.messages()
    assert (message.status, message.attempts, message.may_be_double) == (SENT, 2, True)
    assert desk.far_side.calls[-1].json["note"] == wording.MAY_BE_DOUBLE


def test_a_process_that_was_stopped_too_long_writes_nothing(
    desk: Desk, ops: int, clock: Any
) -> None:
    desk.raise_alerts(1)
    deciding.handle_due()
    lease = claim(Channel, ops) or ""
    attempt = begin(ops, lease)
    assert attempt is not None
    clock.shift(15)
    desk.send()
    outcome = attempt.send()
    assert settle(attempt, outcome) is False
    assert desk.messages()[0].attempts == 2


def test_one_process_at_a_time_sends_to_a_channel(desk: Desk, ops: int) -> None:
    desk.raise_alerts(1)
    deciding.handle_due()
    assert claim(Channel, ops) is not None
    assert send_messages(ops) == 0
    assert desk.far_side.calls == []


def test_a_killed_process_leaves_all_as_it_was(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    class Killed(BaseException):
        pass

    def die(*_arguments: object) -> None:
        raise Killed

    desk.add_rule(notify=(desk.add_channel(),))
    desk.raise_alerts(1)
    monkeypatch.setattr(deciding, "add_entries", die)
    with pytest.raises(Killed):
        deciding.handle_due()
    monkeypatch.undo()
    assert (desk.handling().state, desk.messages()) == (HandlingState.UNDECIDED, [])
    due_at = desk.handling().due_at
    assert due_at is not None
    assert due_at <= utc_now()
    deciding.handle_due()
    assert len(desk.messages()) == 1


def test_news_decisions_and_messages_at_the_same_moment(desk: Desk, app: Flask) -> None:
    """Two that decide and two that send, while alerts come and go: each is told, once."""
    desk.add_rule(notify=(desk.add_channel(most=10_000),), remind_hours=1)
    is_done = threading.Event()

    def again(work: Callable[[], object]) -> None:
        with app.app_context(), tenant_scope(desk.tenant_id):
            while not is_done.is_set():
                work()

    with ThreadPoolExecutor() as threads:
        works = [deciding.handle_due, deciding.handle_due, desk.send, desk.send]
        running = [threads.submit(again, work) for work in works]
        try:
            for first in range(0, 40, 4):
                desk.raise_alerts(*range(first, first + 4))
                desk.resolve(*range(first, first + 4))
        finally:
            is_done.set()
        for each in running:
            each.result()
    desk.work()
    for _turn in range(24):  # each ends after some time, however little was sent in it
        if desk.messages(MessageStatus.WAITING):
            desk.work()
    messages = desk.messages()
    raised = [each for each in messages if each.reason is MessageReason.RAISED]
    assert [each.status for each in raised] == [SENT] * 40
    unsettled = [each for each in messages if each.status not in (SENT, MessageStatus.DROPPED)]
    assert unsettled == []
    keys = [call.json["key"] for call in desk.far_side.calls]
    assert len(keys) == len(set(keys)) >= 40
