"""What an ingest keeps within bounds, and what else may happen while it works."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from threading import Barrier
from typing import Any

import pytest

from portal.db import db
from portal.models.runs.sync_run import RunStatus, SyncKind
from portal.services.runs import history, requests
from portal.sync.software import ingest as engine
from tests.support.msp import Msp
from tests.sync.software import entry, ingest, installed, reporting, titles

pytestmark = pytest.mark.mainly("postgresql")

FLEET = pytest.mark.fleet(agents=24, titles=10, windows=100, linux=0)


@FLEET
@pytest.mark.one_database
def test_a_cancelled_ingest_keeps_what_it_wrote_and_removes_nothing(
    msp: Msp, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(engine, "AGENTS_AT_ONCE", 6)
    msp.import_fleet()
    ingest(msp)
    for agent_id in reporting(msp):
        msp.tactical.control.software.set(agent_id, [entry("New")])
    write, batches = engine._Ingest.write, []

    def cancel_before_the_third(self: Any) -> None:
        batches.append(self)
        if len(batches) == 3:
            with msp.scope():
                running = history.find_active_run(SyncKind.SOFTWARE)
                assert running is not None
                requests.cancel_run(running.id)
        write(self)

    monkeypatch.setattr(engine._Ingest, "write", cancel_before_the_third)
    run = ingest(msp)
    assert (run.status, run.error) == (RunStatus.CANCELLED, "The run was cancelled.")
    assert run.created == 12
    done = [agent_id for agent_id in msp.agents if ("New", "1.0") in installed(msp, agent_id)]
    assert len(done) == 12
    untouched = set(reporting(msp)) - set(done)
    assert all(len(installed(msp, agent_id)) > 1 for agent_id in untouched)
    assert titles()["New", ""] == (12, 1)  # the catalogue tells of what was written


@FLEET
def test_the_log_of_a_run_is_limited_and_its_counts_are_not(
    msp: Msp, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(engine, "MOST_LOGGED", 5)
    msp.import_fleet()
    run = ingest(msp)
    assert len(msp.log(run)) == 5
    assert run.created == sum(len(installed(msp, agent_id)) for agent_id in msp.agents)


@FLEET
def test_more_titles_than_are_kept_in_memory_are_no_other_titles(
    msp: Msp, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(engine, "AGENTS_AT_ONCE", 4)
    monkeypatch.setattr(engine, "MOST_TITLES", 3)
    msp.import_fleet()
    first = ingest(msp)
    known = titles()
    again = ingest(msp)
    assert (again.created, again.updated, again.removed) == (0, 0, 0)
    assert again.unchanged == first.created
    assert titles() == known


@FLEET
def test_an_ingest_and_a_device_sync_at_once(msp: Msp, monkeypatch: pytest.MonkeyPatch) -> None:
    """Both lock assets; neither waits for the other for ever, and both end in the truth."""
    monkeypatch.setattr(engine, "AGENTS_AT_ONCE", 3)
    msp.import_fleet(page_size=5)
    for agent_id in msp.agents:
        msp.tactical.control.agents.edit(agent_id=agent_id, version="9.9.9")
    db.session.rollback()
    together = Barrier(2)

    def work(kind: SyncKind) -> RunStatus:
        together.wait(10)
        with msp.scope():
            return msp.sync(kind).status

    with ThreadPoolExecutor(2) as threads:
        ended = list(threads.map(work, (SyncKind.SOFTWARE, SyncKind.DEVICES)))
    assert ended == [RunStatus.SUCCESS, RunStatus.SUCCESS]
    assert {row["agent_version"] for row in msp.assets().values()} == {"9.9.9"}
    assert all(installed(msp, agent_id) for agent_id in reporting(msp))


@FLEET
def test_the_catalogue_is_right_again_after_an_ingest_that_was_killed(
    msp: Msp, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(engine, "AGENTS_AT_ONCE", 6)
    msp.import_fleet()
    with monkeypatch.context() as killing:
        killing.setattr(engine._Ingest, "write_empty", die)
        with pytest.raises(KeyboardInterrupt):
            ingest(msp)
    assert {count for count, _ in titles().values()} == {0}
    assert ingest(msp).created == 0  # all was written
    assert sum(count for count, _ in titles().values()) == len(
        {(a, name) for a in msp.agents for name, _ in installed(msp, a)}
    )


def die(_ingest: Any) -> None:
    raise KeyboardInterrupt
