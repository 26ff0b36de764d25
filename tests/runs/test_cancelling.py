"""Cancelled by a person, or because the connection changed."""

from __future__ import annotations

import time
from threading import Thread

import pytest

from portal.db import db
from portal.errors import NotFound, Refused
from portal.models import SyncRun
from portal.models.runs.sync_run import RunStatus, SyncKind
from portal.services.accounts import tenant_removal
from portal.services.accounts.tenants import get_tenant
from portal.services.integrations import connect
from portal.services.integrations.current import get_integration
from portal.services.runs import execution, history, requests
from portal.sync.devices import run as devices
from portal.sync.devices.arrivals.strangers import Walk
from portal.sync.devices.writers.base import Writer
from portal.sync.runs import log as run_log
from portal.sync.runs.log import RunEnded, RunLog
from portal.tactical.api import AgentPage
from tests.support.msp import Msp, counted

DEVICES, ORGANIZATIONS, AGENT = SyncKind.DEVICES, SyncKind.ORGANIZATIONS, SyncKind.AGENT


def test_a_waiting_run_is_cancelled_at_once(msp: Msp, jobs: list[tuple[object, ...]]) -> None:
    msp.connect_untested()
    run, _ = requests.request_run(DEVICES, "button")
    assert requests.cancel_run(run.id).status is RunStatus.CANCELLED
    execution.run_queued(run.id)
    done = history.get_run(run.id)
    assert (done.status, done.fencing_number) == (RunStatus.CANCELLED, 0)
    assert done.finished_at is not None
    assert requests.cancel_run(run.id).status is RunStatus.CANCELLED  # nothing more


@pytest.mark.one_database
def test_a_working_run_writes_no_page_after_it_was_cancelled(
    msp: Msp, monkeypatch: pytest.MonkeyPatch
) -> None:
    msp.import_fleet(page_size=6)
    for agent in msp.agents:
        msp.tactical.control.agents.edit(agent_id=agent, version="9.9.9")
    apply, pages = devices.apply_page, []

    def cancel_before_the_third(
        integration_id: int, page: AgentPage, log: RunLog, writer: Writer, walk: Walk
    ) -> None:
        pages.append(page)
        if len(pages) == 3:
            with msp.scope():
                requests.cancel_run(log.run_id)
        apply(integration_id, page, log, writer, walk)

    monkeypatch.setattr(devices, "apply_page", cancel_before_the_third)
    run = msp.sync()
    assert (run.status, run.error) == (RunStatus.CANCELLED, "The run was cancelled.")
    assert counted(run) == {"seen": 12, "updated": 12}
    assert sum(row["agent_version"] == "9.9.9" for row in msp.assets().values()) == 12


def test_a_waiting_run_does_not_begin_on_a_server_that_was_not_tested(
    msp: Msp, jobs: list[tuple[object, ...]]
) -> None:
    msp.connect_untested()
    run, _ = requests.request_run(ORGANIZATIONS, "button")
    connect.save_connection(connect.ConnectionSettings(api_key="another key"))
    msp.tactical.control.log.clear()
    execution.run_queued(run.id)
    done = history.get_run(run.id)
    assert done.status is RunStatus.CANCELLED
    assert "has not passed a test yet" in str(done.error)
    assert msp.tactical.control.log.entries() == []
    with pytest.raises(Refused):
        requests.request_run(ORGANIZATIONS, "button")


def test_a_change_of_host_ends_what_runs_and_what_waits(
    msp: Msp, jobs: list[tuple[object, ...]]
) -> None:
    msp.connect_untested()
    working, _ = requests.request_run(DEVICES, "button")
    claimed = execution._claim(working.id)
    assert claimed is not None
    waiting, _ = requests.request_run(ORGANIZATIONS, "button")
    moved = msp.tactical.url.replace("127.0.0.1", "localhost")
    connect.save_connection(connect.ConnectionSettings(base_url=moved, api_key="key"))
    assert history.get_run(waiting.id).status is RunStatus.CANCELLED
    db.session.rollback()
    with pytest.raises(RunEnded, match="cancelled"):
        RunLog(working.id, str(claimed.lease)).set_phase("Writing what the old server said")


@pytest.mark.parametrize("kind", [DEVICES, SyncKind.SOFTWARE, SyncKind.ALERTS, AGENT])
@pytest.mark.one_database
def test_a_run_that_waits_for_tactical_ends_at_once(
    msp: Msp, kind: SyncKind, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Its answer would come in an hour, if at all: no limit and no further try is waited for."""
    msp.import_fleet()
    monkeypatch.setattr(run_log, "POLL_SECONDS", 0.05)
    subject = msp.agents[0] if kind is AGENT else ""
    msp.tactical.control.faults.add("slow", seconds=3600, times=None)
    pressing = Thread(target=cancel_once_asked, args=(msp, kind, subject))
    pressing.start()
    run = msp.sync(kind, subject)
    pressing.join()
    assert (run.status, run.error) == (RunStatus.CANCELLED, "The run was cancelled.")
    assert counted(run) == {}
    assert msp.log(run) == []
    assert [fault.struck for fault in msp.tactical.control.faults.list()] == [1]
    assert get_integration().last_error is None


@pytest.mark.one_database
def test_a_tenant_goes_once_its_run_has_ended(msp: Msp, monkeypatch: pytest.MonkeyPatch) -> None:
    """Without waiting for Tactical, whose answer would come in an hour."""
    msp.import_fleet()
    monkeypatch.setattr(run_log, "POLL_SECONDS", 0.05)
    monkeypatch.setattr(tenant_removal, "POLL_SECONDS", 0.05)
    msp.tactical.control.faults.add("slow", seconds=3600, times=None)
    removing = Thread(target=remove_once_asked, args=(msp,))

    def look_after_the_removal(run_id: int) -> SyncRun:
        removing.join()
        return history.get_run(run_id)

    monkeypatch.setattr(execution, "get_run", look_after_the_removal)
    removing.start()
    with pytest.raises(NotFound, match="sync run does not exist"):
        msp.sync(DEVICES)
    with pytest.raises(NotFound, match="no tenant"):
        get_tenant(str(msp.id))
    assert msp.assets() == {}


def remove_once_asked(msp: Msp) -> None:
    while not msp.tactical.control.faults.list()[0].struck:
        time.sleep(0.01)
    with msp.app.app_context():
        tenant_removal.remove_tenant(get_tenant(str(msp.id)))


def cancel_once_asked(msp: Msp, kind: SyncKind, subject: str) -> None:
    """Press cancel when Tactical has the run's first request."""
    while not msp.tactical.control.faults.list()[0].struck:
        time.sleep(0.01)
    with msp.scope():
        run = history.find_active_run(kind, subject)
        assert run is not None
        requests.cancel_run(run.id)
