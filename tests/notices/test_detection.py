"""Notices begin when something lasts, are told once, and end once it is gone."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta

import pytest
import time_machine
from flask import Flask
from sqlalchemy import delete, select

from portal.clock import utc_now
from portal.db import db, transaction
from portal.models import (
    Alert,
    AuditEntry,
    Channel,
    Delivery,
    EventSubscriber,
    Integration,
    Membership,
    OrganizationMapping,
    SoftwareWatch,
    SyncPlan,
)
from portal.models.alerts.alert import AlertSource, AlertStatus, Severity
from portal.models.channels.message import MessageStatus
from portal.models.events.event import EventType
from portal.models.integrations.integration import IntegrationState, PreviewReason, Stop
from portal.models.notices.notice import NoticeKind
from portal.models.runs.sync_plan import PlanOrigin, PlanStatus
from portal.scope import tenant_scope
from portal.services.accounts.users import disable_user
from portal.services.channels.deleting import delete_channel
from portal.services.notices.choices import choose
from portal.services.notices.detection import NO_PLACE, look
from portal.services.notices.kinds import KINDS
from portal.services.notices.planning import Lasting, Step, plan_changes
from portal.services.notices.sign import Sign
from portal.sync.software.watches import look_at_watches
from tests.events.conftest import events
from tests.notices.conftest import OWNER, add_channel, change, membership, messages, notices
from tests.support.statements import counting
from tests.web.world import Place, make_place, make_user

pytestmark = pytest.mark.mainly("postgresql")

MINUTE = timedelta(minutes=1)
Break = Callable[[Place], None]
NOON = utc_now().replace(hour=12, minute=0, second=0, microsecond=0)


def lose_connection(_place: Place) -> None:
    change(Integration, failures_in_row=5, failing_since=utc_now() - 11 * MINUTE)


def mend_connection(_place: Place) -> None:
    change(Integration, failures_in_row=0, failing_since=None)


def refuse_credentials(_place: Place) -> None:
    change(Integration, stopped_for=Stop.WRONG_KEY, stopped_at=utc_now())


def ask_for_code(_place: Place) -> None:
    change(Integration, stopped_for=Stop.CODE_NEEDED, stopped_at=utc_now())


def hold_plan(place: Place) -> None:
    with transaction() as session:
        plan = SyncPlan(
            integration_id=session.query(Integration.id).scalar(),
            run_id=place.run,
            origin=PlanOrigin.BRAKE,
            status=PlanStatus.OPEN,
            reason="This run would move 9 assets.",
            expires_at=utc_now() + timedelta(days=1),
        )
        session.add(plan)


def hold_organization(_place: Place) -> None:
    change(OrganizationMapping, held_since=utc_now())


def hold_server(_place: Place) -> None:
    change(Integration, state=IntegrationState.HELD, tested_at=utc_now())


def leave_preview(_place: Place) -> None:
    since = utc_now() - timedelta(hours=2)
    change(Integration, preview_due=PreviewReason.NEW_SERVER, preview_due_at=since)


def silence_webhook(place: Place) -> None:
    """An alert that reconciliation found began 40 minutes ago, a day after anything came."""
    long_ago = utc_now() - timedelta(days=1)
    change(Delivery, place.delivery, received_at=long_ago)
    began = utc_now() - 40 * MINUTE
    change(Alert, place.alert, source=AlertSource.BACKFILL, triggered_at=began)


def fail_subscriber(place: Place) -> None:
    since, error = utc_now() - 20 * MINUTE, "It answered 500."
    facts = {"failures": 5, "failing_since": since, "last_error": error}
    change(EventSubscriber, place.subscriber, **facts)


def stop_subscriber(place: Place) -> None:
    since = utc_now() - timedelta(days=3)
    facts = {"failures": 1, "failing_since": since, "last_error": "It is gone.", "active": False}
    change(EventSubscriber, place.subscriber, **facts)


def near_end_of_certificate(_place: Place) -> None:
    change(Integration, certificate_ends_at=utc_now() + timedelta(days=20))


def match_watch(place: Place) -> None:
    watch = db.session.get_one(SoftwareWatch, place.watch)
    with transaction() as session:
        look_at_watches(session, [watch.product_id])


WRONG = {
    lose_connection: (NoticeKind.CONNECTION_LOST, "", "does not reach https://api.acme.example"),
    refuse_credentials: (NoticeKind.CREDENTIALS_REFUSED, "", "refuses what the portal signs in"),
    ask_for_code: (NoticeKind.CODE_NEEDED, "", "Enter the code"),
    hold_plan: (NoticeKind.SYNC_HELD, "devices", "This run would move 9 assets."),
    hold_organization: (NoticeKind.SYNC_HELD, "organizations", "no longer lists 1 organization"),
    hold_server: (NoticeKind.SYNC_HELD, "server", "the same server or a new one"),
    leave_preview: (NoticeKind.SYNC_HELD, "preview", "Scheduled device syncs wait"),
    silence_webhook: (NoticeKind.WEBHOOK_SILENT, "", "1 alert began"),
    fail_subscriber: (NoticeKind.SUBSCRIBER_FAILING, None, "It answered 500. The portal goes on"),
    stop_subscriber: (NoticeKind.SUBSCRIBER_FAILING, None, "It is gone. It was stopped."),
    near_end_of_certificate: (NoticeKind.CERTIFICATE_EXPIRES, "", "is valid until"),
    match_watch: (NoticeKind.WATCH_MATCHES, None, "There is Acme Suite older than 2.0. The watch"),
}


def test_while_nothing_is_wrong_nothing_is_told(mail: int) -> None:
    look()

    assert (notices(), messages()) == ([], [])


@pytest.mark.parametrize("breaks", WRONG, ids=lambda breaks: breaks.__name__)
def test_what_is_wrong_is_told_once(scope: Place, mail: int, breaks: Break) -> None:
    kind, subject, words = WRONG[breaks]
    breaks(scope)

    look()
    look()

    (notice,), (message,) = notices(), messages()
    if subject is None:
        subject = str(scope.watch if kind is NoticeKind.WATCH_MATCHES else scope.subscriber)
    assert (notice.kind, notice.subject, notice.ended_at) == (kind, subject, None)
    assert words in notice.text
    assert message.key == f"n{notice.id}:began:c{mail}:{membership()}"
    assert (message.recipient, message.reason) == (OWNER, "notice")
    assert message.facts["title"] == KINDS[kind].title
    page = f"http://localhost:5000/t/acme/{KINDS[kind].page}"
    assert words in message.facts["text"]
    assert message.facts["text"].endswith(page)
    (event,) = events(EventType.NOTICE_BEGAN)
    assert (event.payload["kind"], event.payload["notice_id"]) == (str(kind), notice.id)


def test_what_is_over_is_told_once_and_when_it_was(scope: Place, mail: int) -> None:
    lose_connection(scope)
    look()
    mend_connection(scope)
    look()
    assert (len(messages()), notices()[0].ended_at) == (1, None)
    with time_machine.travel(utc_now() + 6 * MINUTE):
        look()
        look()

    (notice,), (began, ended) = notices(), messages()
    assert notice.ended_at == notice.calm_since is not None
    assert ended.key == f"n{notice.id}:ended:c{mail}:{membership()}"
    assert (ended.recipient, ended.reason) == (OWNER, "notice_over")
    assert ended.facts["title"] == "Over: Tactical does not answer"
    assert "after 11 minutes" in ended.facts["text"]
    assert began.facts["title"] == "Tactical does not answer"
    assert [event.payload["ended_at"] is None for event in events(EventType.NOTICE_ENDED)] == [
        False
    ]


@pytest.mark.one_database
def test_a_connection_that_flaps_is_told_of_once(scope: Place, mail: int) -> None:
    """Up for two minutes and down for eleven, all day long."""
    now = utc_now()
    for round_ in range(5):
        with time_machine.travel(now + round_ * 13 * MINUTE):
            lose_connection(scope)
            look()
            mend_connection(scope)
            look()

    assert len(notices()) == len(messages()) == 1


def test_a_webhook_that_nobody_set_up_is_not_silent(scope: Place, mail: int) -> None:
    silence_webhook(scope)
    with transaction() as session:
        session.execute(delete(Delivery))
    look()
    assert notices() == []


def test_a_silent_webhook_stays_so_when_its_deliveries_are_pruned(scope: Place, mail: int) -> None:
    silence_webhook(scope)
    with transaction() as session:
        integration_id = session.get_one(Alert, scope.alert).integration_id
        long_ago = utc_now() - timedelta(days=30)
        session.add(
            Alert(
                integration_id=integration_id,
                external_alert_id="7",
                condition="check",
                alert_type="check",
                severity=Severity.ERROR,
                status=AlertStatus.RESOLVED,
                source=AlertSource.WEBHOOK,
                triggered_at=long_ago,
                received_at=long_ago,
            )
        )
    look()
    with transaction() as session:
        session.execute(delete(Delivery))
    look()
    (notice,) = notices()
    assert (notice.calm_since, notice.ended_at) == (None, None)


def test_minutes_without_an_answer_are_told_to_nobody(scope: Place, mail: int) -> None:
    change(Integration, failures_in_row=5, failing_since=utc_now() - 9 * MINUTE)
    look()
    assert notices() == []


def test_one_failure_of_hourly_work_is_no_lost_connection(scope: Place, mail: int) -> None:
    change(Integration, failures_in_row=1, failing_since=utc_now() - 59 * MINUTE)
    look()
    assert notices() == []


def test_a_failing_channel_is_told_by_the_others(scope: Place, mail: int) -> None:
    chat = add_channel("slack", "Room")
    since = utc_now() - 20 * MINUTE
    change(Channel, mail, failures=4, failing_since=since, last_error="No route.")

    look()

    (notice,), (message,) = notices(), messages()
    assert (notice.kind, notice.subject) == (NoticeKind.CHANNEL_FAILING, str(mail))
    assert (message.channel_id, message.recipient) == (chat, None)
    assert message.key == f"n{notice.id}:began:c{chat}"


def test_a_room_is_told_once_however_many_chose_it(app: Flask, scope: Place) -> None:
    chat = add_channel("slack", "Room")
    make_user(app, "adam@acme.example", scope)
    for role, email in (("owner", OWNER), ("admin", "adam@acme.example")):
        choose(membership(role), email, [(NoticeKind.CODE_NEEDED, chat)])
    ask_for_code(scope)
    look()
    assert [message.recipient for message in messages()] == [None]


def test_a_person_gets_what_they_chose_and_nothing_else(scope: Place, mail: int) -> None:
    choose(membership(), OWNER, [(NoticeKind.CODE_NEEDED, mail)])
    near_end_of_certificate(scope)
    look()
    assert (len(notices()), messages()) == (1, [])
    ask_for_code(scope)
    look()
    assert [message.recipient for message in messages()] == [OWNER]


@pytest.mark.one_database
def test_who_chose_none_gets_none(scope: Place, mail: int) -> None:
    choose(membership(), OWNER, [])
    ask_for_code(scope)
    look()
    assert messages() == []


def test_who_chose_only_a_channel_that_is_deleted_gets_those_of_the_role(
    app: Flask, scope: Place, mail: int
) -> None:
    make_user(app, "both@acme.example", scope, role="admin")
    room = add_channel("http", "Room")
    choose(membership(), OWNER, {(NoticeKind.CODE_NEEDED, room)})
    both = {(NoticeKind.CODE_NEEDED, room), (NoticeKind.CONNECTION_LOST, mail)}
    choose(membership("admin"), "both@acme.example", both)
    delete_channel(room)
    change(Integration, stopped_for=Stop.CODE_NEEDED, stopped_at=utc_now())
    look()
    assert [message.recipient for message in messages()] == [OWNER]
    entry = db.session.scalars(select(AuditEntry).order_by(AuditEntry.id.desc())).first()
    assert entry is not None
    assert entry.after == {"notices_by_role": [OWNER]}


@pytest.mark.parametrize("role", ["technician", "viewer"])
@pytest.mark.one_database
def test_technicians_and_viewers_get_what_they_choose(
    app: Flask, scope: Place, mail: int, role: str
) -> None:
    if role == "technician":
        make_user(app, "tom@acme.example", scope, role=role)
    choose(membership(role), "x", [(NoticeKind.CODE_NEEDED, mail)])
    near_end_of_certificate(scope)
    look()
    assert {message.recipient for message in messages()} == {OWNER}
    ask_for_code(scope)
    look()
    assert len(messages()) == 3


def test_limited_people_get_none_whatever_they_chose(app: Flask, scope: Place, mail: int) -> None:
    choose(membership("viewer"), "x", [(NoticeKind.CODE_NEEDED, mail)])
    change(Membership, membership("viewer"), limited=True)
    ask_for_code(scope)
    look()
    assert [message.recipient for message in messages()] == [OWNER]


def test_who_is_disabled_gets_neither_the_end_nor_what_waits(
    app: Flask, scope: Place, mail: int
) -> None:
    make_user(app, "olaf@acme.example", scope, role="owner")
    ask_for_code(scope)
    look()
    with tenant_scope(scope.id):
        disable_user("olaf@acme.example", "acme")
    change(Integration, stopped_for=None, stopped_at=None)
    look()

    told = {(message.recipient, str(message.reason)): message for message in messages()}
    assert told.keys() == {
        ("olaf@acme.example", "notice"),
        (OWNER, "notice"),
        (OWNER, "notice_over"),
    }
    dropped = told["olaf@acme.example", "notice"]
    assert (dropped.status, dropped.answer) == (MessageStatus.DROPPED, NO_PLACE)
    assert told[OWNER, "notice"].status is MessageStatus.WAITING


def test_each_tenant_hears_of_its_own(app: Flask, scope: Place, mail: int) -> None:
    other = make_place(app, "other")
    with tenant_scope(other.id):
        add_channel()
        change(Integration, stopped_for=Stop.CODE_NEEDED, stopped_at=utc_now())
        look()
        assert [str(notice.kind) for notice in notices()] == [
            "code_needed",
            "sync_held",
            "watch_matches",
        ]
    assert (notices(), messages()) == ([], [])


@pytest.mark.one_database
def test_more_tenants_take_no_more_statements(app: Flask, scope: Place, mail: int) -> None:
    look()
    with counting() as few:
        look()
    for slug in ("other", "third"):
        make_place(app, slug)
    look()
    with counting() as many:
        look()
    assert len(many) == len(few) < 12


@pytest.mark.one_database
def test_a_sign_that_comes_back_makes_a_notice_go_on() -> None:
    sign = Sign(1, NoticeKind.CONNECTION_LOST, "", NOON, "")
    calm = Lasting(7, 1, NoticeKind.CONNECTION_LOST, "", NOON - 2 * MINUTE)
    (change,) = plan_changes([sign], [calm], NOON)
    assert (change.step, change.notice_id) == (Step.GO_ON, 7)
