"""Links by mail: sent by a worker to one person, once, and their code stands nowhere else."""

from __future__ import annotations

import re
from collections.abc import Iterator
from datetime import timedelta

import pytest
import time_machine
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy import func, select, update

from portal.clock import utc_now
from portal.db import db, transaction
from portal.models import AuditEntry, Channel, Invitation, Message, PasswordReset, Secret
from portal.models.channels.message import MessageStatus
from portal.scope import tenant_scope
from portal.services.accounts import users
from portal.services.channels.changing import switch_channel
from portal.services.channels.deleting import delete_channel
from portal.services.handling import sending
from portal.services.handling.retention import prune_told
from portal.services.handling.units import LINK_GONE
from tests.support.mail_server import MailServer, mail_server
from tests.support.second_factors import set_up_app
from tests.web.conftest import code_of
from tests.web.world import Place

EMAIL, PASSWORD = "anna@acme.example", "correct horse battery"
LINK = re.compile(r"http[^\s\"<]+/(?:invitation|reset)#[\w-]{43}")


@pytest.fixture
def server() -> Iterator[MailServer]:
    with mail_server("none", signs_in=False) as server:
        yield server


@pytest.fixture
def channel(app: Flask, acme: Place, server: MailServer) -> int:
    settings = {"server": "localhost", "port": str(server.port), "security": "none"}
    settings |= {"username": "", "sender": "it@acme.example", "sender_name": ""}
    settings |= {"to": "all@acme.example"}
    with app.app_context(), tenant_scope(acme.id), transaction() as session:
        row = Channel(kind="mail", name="Office mail", settings=settings)
        session.add(row)
        session.flush()
        return row.id


def invite(owner: FlaskClient, acme: Place, email: str = EMAIL) -> str:
    """By mail; the link that the page shows."""
    data = {"email": email, "role": "technician", "sees": "all", "mail": "yes"}
    answer = owner.post(acme.url("users/invite"), data=data)
    assert answer.status_code == 200
    link: str
    [link] = set(LINK.findall(answer.text))
    assert f"A mail to {email} is on its way" in answer.text
    return link


def send(app: Flask, acme: Place, channel: int) -> None:
    """As a worker does, whatever the channel rests for."""
    with app.app_context(), tenant_scope(acme.id):
        with transaction() as session:
            session.get_one(Channel, channel).due_at = None
            session.execute(update(Message).values(due_at=None))
        sending.send_messages(channel)


def count_codes(app: Flask, acme: Place) -> int:
    with app.app_context(), tenant_scope(acme.id):
        of_messages = select(func.count()).where(Secret.owner == Message.__tablename__)
        return db.session.scalar(of_messages) or 0


def message(app: Flask, acme: Place) -> Message:
    with app.app_context(), tenant_scope(acme.id):
        return db.session.scalars(select(Message).order_by(Message.id.desc()).limit(1)).one()


def newest(app: Flask, acme: Place) -> int:
    with app.app_context(), tenant_scope(acme.id):
        return db.session.scalar(select(func.max(Invitation.id))) or 0


def links_in(server: MailServer) -> list[set[str]]:
    """Of each mail: both of its parts hold the link."""
    found = []
    for mail in server.mails:
        parts = [mail.get_body([kind]) for kind in ("plain", "html")]
        plain, html = (set(LINK.findall(part.get_content())) for part in parts if part)
        assert plain == html
        found.append(plain)
    return found


def test_an_invitation_comes_by_mail_and_works_once(
    app: Flask, owner: FlaskClient, acme: Place, server: MailServer, channel: int
) -> None:
    link = invite(owner, acme)
    assert server.mails == [], "no request sends mail"
    assert "Mail waits to be sent" in owner.get(acme.url("users/")).text
    assert count_codes(app, acme) == 1
    waiting = message(app, acme)
    assert code_of(link) not in str(vars(waiting))
    send(app, acme, channel)

    [envelope], [mail] = server.envelopes, server.mails
    assert envelope.rcpt_tos == [EMAIL]
    assert (mail["To"], mail["Cc"], mail["List-Id"]) == (EMAIL, None, None)
    assert mail["Subject"] == "Invitation to Acme IT"
    assert links_in(server) == [{link}]
    plain = mail.get_body(["plain"])
    assert plain is not None
    assert "owner@acme.example invites you" in plain.get_content()
    assert "Mail sent" in owner.get(acme.url("users/")).text
    assert code_of(link) not in owner.get(acme.url(f"channels/{channel}")).text
    assert count_codes(app, acme) == 0
    data = {"code": code_of(link), "password": PASSWORD}
    assert app.test_client().post("/invitation/accept", data=data).location == acme.url()
    assert app.test_client().post("/invitation/accept", data=data).status_code == 404
    with app.app_context(), tenant_scope(acme.id):
        rows = db.session.scalars(select(AuditEntry).where(AuditEntry.action == "user.invited"))
        assert [row.after["by_mail"] for row in rows if row.after] == [True]


