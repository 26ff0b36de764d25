"""A helpdesk that is told by mail, by a real mail server: threads, and nothing sent twice."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest

from portal.egress import Gateway
from portal.far_side.form import Rejected
from portal.helpdesks import carefully
from portal.helpdesks.kind import AnswerLost, Draft, HelpdeskError, NotDone, Refused
from portal.helpdesks.mail import KIND
from portal.helpdesks.mail.client import MailClient, make_reference
from tests.egress.servers import LOOPBACK
from tests.support.mail_server import PASSWORD, USERNAME, MailServer, mail_server

SETTINGS = {
    "address": "support@desk.example",
    "server": "localhost",
    "port": "587",
    "security": "starttls",
    "username": USERNAME,
    "sender": "alerts@msp.example",
    "sender_name": "",
}
DRAFT = Draft(
    key="acme-it-0123456789abcdef",
    queue="support@desk.example",
    urgency="high",
    subject="Größe “C:”\r\nBcc: x@evil.example",
    body="C: is full\n.\nhttps://portal.example/alerts/1",
)


@pytest.fixture
def server() -> Iterator[MailServer]:
    with mail_server() as one:
        yield one


def connect(server: MailServer, **own: Any) -> MailClient:
    settings = {**SETTINGS, "port": str(server.port), **own}
    gateway = Gateway(LOOPBACK, server.certificate)
    return KIND.connect(gateway, settings, {"password": PASSWORD})


def test_a_ticket_is_a_thread_whose_reference_stands_in_each_subject(server: MailServer) -> None:
    client = connect(server)
    opened = client.open(DRAFT)
    client.comment(opened.reference, "Again: 82 °C\nSince 12:00")
    client.comment(opened.reference, "Again: 82 °C\nSince 12:00", closing=True)

    first, *comments = server.mails
    assert opened.reference == make_reference(DRAFT.key) == "ACMEIT-" + opened.reference[-8:]
    assert first["To"] == "support@desk.example"
    assert first["Subject"] == f"[{opened.reference}] Größe “C:” Bcc: x@evil.example"
    assert first["Importance"] == "high"
    assert (first["Bcc"], first["Auto-Submitted"]) == (None, None)
    assert first.get_content().replace("\r\n", "\n").strip() == DRAFT.body
    for comment in comments:
        assert comment["Subject"] == f"Re: [{opened.reference}] Again: 82 °C"
        assert comment["In-Reply-To"] == comment["References"] == first["Message-ID"]
    assert len({mail["Message-ID"] for mail in server.mails}) == 3


def test_what_perhaps_arrived_is_left_to_a_person_who_is_told_its_reference(
    server: MailServer,
) -> None:
    assert not KIND.can_find(SETTINGS)
    assert not KIND.can_close(SETTINGS)
    server.cuts_off = True
    client = connect(server)
    with pytest.raises(AnswerLost) as caught:
        client.open(DRAFT)
    reference = make_reference(DRAFT.key)
    assert f"[{reference}] stands in its subject" in caught.value.message
    assert list(client.read([reference, "1042"])) == [reference]
    server.cuts_off = False
    client.open(DRAFT)
    assert len({mail["Message-ID"] for mail in server.mails}) == 1


@pytest.mark.parametrize(
    ("answers", "expected"),
    [
        ({"RCPT": "550 5.1.1 No such user"}, Refused),
        ({"RCPT": "451 4.7.1 Greylisted"}, NotDone),
        ({"DATA": f"554 Your password {PASSWORD}"}, Refused),
    ],
)
def test_each_refusal_is_understood(
    server: MailServer, answers: dict[str, str], expected: type[HelpdeskError]
) -> None:
    server.answers = answers
    with pytest.raises(HelpdeskError) as caught:
        connect(server).open(DRAFT)
    assert type(caught.value) is expected
    assert PASSWORD not in caught.value.message


def test_a_probe_signs_in_before_it_sends(server: MailServer) -> None:
    def probe(**own: Any) -> list[carefully.ProbeStep]:
        return carefully.probe(connect(server, **own), DRAFT, can_find=False, can_close=False)

    assert [step.name for step in probe() if step.is_good] == ["account", "open", "comment"]
    assert len(server.mails) == 2
    [step] = probe(username="someone")
    assert (step.name, step.is_good) == ("account", False)
    assert step.text.startswith("The mail server refused the username or password")
    [step] = probe(port="1")
    assert (step.name, step.is_good) == ("account", False)
    assert len(server.mails) == 2


def test_what_cannot_be_done_says_so(server: MailServer) -> None:
    client = connect(server)
    for change in (client.close, client.reopen):
        with pytest.raises(Refused, match="told by mail"):
            change("ACME-ABCDEFGH")
    with pytest.raises(Refused, match="no reference"):
        client.comment("1042]\r\nBcc: x@evil.example", "x")
    assert server.mails == []
    assert [each.id for each in client.list_queues()] == ["support@desk.example"]


@pytest.mark.parametrize(("field", "value"), [("address", "desk"), ("port", "x")])
def test_what_cannot_work_is_named(field: str, value: str) -> None:
    assert KIND.check(SETTINGS, {}) == "support@desk.example"
    with pytest.raises(Rejected) as caught:
        KIND.check(SETTINGS | {field: value}, {})
    assert list(caught.value.problems) == [field]
