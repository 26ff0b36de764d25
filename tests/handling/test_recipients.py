"""A mail to several people, of whom the server refuses one: the others are told once."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta
from typing import Any

import pytest

from portal.clock import utc_now
from portal.db import db, transaction
from portal.models import Channel
from portal.models.channels.message import MessageStatus
from portal.services.handling.units import OVER
from tests.handling.conftest import Desk
from tests.support.mail_server import MailServer, mail_server

ANNA, BOB, CAROL = "anna@acme.example", "bob@acme.example", "carol@acme.example"
LATER, NEVER = "451 4.7.1 Greylisted", "550 5.1.1 No such user"
SENT, WAITING = MessageStatus.SENT, MessageStatus.WAITING
FAILED, DROPPED = MessageStatus.FAILED, MessageStatus.DROPPED
pytestmark = pytest.mark.one_database


@pytest.fixture
def server(desk: Desk) -> Iterator[MailServer]:
    """Of a channel to three people that is told of every alert."""
    with mail_server("none", signs_in=False) as server:
        settings = {"server": "localhost", "port": str(server.port), "security": "none"}
        settings |= {"username": "", "sender": "alerts@acme.example", "sender_name": ""}
        with transaction() as session:
            channel = Channel(
                kind="mail", name="Ops", settings=settings | {"to": f"{ANNA} {BOB} {CAROL}"}
            )
            session.add(channel)
            session.flush()
            channel_id = channel.id
        desk.add_rule(notify=(channel_id,), remind_hours=48)
        yield server


def told(server: MailServer) -> list[list[str]]:
    return [envelope.rcpt_tos for envelope in server.envelopes]


def states(desk: Desk) -> list[tuple[str | None, MessageStatus]]:
    return [(each.recipient, each.status) for each in desk.messages()]


def test_one_is_tried_again_alone_one_is_marked_and_nobody_is_told_twice(
    desk: Desk, server: MailServer, clock: Any
) -> None:
    server.answers = {BOB: LATER, CAROL: NEVER}
    desk.raise_alerts(1)
    desk.work()
    assert states(desk) == [(None, SENT), (BOB, WAITING), (CAROL, FAILED)]
    assert [each.answer for each in desk.messages()][1:] == [LATER, NEVER]
    assert f"{CAROL} of Ops could not be told. {NEVER}" in desk.timeline()
    clock.shift(60)
    desk.raise_alerts(2)
    desk.work()  # Bob is refused again, which holds nobody up
    channel = db.session.query(Channel).one()
    assert (channel.failures, channel.last_error) == (0, None)
    server.answers = {CAROL: NEVER}
    clock.shift(3600)
    desk.work()
    assert told(server) == [[ANNA], [ANNA], [BOB], [BOB]]
    desk.resolve(1)
    desk.work()
    assert told(server)[4:] == [[ANNA, BOB]]
    assert (BOB, WAITING) not in states(desk)
    assert any(text.startswith(f"Told {BOB} of Ops.") for text in desk.timeline())


def test_who_is_told_the_end_is_not_told_the_beginning_afterwards(
    desk: Desk, server: MailServer, clock: Any
) -> None:
    server.answers = {BOB: LATER}
    desk.raise_alerts(1)
    desk.work()
    server.answers = {}
    desk.resolve(1)
    desk.work()
    clock.shift(3600)
    desk.work()
    assert told(server) == [[ANNA, CAROL], [ANNA, BOB, CAROL]]
    [_raised, left, _resolved] = desk.messages()
    assert (left.status, left.answer) == (DROPPED, OVER)


def test_who_is_refused_for_a_day_is_marked(desk: Desk, server: MailServer, clock: Any) -> None:
    server.answers = {BOB: LATER}
    desk.raise_alerts(1)
    desk.work()
    for _hour in range(30):
        clock.shift(3600)
        desk.work()
    assert states(desk) == [(None, SENT), (BOB, FAILED)]
    assert utc_now() - desk.messages()[1].created_at > timedelta(days=1)
    assert told(server) == [[ANNA, CAROL]]
