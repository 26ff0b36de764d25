"""Mail by a real server: encrypted, in the thread of its alert, each answer understood."""

from __future__ import annotations

from collections.abc import Iterator
from ipaddress import ip_network
from typing import Any

import pytest

from portal.channels import KINDS, Outcome, Result, Telling, mail
from portal.egress import EgressPolicy, Gateway, Limits
from portal.far_side.form import Rejected
from portal.far_side.mail.addresses import BadAddress, clean_address, read_addresses
from tests.channels.samples import OVER, make_alert, make_digest, make_telling
from tests.egress.servers import LOOPBACK, drip, serve
from tests.support.mail_server import PASSWORD, USERNAME, MailServer, mail_server

KIND = KINDS["mail"]
SECURE = ("starttls", "tls")
SETTINGS = {
    "server": "localhost",
    "port": "587",
    "security": "starttls",
    "username": USERNAME,
    "sender": "alerts@msp.example",
    "sender_name": "Wächter, MSP",
    "to": "ops@msp.example\nboss@bücher.example",
}


@pytest.fixture
def server() -> Iterator[MailServer]:
    with mail_server() as one:
        yield one


def send(server: MailServer, telling: Telling | None = None, **settings: Any) -> Outcome:
    gateway = Gateway(LOOPBACK, server.certificate)
    chosen = SETTINGS | {"port": str(server.port)} | settings
    secrets = {"password": PASSWORD} if chosen["username"] else {}
    return KIND.send(gateway, chosen, secrets, telling or make_telling(sender="Our MSP"))


@pytest.mark.parametrize("security", SECURE)
def test_a_mail_arrives_encrypted_in_plain_text_and_html(security: str) -> None:
    with mail_server(security) as server:
        outcome = send(server, security=security)
        assert outcome.result is Result.SENT
        assert outcome.answer == "The mail server took it: 250 2.0.0 Queued as 4711"
        [got], [envelope] = server.mails, server.envelopes
        assert server.was_encrypted == [security == "starttls"] or security == "tls"
        assert set(server.names) == {"msp.example"}  # not the name of this machine
    assert envelope.mail_from == "alerts@msp.example"
    assert envelope.rcpt_tos == ["ops@msp.example", "boss@xn--bcher-kva.example"]
    assert got["Subject"] == "Overdue: SRV-01 (Contoso)"
    assert str(got["From"].addresses[0].display_name) == "Wächter, MSP"
    assert got["Auto-Submitted"] == "auto-generated"
    assert got["List-Id"] == "<alerts.msp.example>"
    plain, html = (got.get_body([kind]) for kind in ("plain", "html"))
    assert plain is not None
    assert html is not None
    assert "SRV-01 is overdue." in plain.get_content()
    assert "Acknowledge: https://portal.example/acknowledge/#abc" in plain.get_content()
    assert "Sent by the portal of Our MSP." in plain.get_content()
    assert '<a href="https://portal.example/acknowledge/#abc"' in html.get_content()


def test_the_resolve_stands_in_the_thread_and_a_repetition_has_the_same_id(
    server: MailServer,
) -> None:
    first = send(server)
    again = send(server, make_telling(may_be_double=True))
    resolved = make_telling(
        make_alert(over=OVER), key="h7:resolved:c1", reason="resolved", thread=first.thread
    )
    last = send(server, resolved)

    one, two, three = server.mails
    assert one["Message-ID"] == two["Message-ID"] == first.thread["message_id"]
    assert "second copy" in two.as_string()
    assert three["Message-ID"] != one["Message-ID"]
    assert three["References"] == three["In-Reply-To"] == one["Message-ID"]
    assert three["Subject"] == "Resolved: SRV-01 (Contoso)"
    assert again.thread == last.thread == first.thread


def test_nothing_of_an_alert_becomes_markup_or_a_header(server: MailServer) -> None:
    alert = make_alert(
        hostname="A\r\nBcc: x@evil.example",
        message="<script>x</script>\n.\n..\nQUIT",
        urgency="high",
    )
    assert send(server, make_telling(alert)).result is Result.SENT
    [got] = server.mails
    assert got["Bcc"] is None
    assert got["Subject"] == "Overdue: A Bcc: x@evil.example (Contoso)"
    assert got["Importance"] == "high"
    plain, html = (got.get_body([kind]) for kind in ("plain", "html"))
    assert plain is not None
    assert html is not None
    assert "</script>\n.\n..\nQUIT" in plain.get_content().replace("\r\n", "\n")
    assert "<script>" not in html.get_content()


def test_a_long_subject_keeps_its_spaces(server: MailServer) -> None:
    client = (
        "Castellanos Precision Tools & Partners, Schönfeld Dental Care Group, Dvořák Accounting AG"
    )
    send(server, make_telling(make_alert(client=client)))
    assert server.mails[0]["Subject"] == f"Overdue: SRV-01 ({client})"


def test_many_at_once_are_one_mail_to_a_person(server: MailServer) -> None:
    assert send(server, make_digest(recipient="jo@msp.example")).result is Result.SENT
    [got] = server.mails
    assert got["To"] == "jo@msp.example"
    assert "and 37 more of Contoso, 12 of them servers" in got.as_string()


