"""Events are written with the change that they tell of, or not at all; payloads are stable."""

from __future__ import annotations

import json
import threading
import time
from collections.abc import Iterator
from datetime import timedelta
from itertools import pairwise
from typing import Any

import pytest
import time_machine
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy import event as hooks
from sqlalchemy import select

from portal.clock import iso_utc, utc_now
from portal.db import db, transaction
from portal.events.order import find_settled_id
from portal.events.outbox import record_events
from portal.models import Asset, Helpdesk, Membership, SoftwareProduct, SyncRun, Ticket, User
from portal.models.events.event import EventType
from portal.models.runs.sync_run import RunStatus, SyncKind
from portal.scope import tenant_scope
from portal.services.alerts.acknowledging import acknowledge
from portal.services.alerts.assigning import assign
from portal.services.alerts.snoozing import snooze, unsnooze
from portal.services.assets.choosing import Chosen
from portal.services.assets.listing import AssetFilter
from portal.services.assets.retirement import restore_assets, retire_assets
from portal.services.events import delivery
from portal.services.export import export_assets
from portal.services.integrations.current import get_integration
from portal.services.notices.detection import look
from portal.services.runs import execution, requests
from portal.services.tickets.records import write_down
from portal.services.watches.keeping import add_watch, remove_watches
from portal.sync.devices.device_events import record_device_events
from portal.sync.devices.merging.merge import merge_into
from portal.sync.runs.cause import Cause
from portal.sync.runs.log import RunEnded
from tests.alerts.conftest import Msp, msp
from tests.channels.far_side import Planned, answering
from tests.events.conftest import events, happen, subscribe
from tests.events.receiver import Receiver
from tests.handling.conftest import Desk
from tests.web.world import Place

pytestmark = pytest.mark.mainly("postgresql")

__all__ = ["msp"]

RUN = {"run_id", "kind", "agent_id", "trigger"}
ENDED = RUN | {"status", "counts", "source", "held_organizations"}
DEVICE = {"asset_id", "rmm_device_id", "name", "client_id"}
PAYLOADS = {
    EventType.WEBHOOK_RECEIVED: {
        "delivery_id",
        "status",
        "event",
        "agent_id",
        "external_alert_id",
    },
    EventType.SYNC_STARTED: RUN | {"attempt"},
    EventType.SYNC_COMPLETED: ENDED,
    EventType.SYNC_FAILED: ENDED | {"error", "fault"},
    EventType.DEVICE_CREATED: DEVICE | {"changed", "agent_status", "as_of"},
    EventType.DEVICE_UPDATED: DEVICE | {"changed"},
    EventType.DEVICE_STATUS: DEVICE | {"from", "to", "as_of"},
    EventType.DEVICE_MERGED: DEVICE | {"merged_asset_id"},
    EventType.DEVICE_RETIRED: DEVICE | {"retired_at", "missing_since"},
    EventType.DEVICE_RESTORED: DEVICE | {"retired_at", "missing_since"},
    EventType.ALERT_TRIGGERED: {
        "external_alert_id",
        "agent_id",
        "asset_id",
        "external_organization_id",
        "hostname",
        "alert_type",
        "severity",
        "message",
        "status",
        "triggered_at",
        "resolved_at",
        "occurrences",
        "confirmed",
    },
}
PAYLOADS[EventType.AUDIT_RECORDED] = {
    *("number", "at", "action", "actor", "address", "source", "request_id", "target"),
    *("before", "after", "mac"),
}
ALERT = PAYLOADS[EventType.ALERT_RESOLVED] = PAYLOADS[EventType.ALERT_TRIGGERED]
TAKEN = {"acknowledged_at", "acknowledged_by", "note"}
PAYLOADS[EventType.ALERT_ACKNOWLEDGED] = ALERT | TAKEN
PAYLOADS[EventType.ALERT_ASSIGNED] = ALERT | {"assigned_to", "assigned_by"}
PAYLOADS[EventType.ALERT_SNOOZED] = ALERT | {"snoozed_until", "snoozed_by"}
PAYLOADS[EventType.ALERT_UNSNOOZED] = ALERT | {"unsnoozed_by"}
PAYLOADS[EventType.ALERT_KEPT_BACK] = ALERT | {"window"}
PAYLOADS[EventType.ALERT_ACTED_ON] = ALERT | {
    *("rule", "urgency", "channels", "helpdesks", "ignored"),
}
PAYLOADS[EventType.MESSAGE_SENT] = PAYLOADS[EventType.MESSAGE_FAILED] = {
    *("message_id", "channel_id", "channel", "reason", "handling_id", "notice_id"),
    *("recipient", "attempts", "may_be_double", "told_in", "answer"),
}
TICKET = {
    *("ticket_id", "helpdesk_id", "helpdesk", "reference", "url", "status", "subject"),
    *("asset_id", "client_id", "touched_by", "closed_by", "alert_ids", "answer"),
}
PAYLOADS |= {kind: TICKET for kind in EventType if kind.startswith("ticket.")}
PAYLOADS[EventType.WATCH_MATCHED] = PAYLOADS[EventType.WATCH_CLEARED] = DEVICE | {
    *("watch_id", "product_id", "product", "publisher", "older_than", "version", "since"),
}
PAYLOADS[EventType.NOTICE_BEGAN] = PAYLOADS[EventType.NOTICE_ENDED] = {
    *("notice_id", "kind", "subject", "text", "began_at", "ended_at"),
}


