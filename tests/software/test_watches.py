"""Watches of software: what matches is told once, when it begins and when it ceases to."""

from __future__ import annotations

import pytest
from sqlalchemy import select

from portal.db import db, transaction
from portal.errors import InvalidInput
from portal.models import Asset, Client, Event, SoftwareMatch
from portal.models.events.event import EventType
from portal.services.watches import keeping
from portal.services.watches.listing import list_watches
from portal.sync.software import ingest as engine
from tests.support.msp import Msp
from tests.support.statements import asked, counting
from tests.sync.software import entry, ingest, reporting

pytestmark = pytest.mark.mainly("postgresql")

FLEET = pytest.mark.fleet(agents=12, titles=3, windows=100, linux=0)
OLD, NEW = entry("7-Zip 23.01 (x64)", "23.01"), entry("7-Zip 24.07", "24.07")
OF_WATCHES = (EventType.WATCH_MATCHED, EventType.WATCH_CLEARED)


def told(after: int = 0) -> list[tuple[str, str, str | None]]:
    """Which asset begins or ceases to match, and in which version."""
    found = select(Event).where(Event.type.in_(OF_WATCHES), Event.id > after).order_by(Event.id)
    rows = [
        (row.type.rpartition(".")[2], row.payload["rmm_device_id"], row.payload["version"])
        for row in db.session.scalars(found)
    ]
    db.session.rollback()
    return rows


def watch(version: str = "", client_id: int | None = None) -> int:
    return keeping.add_watch(keeping.find_product("7-ZIP").id, version, client_id, "test").row.id


def has(msp: Msp, agent_id: str, *entries: dict[str, str]) -> None:
    msp.tactical.control.software.set(agent_id, list(entries))


@FLEET
def test_each_asset_is_told_once_when_it_begins_and_when_it_ceases(msp: Msp) -> None:
    msp.import_fleet()
    one, two, three, *_ = reporting(msp)
    for agent_id in (one, two):
        has(msp, agent_id, OLD)
    has(msp, three, OLD, NEW)
    with msp.scope():
        ingest(msp)
        old = watch("24.07")
        assert sorted(told()) == sorted(("matched", each, "23.01") for each in (one, two, three))
        payload = db.session.scalars(select(Event).where(Event.type.in_(OF_WATCHES))).first()
        assert payload is not None
        assert payload.payload["product"] == "7-Zip"
        ingest(msp)
        assert len(told()) == 3  # nothing is told again

        has(msp, one, NEW)
        has(msp, two, entry("7-Zip 22.01", "22.01"))
        msp.tactical.control.agents.remove(agent_id=three)
        ingest(msp)
        assert told()[3:] == [("cleared", one, "23.01")]
        msp.sync()  # Tactical lists it no more
        assert told()[4:] == [("cleared", three, "23.01")]
        [view] = list_watches()
        assert (view.matches, view.row.id) == (1, old)
        assert db.session.scalars(select(SoftwareMatch.version)).all() == ["22.01"]

        keeping.switch_watches([old], on=False)
        ingest(msp)
        assert told()[5:] == [("cleared", two, "22.01")]
        keeping.switch_watches([old], on=True)
        keeping.remove_watches([old])
        assert told()[6:] == [("matched", two, "22.01"), ("cleared", two, "22.01")]
        assert list_watches() == []


@FLEET
def test_a_run_that_dies_loses_no_match(msp: Msp, monkeypatch: pytest.MonkeyPatch) -> None:
    """The software is written and the process gone before anything was told: the next run tells."""
    msp.import_fleet()
    one, two, *_ = reporting(msp)
    has(msp, one, OLD)
    with msp.scope():
        ingest(msp)
        watch("24.07")
        has(msp, one, NEW)
        has(msp, two, OLD)
        with monkeypatch.context() as patch:
            patch.setattr(engine, "_refresh", lambda _ingest: None)
            ingest(msp)
        assert len(told()) == 1
        ingest(msp)
        assert sorted(told()[1:]) == sorted([("cleared", one, "23.01"), ("matched", two, "23.01")])


@FLEET
@pytest.mark.one_database
def test_a_watch_is_of_one_client_and_follows_its_assets(msp: Msp) -> None:
    msp.import_fleet()
    one, *_ = reporting(msp)
    has(msp, one, OLD)
    with msp.scope():
        ingest(msp)
        asset = db.session.scalars(select(Asset).where(Asset.rmm_device_id == one)).one()
        home = asset.client_id
        with transaction() as session:
            other = Client(name="Nobody else")
            session.add(other)
        watch(client_id=other.id)
        assert told() == []
        watch(client_id=home)
        assert told() == [("matched", one, "23.01")]
        with transaction() as session:
            session.get_one(Asset, asset.id).client_id = other.id
        ingest(msp)
        assert sorted(told()[1:]) == [("cleared", one, "23.01"), ("matched", one, "23.01")]
        for version, words in (("none", "not a version"), ("", "such a watch")):
            with pytest.raises(InvalidInput, match=words):
                watch(version, home)


@FLEET
@pytest.mark.one_database
def test_many_watches_cost_no_more_statements_than_one(msp: Msp) -> None:
    msp.import_fleet()
    one, two, *_ = reporting(msp)
    with msp.scope():
        has(msp, one, OLD)
        ingest(msp)
        numbers = []
        for versions, lists in ((["24.01"], (one, two)), (["25", "26", "27"], (two, one))):
            for version in versions:
                watch(version)
            has(msp, lists[0], NEW)
            has(msp, lists[1], OLD)
            with counting() as statements:
                ingest(msp)
            numbers.append(len(asked(statements)))
        assert numbers[1] <= numbers[0] + 2
