"""One run of a kind at a time, whoever asks and however many ask."""

from __future__ import annotations

import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor

import pytest
from sqlalchemy import func, select

from portal import queue
from portal.db import db
from portal.errors import InvalidInput, NotFound
from portal.models import SyncLogEntry, SyncRun
from portal.models.runs.sync_run import RunStatus, SyncKind
from portal.scope import tenant_scope
from portal.services.accounts.tenants import add_tenant
from portal.services.runs import execution, history, requests
from tests.support.msp import Msp

DEVICES, ORGANIZATIONS, AGENT = SyncKind.DEVICES, SyncKind.ORGANIZATIONS, SyncKind.AGENT


def run_count() -> int:
    found = db.session.scalar(select(func.count(SyncRun.id))) or 0
    db.session.rollback()
    return found


def test_a_second_press_is_answered_by_the_first_run(
    msp: Msp, jobs: list[tuple[object, ...]]
) -> None:
    msp.connect_untested()
    run, is_new = requests.request_run(DEVICES, "button")
    assert (is_new, run.status, run.trigger) == (True, RunStatus.QUEUED, "button")
    again, is_new = requests.request_run(DEVICES, "schedule")
    assert (again.id, is_new) == (run.id, False)
    other, is_new = requests.request_run(ORGANIZATIONS, "button")
    assert (other.id != run.id, is_new) == (True, True)
    assert jobs == [("sync_devices", msp.id, run.id), ("sync_organizations", msp.id, other.id)]


@pytest.mark.one_database
def test_each_agent_has_a_run_of_its_own(msp: Msp, jobs: list[tuple[object, ...]]) -> None:
    msp.connect_untested()
    one, _ = requests.request_run(AGENT, "button", "a" * 40)
    other, is_new = requests.request_run(AGENT, "button", "b" * 40)
    assert is_new
    assert requests.request_run(AGENT, "webhook", "a" * 40) == (one, False)
    assert (one.id, other.id) == (jobs[0][2], jobs[1][2])
    with pytest.raises(InvalidInput):
        requests.request_run(AGENT, "button")


def test_tenants_do_not_wait_for_each_other(msp: Msp, jobs: list[tuple[object, ...]]) -> None:
    msp.connect_untested()
    own, _ = requests.request_run(DEVICES, "button")
    own_id, own_tenant = own.id, own.tenant_id
    with tenant_scope(add_tenant("Other", "other").id):
        msp.connect()
        run, is_new = requests.request_run(DEVICES, "button")
        assert is_new
        with pytest.raises(NotFound):
            history.get_run(own_id)
        with pytest.raises(NotFound):
            requests.cancel_run(own_id)
        assert run.tenant_id != own_tenant


def test_without_redis_the_run_waits_in_the_database(msp: Msp) -> None:
    msp.connect_untested()
    settings = msp.app.extensions["settings"]
    msp.app.extensions["redis"] = queue.connect(
        type(settings)(**{**_fields(settings), "redis_url": "redis://127.0.0.1:1/0"})
    )
    run, is_new = requests.request_run(DEVICES, "button")
    assert is_new
    assert history.get_run(run.id).status is RunStatus.QUEUED


def _fields(settings: object) -> dict[str, object]:
    return {name: getattr(settings, name) for name in type(settings).__slots__}  # type: ignore[attr-defined]


def in_parallel(msp: Msp, number: int, work: Callable[[], object]) -> list[object]:
    """At the same moment, each with a session of its own."""
    barrier = threading.Barrier(number)

    def call(_: int) -> object:
        with msp.scope():
            barrier.wait()
            return work()

    with ThreadPoolExecutor(number) as threads:
        return list(threads.map(call, range(number)))


def test_many_presses_at_once_make_one_run(msp: Msp, jobs: list[tuple[object, ...]]) -> None:
    msp.connect_untested()
    before = run_count()
    pressed = in_parallel(msp, 6, lambda: requests.request_run(DEVICES, "button")[0].id)
    assert len(set(pressed)) == 1
    assert run_count() == before + 1
    assert len(jobs) == 1


def test_many_workers_at_once_run_it_once(msp: Msp, jobs: list[tuple[object, ...]]) -> None:
    msp.connect_untested()
    run, _ = requests.request_run(ORGANIZATIONS, "button")
    in_parallel(msp, 4, lambda: execution.run_queued(run.id))
    done = history.get_run(run.id)
    assert (done.status, done.fencing_number) == (RunStatus.SUCCESS, 1)
    assert db.session.scalar(select(func.count(SyncLogEntry.id))) == 3
