"""Undoing a run from its page."""

from __future__ import annotations

import re
from collections.abc import Iterator
from datetime import timedelta

import pytest
from flask import Flask
from flask.testing import FlaskClient
from playwright.sync_api import Page, expect
from sqlalchemy import select, update

from benchmarks.pages import MANY_STATEMENTS, statements_of
from portal.clock import utc_now
from portal.db import count_changed, db, transaction
from portal.models import Asset, SyncRun
from portal.models.assets.change import ChangeAction
from portal.models.runs.sync_run import RunStatus, SyncKind
from portal.scope import tenant_scope
from portal.services.accounts.users import add_user
from portal.services.clients import add_client
from portal.services.organizations import mapping
from portal.sync.history import ColumnChange, record_changes
from portal.sync.runs.cause import Cause
from tests.support.msp import Msp
from tests.web.accessible import assert_accessible, assert_fits
from tests.web.test_in_browser import EMAIL, PASSWORD, sign_in
from tests.web.worker import working
from tests.web.world import Place, make_place

pytestmark = pytest.mark.one_database


@pytest.fixture
def renamed(app: Flask, acme: Place) -> Place:
    """Its run renamed its asset, and gave it to another client."""
    with app.app_context(), tenant_scope(acme.id):
        globex = add_client("Globex").id
        with transaction() as session:
            asset = session.get_one(Asset, acme.asset)
            changes = [
                ColumnChange(asset.id, ChangeAction.UPDATED, "name", asset.name, "NEW-NAME"),
                ColumnChange(asset.id, ChangeAction.MOVED, "client_id", asset.client_id, globex),
            ]
            record_changes(session, Cause("button", acme.run), changes)
            asset.name, asset.client_id = "NEW-NAME", globex
    return acme


def reverts_of(app: Flask, place: Place) -> list[SyncRun]:
    with app.app_context(), tenant_scope(place.id):
        return list(db.session.scalars(select(SyncRun).where(SyncRun.kind == SyncKind.REVERT)))


def change_run(app: Flask, place: Place, **values: object) -> None:
    with app.app_context(), tenant_scope(place.id), transaction() as session:
        count_changed(session, update(SyncRun).where(SyncRun.id == place.run).values(**values))


def test_the_preview_tells_what_goes_back(app: Flask, admin: FlaskClient, renamed: Place) -> None:
    assert "Undo this run" in admin.get(renamed.url(f"sync-runs/{renamed.run}")).text
    with statements_of(app) as found:
        page = admin.get(renamed.url(f"sync-runs/{renamed.run}/undo")).text
    assert len(found) <= MANY_STATEMENTS
    assert "Undoing this run would move 1 asset back." in page
    assert "Undo 1 change" in page
    assert re.search(r"client</span> <del>Globex</del>.*<ins>Acme Client</ins>", page)
    assert re.search(r"name</span> <del>NEW-NAME</del>.*<ins>acme-pc</ins>", page)
    with statements_of(app) as found:
        admin.get(renamed.url(f"sync-runs/{renamed.run}"))
    assert len(found) <= MANY_STATEMENTS


def test_the_button_leads_to_the_run_that_undoes(
    app: Flask, admin: FlaskClient, renamed: Place
) -> None:
    path = renamed.url(f"sync-runs/{renamed.run}/undo")
    answer = admin.post(path)
    [run] = reverts_of(app, renamed)
    assert answer.location == renamed.url(f"sync-runs/{run.id}")
    assert (run.status, run.reverts_run_id) == (RunStatus.QUEUED, renamed.run)
    assert admin.post(path).location == answer.location
    assert len(reverts_of(app, renamed)) == 1
    page = admin.get(answer.location).text
    assert "<title>Undo #" in page
    assert f'This run is undoing <a href="{renamed.url(f"sync-runs/{renamed.run}")}">' in page


def test_what_somebody_changed_since_is_named(
    app: Flask, admin: FlaskClient, renamed: Place
) -> None:
    with app.app_context(), tenant_scope(renamed.id), transaction() as session:
        asset = session.get_one(Asset, renamed.asset)
        later = [
            ColumnChange(asset.id, ChangeAction.EDITED, "name", asset.name, "DESK"),
            ColumnChange(asset.id, ChangeAction.EDITED, "client_id", asset.client_id, None),
        ]
        record_changes(session, Cause("person"), later)
        asset.name = "DESK"
    page = admin.get(renamed.url(f"sync-runs/{renamed.run}/undo")).text
    assert "Nothing of this run can be undone." in page
    assert "The name was changed by a person who is gone on" in page
    assert "Undo 0" not in page
    assert "Leave as it is" in page


@pytest.mark.parametrize(
    ("values", "reason"),
    [
        ({"status": RunStatus.RUNNING}, "This run is still working."),
        ({"reverted_by_run_id": 77}, "This run was undone already, by run 77."),
        ({"kind": SyncKind.ORGANIZATIONS}, "A run of this kind changes no assets"),
        ({"finished_at": utc_now() - timedelta(days=31)}, "A run can be undone for 30 days."),
    ],
)
def test_what_cannot_be_undone_says_why(
    app: Flask, admin: FlaskClient, renamed: Place, values: dict[str, object], reason: str
) -> None:
    change_run(app, renamed, **values)
    path = renamed.url(f"sync-runs/{renamed.run}/undo")
    answer = admin.get(path)
    assert (answer.status_code, reason in answer.text) == (200, True)
    assert reason in admin.post(path, follow_redirects=True).text
    assert reverts_of(app, renamed) == []
    assert "Undo this run" not in admin.get(renamed.url(f"sync-runs/{renamed.run}")).text