@pytest.fixture
def scoped(msp: Msp) -> Iterator[Msp]:
    with msp.scope():
        yield msp
        db.session.remove()


def turn(msp: Msp, agent: str) -> tuple[str, str]:
    """Tactical's word for the agent before, and another one from now on."""
    before = word(msp, agent)
    msp.tactical.control.agents.seen(agent, seconds_ago=10**6 if before == "online" else 0)
    assert before != word(msp, agent)
    return before, word(msp, agent)


def word(msp: Msp, agent: str) -> str:
    return str(msp.tactical.control.truth.agent(agent_id=agent)["status"])


def tell_tickets() -> None:
    with transaction() as session:
        helpdesk = Helpdesk(kind="rt", name="RT")
        session.add(helpdesk)
        session.flush()
        names = ("outage", "key", "queue", "subject", "body")
        ticket = Ticket(helpdesk_id=helpdesk.id, **dict.fromkeys(names, "x"))
        session.add(ticket)
        session.flush()
        for kind in EventType:
            if kind.startswith("ticket."):
                write_down(session, helpdesk, ticket, "It happened.", kind)


def test_payloads_have_their_keys_and_no_secret(scoped: Msp, http: FlaskClient) -> None:
    pk = scoped.raise_alert(message="Disk full")
    scoped.deliver(http, event="trigger", alert_id=pk, agent_id=scoped.agents[0])
    scoped.process()
    scoped.tactical.control.alerts.resolve(pk)
    scoped.sync()
    scoped.tactical.control.agents.edit(scoped.agents[0], description="the boss's")
    for agent in scoped.agents[:2]:
        turn(scoped, agent)
    scoped.tactical.control.faults.add("status", "*", status=403, times=None)
    execution.run_to_end(SyncKind.DEVICES)
    scoped.tactical.control.faults.clear()
    execution.run_to_end(SyncKind.DEVICES)
    merge_two_assets()
    retire_and_restore(scoped)
    handle_alerts(scoped)
    notice_certificate()
    tell_tickets()
    watch_software()
    stored = events(*EventType)
    assert {event.type for event in stored} == {str(kind) for kind in EventType}
    for event in stored:
        assert set(event.payload) == PAYLOADS[EventType(event.type)], event.type
    text = json.dumps([event.payload for event in stored])
    assert scoped.secret not in text
    assert scoped.tactical.api_key not in text


def handle_alerts(msp: Msp) -> None:
    """One channel is told and one refuses, somebody takes it; a window keeps the next one back."""
    with answering() as far_side:
        desk = Desk(far_side, msp.id, get_integration().id)
        desk.add_rule(notify=(desk.add_channel("Ops"), desk.add_channel("Chief")))
        far_side.plan = [Planned(), Planned(status=422)]
        desk.raise_alerts(9001)
        desk.work()
        alert_id = desk.handling(-1).alert_id
        membership_id = add_technician(msp)
        acknowledge([alert_id])
        assign([alert_id], membership_id)
        snooze([alert_id], utc_now() + timedelta(hours=1))
        unsnooze([alert_id])
        desk.add_window()
        desk.raise_alerts(9002)
        desk.work()


def watch_software() -> None:
    """Whatever is installed, for a moment."""
    execution.run_to_end(SyncKind.SOFTWARE)
    product_id = db.session.scalars(
        select(SoftwareProduct.id).where(SoftwareProduct.asset_count > 0)
    ).first()
    db.session.rollback()
    assert product_id is not None
    remove_watches([add_watch(product_id, "", None, "test").row.id])


def notice_certificate() -> None:
    """That it ends soon, and that there is a new one."""
    for days in (1, 90):
        with transaction() as session:
            get_integration().certificate_ends_at = utc_now() + timedelta(days=days)
            session.flush()
        look()


def add_technician(msp: Msp) -> int:
    with transaction() as session:
        bob = User(email="bob@acme.example", password_hash="-")
        session.add(bob)
        session.flush()
        member = Membership(user_id=bob.id, tenant_id=msp.id, role="technician")
        session.add(member)
    return member.id