@pytest.mark.parametrize(
    ("answers", "result", "says"),
    [
        ({"RCPT": "550 5.1.1 No such user"}, Result.REFUSED, "refused the recipients: 550"),
        ({"RCPT": "451 4.7.1 Greylisted"}, Result.FAILED, "refused the recipients: 451"),
        ({"ops@msp.example": "550 No"}, Result.SENT, "It refused ops@msp.example (550 No)."),
        ({"DATA": "552 5.3.4 Too big"}, Result.REFUSED, "refused the mail: 552"),
        ({"DATA": "452 4.3.1 Disk full"}, Result.FAILED, "refused the mail: 452"),
        ({"DATA": f"554 Your password {PASSWORD}"}, Result.REFUSED, "password [redacted]"),
    ],
)
def test_each_answer_is_understood(
    server: MailServer, answers: dict[str, str], result: Result, says: str
) -> None:
    server.answers = answers
    outcome = send(server)
    assert outcome.result is result
    assert says in outcome.answer
    assert PASSWORD not in outcome.answer


def test_an_answer_that_is_lost_after_the_mail_went_out_says_so(server: MailServer) -> None:
    server.cuts_off = True
    assert send(server).result is Result.LOST
    assert len(server.mails) == 1


def test_a_wrong_password_may_be_mended(server: MailServer) -> None:
    outcome = send(server, username="someone")
    assert outcome.result is Result.FAILED
    assert outcome.answer.startswith("The mail server refused the username or password: 535")


def test_a_certificate_that_nobody_vouches_for_is_refused(server: MailServer) -> None:
    for security in SECURE:
        with mail_server(security) as other:
            server.port = other.port
            gateway = Gateway(LOOPBACK)
            settings = SETTINGS | {"port": str(other.port), "security": security}
            outcome = KIND.send(gateway, settings, {"password": PASSWORD}, make_telling())
            assert outcome.result is Result.FAILED
            assert "certificate of localhost cannot be trusted" in outcome.answer
            assert other.mails == []


def test_without_tls_only_where_the_operator_allowed_it() -> None:
    with mail_server("none", signs_in=False) as server:
        assert send(server, security="none", username="").result is Result.SENT
        # The server offers no TLS: nothing is told in clear.
        outcome = send(server)
        assert outcome.result is Result.FAILED
        assert outcome.answer.startswith("The mail server does not encrypt")
        # 127.0.0.1 is not in an opened network: refused before anything is sent.
        closed = Gateway(EgressPolicy([ip_network("10.0.0.0/8")]), server.certificate)
        settings = SETTINGS | {"port": str(server.port), "security": "none"}
        refused = KIND.send(closed, settings, {}, make_telling())
        assert "to which the portal does not connect" in refused.answer
        assert len(server.mails) == 1


@pytest.mark.parametrize("line", [b"220-" + b"x" * 500 + b"\r\n", b"x" * 5000])
def test_a_server_that_talks_without_end_is_left(line: bytes) -> None:
    def talk(connection: Any, _: bytes) -> str:
        while True:
            connection.sendall(line)

    with serve(talk, greets=True) as server:
        port = server.url.rpartition(":")[2].rstrip("/")
        settings = SETTINGS | {"port": port, "security": "none"}
        outcome = KIND.send(Gateway(LOOPBACK), settings, {}, make_telling())
    assert outcome.result is Result.FAILED


def test_a_server_that_drips_is_left(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(mail, "LIMITS", Limits(connect=1, idle=1, total=0.2))
    with serve(drip(b"220 hello" * 9, 0.05), greets=True) as server:
        port = server.url.rpartition(":")[2].rstrip("/")
        settings = SETTINGS | {"port": port, "security": "none"}
        outcome = KIND.send(Gateway(LOOPBACK), settings, {}, make_telling())
    assert outcome.result is Result.FAILED
    assert "did not answer in time" in outcome.answer


def test_addresses_are_checked() -> None:
    assert clean_address(" jo+x@Bücher.example ") == "jo+x@xn--bcher-kva.example"
    assert read_addresses("a@b.example, a@b.example;\n c@b.example") == [
        "a@b.example",
        "c@b.example",
    ]
    bad = ("", "a", "@b.example", "a@", "a b@c.example", "ä@b.example", "a@b", "a..b@c.example")
    for text in (*bad, "a@-.example", "a@" + "x" * 64 + ".example", "a\n@b.example"):
        with pytest.raises(BadAddress):
            clean_address(text)
    with pytest.raises(BadAddress, match="at most 20"):
        read_addresses(" ".join(f"a{number}@b.example" for number in range(21)))


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("sender", "nobody"),
        ("to", "a@b.example x"),
        ("port", "0"),
        ("port", "x"),
        ("server", "smtp://x"),
        ("username", "jö"),
    ],
)
def test_what_cannot_work_is_named(field: str, value: str) -> None:
    with pytest.raises(Rejected) as caught:
        KIND.check(SETTINGS | {field: value}, {}, {})
    assert list(caught.value.problems) == [field]


def test_where_it_leads_is_shown() -> None:
    assert KIND.check(SETTINGS, {}, {}) == "ops@msp.example and 1 more"