def test_a_run_that_changed_nothing_says_so(admin: FlaskClient, acme: Place) -> None:
    page = admin.get(acme.url(f"sync-runs/{acme.run}/undo")).text
    assert "This run changed no assets, so there is nothing to undo." in page
    assert "Undo this run" not in admin.get(acme.url(f"sync-runs/{acme.run}")).text


def test_an_old_run_says_until_when_it_was_possible(
    app: Flask, admin: FlaskClient, renamed: Place
) -> None:
    change_run(app, renamed, finished_at=utc_now() - timedelta(days=31))
    assert "can no longer be undone" in admin.get(renamed.url(f"sync-runs/{renamed.run}")).text


def test_runs_link_to_each_other(app: Flask, admin: FlaskClient, renamed: Place) -> None:
    admin.post(renamed.url(f"sync-runs/{renamed.run}/undo"))
    [run] = reverts_of(app, renamed)
    change_run(app, renamed, reverted_by_run_id=run.id)
    undone = admin.get(renamed.url(f"sync-runs/{renamed.run}")).text
    assert f'Undone by <a href="{renamed.url(f"sync-runs/{run.id}")}">run {run.id}</a>.' in undone
    change_run(app, renamed, reverted_by_run_id=9999)
    assert "Undone by run 9999." in admin.get(renamed.url(f"sync-runs/{renamed.run}")).text


def test_a_viewer_looks_and_undoes_nothing(app: Flask, viewer: FlaskClient, renamed: Place) -> None:
    path = renamed.url(f"sync-runs/{renamed.run}/undo")
    page = viewer.get(path).text
    assert "Undoing this run would move 1 asset back." in page
    assert "Undo 1 change" not in page
    assert viewer.post(path).status_code == 403
    assert reverts_of(app, renamed) == []


def test_the_run_of_another_tenant_is_not_there(
    app: Flask, admin: FlaskClient, renamed: Place
) -> None:
    other = make_place(app, "other")
    path = renamed.url(f"sync-runs/{other.run}/undo")
    assert admin.get(path).status_code == 404
    assert admin.post(path).status_code == 404
    assert reverts_of(app, other) == []


def test_a_mapping_is_undone_with_its_clients_by_name(
    app: Flask, admin: FlaskClient, acme: Place
) -> None:
    with app.app_context(), tenant_scope(acme.id):
        globex = add_client("Globex")
        mapping.map_to_client(acme.organization, globex.id)
        run_id = db.session.scalars(
            select(SyncRun.id).where(SyncRun.kind == SyncKind.MAPPING)
        ).one()
    listed = admin.get(acme.url("sync-runs/?kind=mapping")).text
    assert "Mapped Acme Organization to Globex." in listed
    run = admin.get(acme.url(f"sync-runs/{run_id}")).text
    assert re.search(r"client</span> <del>Acme Client</del>.*<ins>Globex</ins>", run)
    with statements_of(app) as found:
        page = admin.get(acme.url(f"sync-runs/{run_id}/undo")).text
    assert len(found) <= MANY_STATEMENTS
    assert "would move 1 asset back and map 1 organization as before." in page
    assert "Undo 2 changes" in page


@pytest.fixture
def run_id(msp: Msp) -> int:
    """Of a sync that renamed an asset."""
    add_user(EMAIL, PASSWORD, "acme", "admin")
    msp.import_fleet()
    agent_id = msp.agents[0]
    msp.tactical.control.agents.edit(agent_id=agent_id, hostname="RENAMED-1")
    return msp.sync().id


@pytest.fixture
def work(app: Flask, redis_url: str) -> Iterator[None]:
    with working(app, redis_url):
        yield


def test_an_undo_by_keyboard_gives_the_name_back(
    live_portal: str, page: Page, msp: Msp, run_id: int, work: None
) -> None:
    sign_in(page, live_portal)
    page.goto(f"{live_portal}/t/acme/sync-runs/{run_id}")
    page.get_by_role("link", name="Undo this run").press("Enter")
    expect(page.get_by_role("heading", level=1, name=f"Undo run {run_id}")).to_be_visible()
    row = page.get_by_role("row").filter(has_text="RENAMED-1")
    former = row.locator("ins").inner_text()
    assert_accessible(page)
    assert_fits(page)
    page.get_by_role("button", name="Undo 1 change").press("Enter")
    expect(page.get_by_role("heading", level=1, name="Undo #")).to_be_visible()
    expect(page.get_by_role("status").first).to_have_text(f"Undid run {run_id}: 1 updated.")
    assert_accessible(page)
    page.get_by_role("link", name=f"run {run_id}", exact=True).press("Enter")
    expect(page.get_by_text("Undone by run")).to_be_visible()
    assert_accessible(page)
    db.session.rollback()  # what was read before is not what there is now
    names = {row["name"] for row in msp.assets().values()}
    assert former in names
    assert "RENAMED-1" not in names