def retire_and_restore(msp: Msp) -> None:
    msp.tactical.control.agents.remove(agent_id=msp.agents[-1])
    execution.run_to_end(SyncKind.DEVICES)
    gone = Chosen(shown=AssetFilter(status="missing"))
    assert retire_assets(gone).number == 1
    assert restore_assets(Chosen(shown=AssetFilter(status="retired"))).number == 1


def merge_two_assets() -> None:
    assets = db.session.scalars(select(Asset).order_by(Asset.client_id)).all()
    db.session.rollback()
    one, other = next(pair for pair in pairwise(assets) if pair[0].client_id == pair[1].client_id)
    with transaction() as session:
        merge_into(session, one.id, other.id, Cause.of_person(None), utc_now())


def test_a_sync_tells_its_start_its_assets_and_its_end(scoped: Msp) -> None:
    stored = events()
    run_id = stored[-1].payload["run_id"]
    run = db.session.get_one(SyncRun, run_id)
    created = events(EventType.DEVICE_CREATED)
    assert len(created) == run.created == len(db.session.query(Asset).all())
    asset = db.session.get_one(Asset, created[0].payload["asset_id"])
    assert created[0].payload == {
        "asset_id": asset.id,
        "rmm_device_id": asset.rmm_device_id,
        "name": asset.name,
        "client_id": asset.client_id,
        "changed": [],
        "agent_status": word(scoped, asset.rmm_device_id),
        "as_of": iso_utc(asset.status_at),
    }
    of_run = [event for event in stored if event.payload.get("run_id") == run_id]
    assert [event.type for event in of_run] == ["rmm.sync.started", "rmm.sync.completed"]
    assert of_run[1].payload["status"] == str(run.status)
    assert of_run[1].payload["counts"] == run.counts
    assert of_run[0].id < created[0].id < of_run[1].id


@pytest.mark.one_database
def test_only_what_changed_is_told(scoped: Msp) -> None:
    before = len(events())
    agent_id = scoped.agents[0]
    scoped.tactical.control.agents.edit(agent_id, description="moved to the cellar")
    execution.run_to_end(SyncKind.DEVICES)
    (updated,) = [event for event in events()[before:] if event.type == EventType.DEVICE_UPDATED]
    assert updated.payload["rmm_device_id"] == agent_id
    assert "description" in updated.payload["changed"]

    before = len(events())
    execution.run_to_end(SyncKind.DEVICES)
    assert {event.type for event in events()[before:]} == {
        "rmm.sync.started",
        "rmm.sync.completed",
    }


@pytest.mark.parametrize("kind", [SyncKind.STATUS, SyncKind.DEVICES, SyncKind.AGENT])
@pytest.mark.one_database
def test_another_status_is_told_once_and_nothing_else_of_it(scoped: Msp, kind: SyncKind) -> None:
    agent = scoped.agents[0]
    subject = agent if kind is SyncKind.AGENT else ""
    execution.run_to_end(kind, subject)
    before = len(events())
    old, new = turn(scoped, agent)
    run = execution.run_to_end(kind, subject)
    assert run.counts["updated"] == 0
    assert run.counts["unchanged"] == run.counts["seen"] > 0
    [told] = [event for event in events()[before:] if event.type.startswith("rmm.device.")]
    asset = db.session.query(Asset).filter_by(rmm_device_id=agent).one()
    assert (told.type, told.payload) == (
        EventType.DEVICE_STATUS,
        {
            "asset_id": asset.id,
            "rmm_device_id": agent,
            "name": asset.name,
            "client_id": asset.client_id,
            "from": old,
            "to": new,
            "as_of": iso_utc(asset.status_at),
        },
    )
    before = len(events())
    execution.run_to_end(kind, subject)
    assert [e for e in events()[before:] if e.type.startswith("rmm.device.")] == []


@pytest.mark.one_database
def test_a_status_that_grows_old_is_no_event(scoped: Msp) -> None:
    """Neither when nobody looks for days, nor when the next look finds it as it was."""
    with time_machine.travel(utc_now() + timedelta(days=3), tick=False):
        assert {row["agent_status"] for row in export_assets()} == {"unknown"}
        for agent in scoped.agents:
            scoped.tactical.control.agents.seen(agent, seconds_ago=0)
        words = {row.rmm_device_id: row.agent_status for row in db.session.query(Asset).all()}
        db.session.rollback()
        execution.run_to_end(SyncKind.STATUS)
        assert {row["agent_status"] for row in export_assets()} == {"online"}
        told = {event.payload["rmm_device_id"] for event in events(EventType.DEVICE_STATUS)}
        assert told == {agent for agent, word in words.items() if word != "online"} != set(words)


