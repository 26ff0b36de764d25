"""Replaying deliveries, by the pages' services, by the schedule and by commands."""

from __future__ import annotations

import json
from datetime import timedelta
from typing import Any

import pytest
from click.testing import CliRunner, Result
from flask.testing import FlaskClient
from sqlalchemy import select

from portal import queue
from portal.cli import portal
from portal.clock import utc_now
from portal.db import db, transaction
from portal.errors import InvalidInput, NotFound, Refused
from portal.models import Delivery, Schedule
from portal.models.deliveries.delivery import DeliveryStatus
from portal.services import export, tick
from portal.services.alerts import listing
from portal.services.alerts.exporting import ALERT_COLUMNS
from portal.services.alerts.filters import AlertFilter
from portal.services.deliveries import history, processing, replay
from portal.services.deliveries.history import DeliveryFilter
from portal.services.integrations import connect
from tests.alerts.conftest import Msp

pytestmark = pytest.mark.mainly("postgresql")


@pytest.fixture
def asked(monkeypatch: pytest.MonkeyPatch) -> list[tuple[Any, ...]]:
    """The jobs that were asked for, in place of Redis."""
    jobs: list[tuple[Any, ...]] = []

    def enqueue(*job: Any) -> bool:
        jobs.append(job)
        return True

    monkeypatch.setattr(queue, "enqueue", enqueue)
    return jobs


def fail(msp: Msp, http: FlaskClient, number: int = 1) -> list[int]:
    """Deliveries that failed, of alerts that Tactical has by now."""
    ids = []
    for at in range(number):
        pk = msp.raise_alert(at)
        ids.append(msp.deliver(http, agent_id=msp.agents[at], alert_id=str(pk), event="trigger"))
    with msp.scope(), transaction() as session:
        for delivery_id in ids:
            delivery = session.get_one(Delivery, delivery_id)
            delivery.status, delivery.reason = DeliveryStatus.FAILED, "Tactical was away."
            delivery.due_at, delivery.attempts = None, 8
    return ids


def status(msp: Msp, delivery_id: int) -> str:
    with msp.scope():
        return str(history.get_delivery_row(delivery_id).delivery.status)


def run(msp: Msp, monkeypatch: pytest.MonkeyPatch, *words: str) -> Result:
    monkeypatch.setattr("portal.cli.command.create_core", lambda _settings: msp.app)
    return CliRunner().invoke(portal, [*words, "--tenant", msp.slug])


def test_a_replay_asks_a_worker_at_once(
    msp: Msp, http: FlaskClient, asked: list[tuple[Any, ...]]
) -> None:
    [delivery_id] = fail(msp, http)
    asked.clear()
    with msp.scope():
        replay.replay_soon(delivery_id)

    assert status(msp, delivery_id) == "pending"
    assert asked == [("process_deliveries", msp.id)]


def test_ten_replays_leave_one_alert(msp: Msp, http: FlaskClient) -> None:
    [delivery_id] = fail(msp, http)
    with msp.scope():
        for _ in range(10):
            assert replay.replay_now(delivery_id).processed == 1
        [row] = listing.list_alerts(AlertFilter()).items
    assert row.alert.occurrences == 1


def test_all_failed_are_replayed_and_nothing_else(
    msp: Msp, http: FlaskClient, asked: list[tuple[Any, ...]]
) -> None:
    failed = fail(msp, http, 3)
    test = msp.deliver(http, agent_id="{{agent.agent_id}}")
    with msp.scope():
        assert replay.replay_failed_soon() == 3
        assert replay.replay_failed_soon() == 0
        processing.process_due()
    assert [status(msp, each) for each in failed] == ["processed"] * 3
    assert status(msp, test) == "test"


