"""How fast a tenant may send, what is refused then, and how that is made up for."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import replace
from datetime import timedelta

import pytest
import time_machine
from flask import Flask
from sqlalchemy import select

from portal import create_app
from portal.clock import utc_now
from portal.db import db
from portal.models import WebhookUsage
from portal.services.deliveries import rate as delivery_rate
from portal.services.deliveries.refused_storms import Refusals, find_refusals
from tests.deliveries.conftest import HEADER, SENT, Intake, add_intake
from tests.deliveries.test_authentication import counted_statements, forget
from tests.support.apps import leave

BODY = json.dumps(SENT).encode()
BURST = 20
"""At two a second; one more is taken in before it is known to be too many."""


@pytest.fixture
def clock() -> Iterator[time_machine.Traveller]:
    with time_machine.travel(utc_now(), tick=False) as traveller:
        yield traveller


@pytest.fixture
def slow(intake: Intake, clock: time_machine.Traveller) -> Intake:
    limit(intake.app, 2)
    return intake


def limit(app: Flask, rate: int) -> None:
    app.extensions["settings"] = replace(app.extensions["settings"], webhook_rate=rate)


def post(intake: Intake, count: int, body: bytes = BODY) -> list[int]:
    return [intake.post(body).status_code for _ in range(count)]


def refusals(intake: Intake) -> Refusals | None:
    with intake.scope():
        return find_refusals()


def test_a_burst_passes_and_what_is_more_is_refused_and_noted(
    slow: Intake, clock: time_machine.Traveller
) -> None:
    assert post(slow, BURST + 1) == [202] * (BURST + 1)
    assert refusals(slow) is None
    answer = slow.post(BODY)
    assert answer.status_code == 429
    assert answer.headers["Retry-After"] == "1"
    assert "More than 2 calls arrived in a second" in answer.get_json()["message"]
    assert slow.count() == BURST + 1
    assert refusals(slow) == Refusals(1, utc_now(), utc_now(), is_reconciled=False)
    clock.shift(1.5)
    assert post(slow, 4) == [202, 202, 202, 429]


@pytest.mark.mainly("sqlite")
def test_200_a_second_for_a_minute_pass_whole(
    intake: Intake, clock: time_machine.Traveller, monkeypatch: pytest.MonkeyPatch
) -> None:
    """By the setting's default. Each of these stands for forty that came together."""
    assert intake.app.extensions["settings"].webhook_rate == 200
    monkeypatch.setattr(delivery_rate, "UNIT_BYTES", len(BODY) / 40)
    answers = []
    for _ in range(300):
        clock.shift(0.2)
        answers += post(intake, 1)
    assert answers == [202] * 300
    assert 429 in post(intake, 60)


def test_a_large_body_counts_as_several(slow: Intake) -> None:
    large = json.dumps(SENT | {"message": "x" * 40_000}).encode()
    assert post(slow, 4, large) == [202, 202, 202, 429]


def test_another_tenant_is_not_held_up(slow: Intake) -> None:
    other = add_intake(slow.app, "other")
    assert post(slow, BURST + 2)[-1] == 429
    assert post(other, 1) == [202]
    assert refusals(other) is None


def test_processes_share_the_rate(slow: Intake) -> None:
    """Each learns with its next delivery what the others took in."""
    second = replace(slow, app=create_app(slow.app.extensions["settings"]))
    assert set(post(slow, BURST)) == {202}
    assert post(second, 3) == [202, 429, 429]
    leave(second.app)
    assert post(slow, 3) == [202, 429, 429]
    assert slow.count() == BURST + 2
    found = refusals(slow)
    assert found is not None
    assert found.count == 2, "the first of each process; the rest is stored a little later"


def test_a_storm_is_marked_once_and_its_count_is_carried_along(
    slow: Intake, clock: time_machine.Traveller
) -> None:
    post(slow, BURST + 1)
    begun = utc_now()
    with counted_statements() as statements:
        assert set(post(slow, 50)) == {429}
    assert sum("UPDATE webhook_usage" in each for each in statements) == 1
    clock.shift(2)
    assert post(slow, 1) == [202]
    assert refusals(slow) == Refusals(50, begun, utc_now(), is_reconciled=False)


def test_a_long_storm_is_noted_again_though_nothing_is_taken_in(
    slow: Intake, clock: time_machine.Traveller
) -> None:
    large = json.dumps(SENT | {"message": "x" * 60_000}).encode()
    post(slow, 4, large)
    assert post(slow, 2) == [429, 429]
    clock.shift(4.9)
    assert post(slow, 1) == [429]
    found = refusals(slow)
    assert found is not None
    assert found.count == 1


def test_a_clock_that_was_set_shuts_nobody_out(slow: Intake, clock: time_machine.Traveller) -> None:
    assert post(slow, BURST + 2)[-1] == 429
    clock.shift(timedelta(hours=-1))
    assert post(slow, 1) == [202]
    clock.shift(delivery_rate.LONGEST_WAIT_SECONDS + 1)
    assert post(slow, 1) == [202]


def test_what_is_refused_is_not_read_and_asks_the_database_nothing(slow: Intake) -> None:
    post(slow, BURST + 2)
    with counted_statements() as statements:
        assert slow.post(b"x" * 2_000_000).status_code == 429
    assert statements == []


def test_strangers_write_nothing_and_cost_the_tenant_nothing(intake: Intake) -> None:
    forget(intake)
    with counted_statements() as statements:
        for number in range(50):
            intake.knock({HEADER: "wrong"}, "acme", f"10.0.0.{number % 2}", data=BODY)
    words = {each.split(maxsplit=1)[0] for each in statements} - {"BEGIN", "PRAGMA"}
    assert words == {"SELECT"}
    with intake.scope():
        assert db.session.scalars(select(WebhookUsage)).all() == []
