"""Notices reach people by real channels: the beginning first, the end in its thread."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest

from portal import queue
from portal.clock import utc_now
from portal.db import transaction
from portal.models import Channel, Integration
from portal.models.channels.message import MessageReason, MessageStatus
from portal.models.integrations.integration import Stop
from portal.models.notices.notice import NoticeKind
from portal.scope import all_tenants
from portal.services.handling import line, sending
from portal.services.handling.units import NEVER_TOLD
from portal.services.notices.choices import choose
from portal.services.notices.detection import look
from portal.vault import store_secret
from tests.channels.far_side import FarSide, Planned, answering
from tests.handling.conftest import clock
from tests.notices.conftest import OWNER, change, membership, messages
from tests.support.mail_server import MailServer, mail_server
from tests.web.world import Place

__all__ = ["clock"]

MINUTE = timedelta(minutes=1)


@pytest.fixture(autouse=True)
def no_queue(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(queue, "enqueue", lambda *_job: True)


def add(kind: str, settings: dict[str, Any], **secrets: str) -> int:
    with transaction() as session:
        channel = Channel(kind=kind, name=kind, settings=settings)
        session.add(channel)
        session.flush()
        for name, secret in secrets.items():
            store_secret(session, channel, name, secret)
        return channel.id


def add_mail(server: MailServer) -> int:
    settings = {"server": "localhost", "port": str(server.port), "security": "none"}
    settings |= {"username": "", "sender": "alerts@acme.example", "sender_name": "", "to": OWNER}
    return add("mail", settings)


def add_http(far_side: FarSide) -> int:
    """Which the owner chose for a code that is needed."""
    settings = {"method": "POST", "format": "json", "knows_keys": False}
    channel_id = add("http", settings, url=f"{far_side.url}/ops")
    choose(membership(), OWNER, {(NoticeKind.CODE_NEEDED, channel_id)})
    return channel_id


def begin() -> None:
    change(Integration, stopped_for=Stop.CODE_NEEDED, stopped_at=utc_now())
    look()


def end(clock: Any) -> None:
    change(Integration, stopped_for=None, stopped_at=None)
    look()
    clock.shift(6 * MINUTE)
    look()


def send() -> None:
    with all_tenants():
        behind = sending.list_channels_behind()
    for _tenant, channel_id in behind:
        sending.send_messages(channel_id)


@pytest.mark.one_database
def test_the_end_comes_by_mail_in_the_thread_of_the_beginning(scope: Place, clock: Any) -> None:
    with mail_server("none", signs_in=False) as server:
        add_mail(server)
        begin()
        send()
        end(clock)
        send()
        began, over = server.mails
    assert began["To"] == over["To"] == OWNER
    assert over["Subject"] == f"Over: {began['Subject']}"
    assert over["In-Reply-To"] == over["References"] == began["Message-ID"]
    plain = began.get_body(["plain"])
    assert plain is not None
    assert "Enter the code that your authenticator app shows." in plain.get_content()


def test_the_end_waits_for_a_beginning_that_failed_once(
    scope: Place, clock: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(line, "ONE_BY_ONE", 1)  # the end is read first, and brings its beginning
    with answering() as far_side:
        far_side.plan = [Planned(status=503)]
        add_http(far_side)
        begin()
        send()
        end(clock)
        send()
        assert [call.json["reason"] for call in far_side.calls] == [
            "notice",
            *("notice", "notice_over"),
        ]
    assert {message.status for message in messages()} == {MessageStatus.SENT}


@pytest.mark.one_database
def test_the_end_of_what_was_never_told_is_not_sent(scope: Place, clock: Any) -> None:
    with answering() as far_side:
        far_side.plan = [Planned(status=400)]
        add_http(far_side)
        begin()
        send()
        end(clock)
        send()
        assert [call.json["reason"] for call in far_side.calls] == ["notice"]
    ends = [each for each in messages() if each.reason is MessageReason.NOTICE_OVER]
    assert [(each.status, each.answer) for each in ends] == [(MessageStatus.DROPPED, NEVER_TOLD)]