def test_a_page_that_is_rolled_back_leaves_no_event(
    scoped: Msp, monkeypatch: pytest.MonkeyPatch
) -> None:
    scoped.tactical.control.agents.edit(scoped.agents[0], description="never written")
    before = len(events())
    tell = record_device_events

    def tell_and_break(*args: Any) -> None:
        tell(*args)
        raise RunEnded("Taken over.")

    monkeypatch.setattr("portal.sync.devices.writers.base.record_device_events", tell_and_break)
    run = execution.run_to_end(SyncKind.DEVICES)
    assert run.status is RunStatus.CANCELLED
    new = [event.type for event in events()[before:]]
    assert new == ["rmm.sync.started", "rmm.sync.failed"]
    assert events()[-1].payload["status"] == "cancelled"


def test_many_events_cost_as_many_statements_as_one(scoped: Msp) -> None:
    statements: list[str] = []
    hooks.listen(db.engine, "before_cursor_execute", lambda *args: statements.append(str(args[2])))

    def sync_after_editing(agent_ids: list[str], description: str) -> int:
        for agent_id in agent_ids:
            scoped.tactical.control.agents.edit(agent_id, description=description)
        statements.clear()
        run = execution.run_to_end(SyncKind.DEVICES)
        assert run.updated >= len(agent_ids) // 2
        return len([text for text in statements if "INSERT INTO events" in text])

    assert (
        sync_after_editing(scoped.agents[:1], "one") == 4
    )  # asked for, started, a page, completed
    assert sync_after_editing(scoped.agents, "all") == 4


def test_an_abandoned_run_ends_with_an_event_too(scoped: Msp) -> None:
    run, _ = requests.request_run(SyncKind.DEVICES, "button")
    with transaction() as session:
        stored = session.get_one(SyncRun, run.id)
        stored.status, stored.fencing_number = RunStatus.RUNNING, execution.MOST_ATTEMPTS
        stored.heartbeat_at = stored.created_at.replace(year=2020)
    execution.revive_abandoned_runs()
    last = events()[-1]
    assert (last.type, last.payload["status"]) == ("rmm.sync.failed", "failed")
    assert "gave up" in last.payload["error"]


def test_a_delivery_and_its_event_are_one(app: Flask, scoped: Msp, http: FlaskClient) -> None:
    delivery_id = scoped.deliver(http, event="trigger", alert_id=7, agent_id="a" * 40)
    (event,) = events(EventType.WEBHOOK_RECEIVED)
    assert event.payload == {
        "delivery_id": delivery_id,
        "status": "pending",
        "event": "trigger",
        "agent_id": "a" * 40,
        "external_alert_id": "7",
    }


@pytest.mark.mainly("sqlite", "postgresql")
def test_an_event_knows_the_agent_that_it_is_about(scoped: Msp) -> None:
    told: list[dict[str, Any]] = [{"rmm_device_id": "a", "n": 1}, {"agent_id": "b"}]
    told += [{"agent_id": None}, {"run_id": 1}]
    kind = EventType.DEVICE_UPDATED
    with transaction() as session:
        record_events(session, [(kind, "PC", payload) for payload in told])
    assert [event.agent_id for event in events(kind)] == ["a", "b", None, None]


@pytest.mark.mainly("sqlite", "postgresql")
def test_an_event_that_is_committed_late_is_not_missed(
    app: Flask, scope: Place, receiver: Receiver, database_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """On PostgreSQL it has a lower id than one that is there already."""
    if not database_url.startswith("postgresql"):
        pytest.skip("SQLite has one writer at a time.")
    subscriber_id = subscribe(receiver)
    written, may_commit = threading.Event(), threading.Event()

    def write_slowly() -> None:
        with app.app_context(), tenant_scope(scope.id), transaction() as session:
            record_events(session, [(EventType.DEVICE_CREATED, "late", {"name": "late"})])
            written.set()
            assert may_commit.wait(20)

    thread = threading.Thread(target=write_slowly)
    thread.start()
    assert written.wait(20)
    happen("quick")
    monkeypatch.setattr("portal.events.order.WAIT_SECONDS", 0.0)
    assert find_settled_id(db.session()) is None
    assert delivery.deliver_events(subscriber_id) == 0
    monkeypatch.undo()
    sleep = time.sleep

    def commit_and_sleep(seconds: float) -> None:
        may_commit.set()
        sleep(seconds)

    monkeypatch.setattr(time, "sleep", commit_and_sleep)
    assert delivery.deliver_events(subscriber_id) == 2
    thread.join()
    assert [message["data"]["name"] for message in receiver.received] == ["late", "quick"]
