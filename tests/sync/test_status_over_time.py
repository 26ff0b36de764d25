"""An hour of a fleet that checks in, falls silent and comes back, looked at every minute.

Time is moved, not waited for. After each look all that tells of a status must say what Tactical
says; between two looks, and while there are none, it must say what Tactical said at the last.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator
from datetime import datetime, timedelta
from operator import itemgetter
from typing import Any

import pytest
import time_machine
from flask.testing import FlaskClient

from portal import queue
from portal.clock import iso_utc, utc_now
from portal.db import db, transaction
from portal.models import Event, Membership
from portal.models.events.event import EventType
from portal.services import tick
from portal.services.runs import execution
from tests.support.msp import Msp
from tests.web.world import make_user, sign_in

NOON = datetime.now().astimezone().replace(hour=12, minute=0, second=0, microsecond=0)
"""What is done daily is done at night."""
STATUSES = ("online", "offline", "overdue", "unknown")
LIMITS = {"offline_time": 4, "overdue_time": 15}

SILENT: list[tuple[int, int]] = [
    *((0, 0),) * 6,  # never
    *((10, 99),) * 4,
    *((12, 20),) * 3,  # offline, and back
    *((15, 35),) * 3,  # overdue, and back
    *((20, 24),) * 2,  # just not offline
    *((30, 36), (31, 38), (40, 99), (41, 52), (0, 99), (0, 45)),
]
"""From which minute until before which each agent of the fleet says nothing."""
DOWN = range(40, 49)
"""The portal is stopped."""

Words = dict[str, str]


@pytest.fixture
def clock() -> Iterator[time_machine.Traveller]:
    with time_machine.travel(NOON, tick=False) as coordinates:
        yield coordinates


@pytest.fixture
def runs(monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """Of sweeps and syncs that wait for a worker."""
    found: list[int] = []

    def note(job: str, _tenant_id: int, *ids: int) -> bool:
        found.extend(ids if job.startswith("sync_") else ())
        return True

    monkeypatch.setattr(queue, "enqueue", note)
    return found


@pytest.fixture
def person(msp: Msp) -> FlaskClient:
    user_id, http = make_user(msp.app, "ann@example.com"), msp.app.test_client()
    with transaction() as session:
        session.add(Membership(user_id=user_id, role="admin"))
    sign_in(msp.app, http, user_id)
    return http


@pytest.mark.one_database
@pytest.mark.fleet(agents=24)
def test_an_hour_holds_no_false_word_and_misses_none(
    msp: Msp, clock: time_machine.Traveller, runs: list[int], person: FlaskClient
) -> None:
    """It takes seconds: an hour has sixty sweeps, and after each of them pages are read."""
    for agent in msp.agents:
        msp.tactical.control.agents.edit(agent_id=agent, **LIMITS)
        msp.tactical.control.agents.seen(agent_id=agent, seconds_ago=0)
    msp.import_fleet()
    told, looked_at, changes = words_of_tactical(msp), utc_now(), []
    for minute in range(1, 60):
        clock.move_to(NOON + timedelta(minutes=minute))
        check_in(msp, minute)
        clock.shift(31)
        if minute not in DOWN:
            look(msp, runs)
            said = words_of_tactical(msp)
            changes += [(agent, told[agent], said[agent]) for agent in said]
            told, looked_at = said, utc_now()
        assert_told(msp, told, looked_at)
        clock.shift(25)  # some of them are offline by now, in Tactical
        assert_told(msp, told, looked_at)
        if minute % 5 == 0:
            assert_shown(msp, person, told, looked_at)
    changes = [(agent, old, new) for agent, old, new in changes if old != new]
    assert {new for _, _, new in changes} == {"online", "offline", "overdue"}
    # In the order of each agent's own changes: those of one look have none among themselves.
    assert sorted(told_by_events(), key=itemgetter(0)) == sorted(changes, key=itemgetter(0))


def check_in(msp: Msp, minute: int) -> None:
    for agent, (first, last) in zip(msp.agents, SILENT, strict=True):
        if not first <= minute < last:
            msp.tactical.control.agents.seen(agent_id=agent, seconds_ago=0)


def look(msp: Msp, runs: list[int]) -> None:
    """As the scheduler and a worker do."""
    db.session.rollback()
    with msp.app.app_context():
        tick.tick()
    assert runs, "no sweep has begun"
    while runs:
        execution.run_queued(runs.pop())
    db.session.rollback()


def words_of_tactical(msp: Msp) -> Words:
    return {a["agent_id"]: a["status"] for a in msp.tactical.control.truth.agents()}


def told_by_events() -> list[tuple[str, str, str]]:
    found = db.session.query(Event).filter_by(type=EventType.DEVICE_STATUS).order_by(Event.id)
    rows = [event.payload for event in found]
    return [(row["rmm_device_id"], row["from"], row["to"]) for row in rows]


def assert_told(msp: Msp, told: Words, looked_at: datetime) -> None:
    rows = msp.assets()
    assert {agent: row["agent_status"] for agent, row in rows.items()} == told
    assert {row["status_as_of"] for row in rows.values()} == {iso_utc(looked_at)}
    assert {row["status_stale"] for row in rows.values()} == {is_stale(looked_at)}


def is_stale(looked_at: datetime) -> bool:
    return utc_now() - looked_at > timedelta(minutes=5)


def assert_shown(msp: Msp, person: FlaskClient, told: Words, looked_at: datetime) -> None:
    """On the pages."""
    counts, stale = Counter(told.values()), is_stale(looked_at)
    expected = {word.capitalize(): counts[word] for word in STATUSES if word != "unknown"}
    page = person.get("/t/acme/assets/").text
    assert chips(page) == expected | {"All": 24} | ({"Stale": 24} if stale else {})
    names = {agent: row["name"] for agent, row in msp.assets().items()}
    for word in STATUSES:
        page = person.get(f"/t/acme/assets/?status={word}").text
        listed = re.findall(r'/assets/\d+(?:\?[^"]*)?"[^>]*>([^<]+)</a>', page)
        assert sorted(listed) == sorted(names[a] for a in told if told[a] == word), word
    dashboard = person.get("/t/acme/").text
    assert ("The status of agents is stale" in dashboard) == stale


def chips(page: str) -> dict[str, int]:
    found: list[Any] = re.findall(r'(\w+) <span class="chip-number">(\d+)<', page)
    return {label: int(number) for label, number in found}
