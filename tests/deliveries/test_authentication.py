"""Who is let in: the same answer and the same way for whatever is wrong, and never too often."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta

import pytest
import time_machine
from sqlalchemy import event, select
from sqlalchemy.engine import Engine

from portal.app import BrowserSessions
from portal.clock import utc_now
from portal.db import Base, db
from portal.scope import all_tenants
from portal.services.webhook import keys
from portal.services.webhook.rotation import rotate_secret
from tests.deliveries.conftest import HEADER, PATH, SENT, Intake

pytestmark = pytest.mark.mainly("postgresql")

WRONG: dict[str, tuple[dict[str, str], str | None]] = {
    "no header": ({}, "acme"),
    "an empty header": ({HEADER: ""}, "acme"),
    "a wrong secret": ({HEADER: "wrong"}, "acme"),
    "letters beyond ASCII": ({HEADER: "ü" * 43}, "acme"),
    "a long secret": ({HEADER: "x" * 8000}, "acme"),
    "an unknown tenant": ({HEADER: "wrong"}, "nobody"),
    "an unknown number": ({HEADER: "wrong"}, "999999"),
    "no tenant": ({HEADER: "wrong"}, None),
}


@contextmanager
def counted_statements() -> Iterator[list[str]]:
    found: list[str] = []

    def note(_connection: object, _cursor: object, statement: str, *_: object) -> None:
        found.append(statement)

    event.listen(Engine, "before_cursor_execute", note)
    try:
        yield found
    finally:
        event.remove(Engine, "before_cursor_execute", note)


def forget(intake: Intake) -> None:
    """What a process keeps of the secrets for a second."""
    with intake.app.app_context():
        keys._kept().senders.clear()


def test_no_session_is_read_and_none_is_kept(
    intake: Intake, caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    with monkeypatch.context() as patch:
        patch.setattr(BrowserSessions, "get_signing_serializer", None)
        answer = intake.post(environ={"HTTP_COOKIE": "portal=of-somebody"})
    assert (answer.status_code, answer.headers.get("Set-Cookie")) == (202, None)
    page = intake.app.test_client().get(PATH)  # by somebody who looks at it
    assert page.status_code == 405
    assert "<html" in page.text
    assert not caplog.records


def test_whatever_is_wrong_the_answer_is_one(intake: Intake) -> None:
    answers = {
        (answer.status_code, answer.data, answer.content_type)
        for headers, tenant in WRONG.values()
        for answer in [intake.knock(headers, tenant)]
    }
    [(status, body, _type)] = answers
    assert status == 401
    assert b"secret or the tenant is wrong" in body
    right_secret = {HEADER: intake.secret}
    assert intake.knock(right_secret, "nobody").data == body
    assert intake.knock(right_secret, None).data == body
    assert intake.count() == 0


@pytest.mark.parametrize("remembered", [True, False])
def test_whatever_is_wrong_the_way_is_one(intake: Intake, remembered: bool) -> None:
    """A tenant that exists costs a guess no more statements than one that does not."""
    intake.post()  # so that a connection is there and the last use is noted
    costs = {}
    for name, (headers, tenant) in WRONG.items():
        forget(intake)
        if remembered:
            intake.post()
        with counted_statements() as statements:
            assert intake.knock(headers, tenant, name).status_code == 401
        costs[name] = [each for each in statements if each.startswith("SELECT")]
    assert len({len(cost) for cost in costs.values()}) == 1, costs


def test_a_storm_asks_the_database_for_the_secret_once(intake: Intake) -> None:
    intake.post()
    with counted_statements() as statements:
        for _ in range(5):
            intake.post()
    assert sum("webhook_keys" in each for each in statements) <= 1


@pytest.mark.one_database
@pytest.mark.parametrize("name", [HEADER.lower(), HEADER.upper(), "x-ALGA-webhook-SECRET"])
def test_the_header_may_be_written_in_any_case(intake: Intake, name: str) -> None:
    answer = intake.knock({name: intake.secret}, "acme")
    assert answer.status_code == 202


@pytest.mark.one_database
def test_the_tenant_is_named_by_id_or_slug(intake: Intake) -> None:
    for tenant in ("acme", str(intake.tenant_id)):
        assert intake.knock({HEADER: intake.secret}, tenant).status_code == 202


@pytest.mark.one_database
def test_no_session_and_no_other_method(intake: Intake) -> None:
    answer = intake.post()
    assert "Set-Cookie" not in answer.headers
    assert intake.app.test_client().get("/api/webhooks/tacticalrmm?tenant=acme").status_code == 405


@pytest.mark.one_database
def test_wrong_attempts_are_limited_by_address_and_right_ones_never(intake: Intake) -> None:
    wrong = {HEADER: "wrong"}
    answers = [intake.knock(wrong, "acme").status_code for _ in range(32)]
    assert answers == [401] * 30 + [429] * 2
    assert intake.knock(wrong, "nobody").status_code == 429
    assert intake.knock(wrong, "acme", "10.0.0.2").status_code == 401, "another address"
    right = [intake.post().status_code for _ in range(70)]
    assert right == [202] * 70
    assert intake.count() == 70


def test_the_old_secret_holds_for_a_day_after_a_rotation(intake: Intake) -> None:
    with intake.scope():
        new = rotate_secret().secret

    def answers() -> list[int]:
        forget(intake)
        return [intake.knock({HEADER: s}, "acme").status_code for s in (intake.secret, new)]

    assert answers() == [202, 202]
    with time_machine.travel(utc_now() + timedelta(hours=23, minutes=59), tick=False):
        assert answers() == [202, 202]
    with time_machine.travel(utc_now() + timedelta(hours=24, minutes=1), tick=False):
        assert answers() == [401, 202]


def test_at_once_ends_the_old_secret(intake: Intake) -> None:
    intake.post()
    with intake.scope():
        new = rotate_secret(at_once=True).secret
    assert intake.post().status_code == 401
    assert intake.knock({HEADER: new}, "acme").status_code == 202


def test_the_secret_is_stored_with_nothing(
    intake: Intake, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(0)
    intake.post(str(SENT).encode())
    intake.knock({HEADER: intake.secret}, "nobody")
    with intake.scope(), all_tenants():
        for table in Base.metadata.sorted_tables:
            rows = db.session.execute(select(table)).all()
            assert intake.secret not in repr(rows), table.name
    assert intake.secret not in caplog.text