@pytest.mark.one_database
def test_a_server_that_refuses_is_tried_again_and_the_page_says_why(
    app: Flask, owner: FlaskClient, acme: Place, server: MailServer, channel: int
) -> None:
    link = invite(owner, acme)
    server.answers = {"RCPT": "451 4.7.1 Greylisted"}
    send(app, acme, channel)
    page = owner.get(acme.url("users/")).text
    assert "Mail not sent yet" in page
    assert "451 4.7.1 Greylisted" in page
    server.answers = {}
    send(app, acme, channel)
    assert links_in(server) == [{link}]

    link = invite(owner, acme)
    server.answers = {"DATA": f"554 5.7.1 No links such as {link}"}
    send(app, acme, channel)
    page = owner.get(acme.url("users/")).text
    assert "Mail could not be sent" in page
    assert "No links such as" in page
    assert code_of(link) not in page
    assert count_codes(app, acme) == 0
    assert app.test_client().post("/invitation", data={"code": code_of(link)}).status_code == 200


@pytest.mark.one_database
def test_a_link_that_is_gone_is_not_sent(
    app: Flask, owner: FlaskClient, acme: Place, server: MailServer, channel: int
) -> None:
    invite(owner, acme)
    second = invite(owner, acme)
    assert "Mail a new link" in owner.get(acme.url("users/")).text
    renewed = owner.post(
        acme.url(f"users/invitations/{newest(app, acme)}/renew"), data={"mail": "yes"}
    ).text
    [third] = set(LINK.findall(renewed))
    assert third != second
    send(app, acme, channel)
    assert links_in(server) == [{third}]

    invite(owner, acme, "berta@acme.example")
    owner.post(acme.url(f"users/invitations/{newest(app, acme)}/withdraw"))
    send(app, acme, channel)
    assert (message(app, acme).status, message(app, acme).answer) == ("dropped", LINK_GONE)
    assert len(server.mails) == 1
    assert count_codes(app, acme) == 0
    with (
        app.app_context(),
        tenant_scope(acme.id),
        time_machine.travel(utc_now() + timedelta(days=91)),
    ):
        assert prune_told() == 4


@pytest.mark.one_database
@pytest.mark.parametrize("how", ["off", "deleted"])
def test_the_code_goes_with_its_channel(
    app: Flask, owner: FlaskClient, acme: Place, channel: int, how: str
) -> None:
    link = invite(owner, acme)
    with app.app_context(), tenant_scope(acme.id):
        if how == "deleted":
            delete_channel(channel)
        else:
            switch_channel(channel, on=False)
            sending.send_messages(channel)
    assert count_codes(app, acme) == 0
    page = owner.get(acme.url("users/")).text
    assert ("The channel was switched off." in page) is (how == "off")
    assert "add a mail channel" in page
    assert app.test_client().post("/invitation", data={"code": code_of(link)}).status_code == 200


def test_a_new_password_comes_by_mail(
    app: Flask, owner: FlaskClient, acme: Place, server: MailServer, channel: int
) -> None:
    with app.app_context():
        anna = users.add_user(EMAIL, PASSWORD, acme.slug, "technician").id
        set_up_app(anna, PASSWORD)
    page = acme.url(f"users/{anna}")
    shown = owner.post(f"{page}/reset", data={"remove_factors": "yes", "mail": "yes"}).text
    [link] = set(LINK.findall(shown))
    assert "Mail waits to be sent" in shown
    send(app, acme, channel)

    [envelope], [mail] = server.envelopes, server.mails
    assert envelope.rcpt_tos == [EMAIL]
    assert links_in(server) == [{link}]
    plain = mail.get_body(["plain"])
    assert plain is not None
    assert "removes your second factors" in plain.get_content().replace("\n", " ")
    assert "Mail sent" in owner.get(page).text
    new = {"code": code_of(link), "password": "another horse battery"}
    assert app.test_client().post("/reset/password", data=new).location == "/sign-in"
    assert app.test_client().post("/reset/password", data=new).status_code == 404
    assert count_codes(app, acme) == 0


@pytest.mark.one_database
def test_without_a_mail_channel_or_with_an_address_of_no_mail_nothing_is_made(
    app: Flask, owner: FlaskClient, acme: Place
) -> None:
    assert "add a mail channel" in owner.get(acme.url("users/")).text
    data = {"email": EMAIL, "role": "technician", "sees": "all", "mail": "yes"}
    refused = owner.post(acme.url("users/invite"), data=data)
    assert (refused.status_code, "There is no mail channel" in refused.text) == (422, True)
    reset = owner.post(acme.url(f"users/{acme.member}/reset"), data={"mail": "yes"})
    assert reset.status_code >= 400
    assert "There is no mail channel" in reset.text
    with app.app_context(), tenant_scope(acme.id), transaction() as session:
        session.add(Channel(kind="mail", name="Office mail"))
    data |= {"email": "anna,boss@acme.example"}
    bad = owner.post(acme.url("users/invite"), data=data)
    assert (bad.status_code, "before the @" in bad.text) == (422, True)
    with app.app_context(), tenant_scope(acme.id):
        assert db.session.scalars(select(Invitation.email)).all() == ["guest@acme.example"]
        assert db.session.scalars(select(PasswordReset)).all() == []
        waiting = Message.status == MessageStatus.WAITING
        assert db.session.scalars(select(Message.recipient).where(waiting)).all() == []