@pytest.mark.one_database
def test_those_that_match_or_are_ticked_are_replayed(
    msp: Msp, http: FlaskClient, asked: list[tuple[Any, ...]], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Of those that failed or need a review; what was never readable stays as it is."""
    one, two, three = fail(msp, http, 3)
    unreadable = msp.deliver_bytes(http, b"nonsense")
    asked.clear()
    with msp.scope():
        assert replay.replay_many_soon(DeliveryFilter(status="needs_review")) == 0
        assert asked == []
        assert replay.replay_many_soon([two, unreadable]) == 1
        assert asked == [("process_deliveries", msp.id)]
        monkeypatch.setattr(replay, "MOST_AT_ONCE", 1)
        with pytest.raises(InvalidInput, match="More than 1 calls match"):
            replay.replay_many_soon(DeliveryFilter(status="failed"))
        shown = DeliveryFilter(status="failed", agent_id=msp.agents[0])
        assert replay.replay_many_soon(shown) == 1
        processing.process_due()
        for nothing in ([], [one], DeliveryFilter(status="processed")):
            with pytest.raises(InvalidInput, match="Select at least one call"):
                replay.replay_many_soon(nothing)
    assert [status(msp, each) for each in (one, two)] == ["processed"] * 2
    assert [status(msp, each) for each in (three, unreadable)] == ["failed", "needs_review"]


@pytest.mark.one_database
def test_what_cannot_be_replayed_is_refused_with_the_reason(msp: Msp, http: FlaskClient) -> None:
    test = msp.deliver(http, agent_id="{{agent.agent_id}}")
    unreadable = msp.deliver_bytes(http, b"nonsense")
    with msp.scope():
        with pytest.raises(Refused, match="test call"):
            replay.replay_soon(test)
        with pytest.raises(Refused, match="still cannot be used"):
            replay.replay_soon(unreadable)
        with pytest.raises(NotFound):
            replay.replay_soon(unreadable + 99)


def test_one_that_can_be_read_by_now_is_processed(msp: Msp, http: FlaskClient) -> None:
    """As after an update that taught the portal to read it."""
    pk = msp.raise_alert()
    delivery_id = msp.deliver(http, agent_id=msp.agents[0], alert_id=str(pk), event="trigger")
    with msp.scope(), transaction() as session:
        delivery = session.get_one(Delivery, delivery_id)
        delivery.status, delivery.hint, delivery.agent_id = DeliveryStatus.NEEDS_REVIEW, None, None
    with msp.scope():
        assert replay.replay_now(delivery_id).processed == 1
        assert history.get_delivery_row(delivery_id).alert is not None


def test_the_command_processes_at_once(
    msp: Msp, http: FlaskClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    ids = fail(msp, http, 2)

    said = run(msp, monkeypatch, "replay", "--failed", "--json")

    assert said.exit_code == 0
    data = json.loads(said.stdout)
    assert (data["replayed"], data["processed"], data["failed"]) == (2, 2, 0)
    assert [status(msp, each) for each in ids] == ["processed"] * 2
    assert run(msp, monkeypatch, "replay", "--failed").stdout == "There is nothing to replay.\n"
    assert (
        run(msp, monkeypatch, "replay", str(ids[0])).stdout
        == "Processed 1 webhook call: 1 processed.\n"
    )


@pytest.mark.one_database
def test_the_command_tells_what_did_not_work(
    msp: Msp, http: FlaskClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    ids = fail(msp, http, 2)
    msp.tactical.control.faults.add("status", "/alerts/*", status=403, times=None)

    said = run(msp, monkeypatch, "replay", "--failed", "--json")

    assert said.exit_code == 1
    data = json.loads(said.stdout)
    assert data["replayed"] == data["pending"] == 2, "they are tried again later"
    assert f"Call {ids[0]}" in said.stderr
    assert run(msp, monkeypatch, "replay", "999999", "--json").exit_code == 1
    for words in (["replay"], ["replay", "--failed", "1"]):
        assert run(msp, monkeypatch, *words).exit_code != 0


@pytest.mark.one_database
def test_alerts_are_synced_and_exported_by_commands(
    msp: Msp, monkeypatch: pytest.MonkeyPatch
) -> None:
    pks = [msp.raise_alert(at) for at in range(3)]

    said = run(msp, monkeypatch, "sync", "alerts", "--json")

    assert said.exit_code == 0
    data = json.loads(said.stdout)
    assert data["status"] == "success"
    assert data["counts"]["created"] == 3
    rows = json.loads(run(msp, monkeypatch, "export", "alerts").stdout)
    assert {row["external_alert_id"] for row in rows} == {str(pk) for pk in pks}
    lines = run(msp, monkeypatch, "export", "alerts", "--format", "csv").stdout.splitlines()
    assert lines[0] == ",".join(ALERT_COLUMNS)
    assert len(lines) == 4
    lines = run(msp, monkeypatch, "export", "deliveries", "--format", "csv").stdout.splitlines()
    assert lines == [",".join(export.DELIVERY_COLUMNS)]


def test_pruning_is_asked_for_once_a_day_and_survives_a_disconnect(
    msp: Msp, asked: list[tuple[Any, ...]]
) -> None:
    with msp.scope():
        connect.disconnect()
        [daily] = db.session.scalars(select(Schedule)).all()
        assert (daily.kind, daily.every_seconds) == ("prune_deliveries", 86400)
        with transaction() as session:
            session.get_one(Schedule, daily.id).next_due_at = utc_now() - timedelta(seconds=1)
    with msp.app.app_context():
        tick.tick()
        tick.tick()
    jobs = [job for job in asked if job[0] == "prune_deliveries"]
    assert jobs == [("prune_deliveries", msp.id, daily.integration_id)]


def test_a_filter_for_deliveries_that_wait_finds_them(msp: Msp, http: FlaskClient) -> None:
    waiting = msp.deliver(http, agent_id=msp.agents[0], event="trigger")
    with msp.scope():
        [row] = history.list_deliveries(DeliveryFilter(status="pending")).items
    assert row.delivery.id == waiting
    assert row.is_under_way
