"""Deciding about organizations that Tactical lists no more, from the pages."""

from __future__ import annotations

import pytest
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy import update

from portal.clock import utc_now
from portal.db import count_changed, db, transaction
from portal.models import OrganizationMapping, SyncRun
from portal.models.runs.sync_run import RunStatus, SyncKind
from portal.scope import tenant_scope
from tests.web.world import Place

pytestmark = pytest.mark.one_database

ASKED = "Tactical no longer lists 1 organization"


@pytest.fixture
def run_id(app: Flask, acme: Place) -> int:
    """Of the organization sync that held the one that there is."""
    with app.app_context(), tenant_scope(acme.id), transaction() as session:
        held = {"held_since": utc_now()}
        mine = update(OrganizationMapping).where(OrganizationMapping.id == acme.organization)
        count_changed(session, mine.values(**held))
        own = session.get_one(OrganizationMapping, acme.organization)
        run = SyncRun(
            integration_id=own.integration_id,
            kind=SyncKind.ORGANIZATIONS,
            status=RunStatus.HELD,
            error="Too many are gone.",
            trigger="button",
            finished_at=utc_now(),
        )
        session.add(run)
        session.flush()
        return run.id


def find_organization(app: Flask, place: Place) -> OrganizationMapping:
    with app.app_context(), tenant_scope(place.id):
        return db.session.get_one(OrganizationMapping, place.organization)


def test_it_is_asked_where_it_happened_and_where_organizations_are(
    app: Flask, admin: FlaskClient, acme: Place, run_id: int
) -> None:
    assert "no longer lists 1 organization. So many went" in admin.get(acme.url("")).text
    page = admin.get(acme.url(f"sync-runs/{run_id}")).text
    for expected in (
        "This run was held",
        "Too many are gone.",
        "Acme Organization",
        "1 asset",
        "Mark it as gone",
    ):
        assert expected in page
    listed = admin.get(acme.url("organizations/?show=held")).text
    assert ASKED in listed
    assert "To decide" in listed
    assert "Mark it as gone" not in admin.get(acme.url(f"sync-runs/{acme.run}")).text

    chosen = {"organization": str(acme.organization)}
    back = {"next": acme.url(f"sync-runs/{run_id}")}
    kept = admin.post(acme.url("organizations/held"), data=chosen | back | {"decision": "keep"})
    assert kept.location == back["next"]
    after = admin.get(kept.location).text
    assert "Mark it as gone" not in after
    assert "Somebody has decided since" in after
    assert find_organization(app, acme).kept_at is not None
    assert "Not listed, kept" in admin.get(acme.url("organizations/")).text

    gone = chosen | {"decision": "gone"}
    page = admin.post(acme.url("organizations/held"), data=gone, follow_redirects=True).text
    assert "Marked Acme Organization as gone." in page
    assert find_organization(app, acme).gone_since is not None
    again = admin.post(acme.url("organizations/held"), data=gone, follow_redirects=True).text
    assert "somebody has decided" in again


def test_who_may_not_map_sees_it_and_may_not_decide(
    app: Flask, viewer: FlaskClient, acme: Place, run_id: int
) -> None:
    page = viewer.get(acme.url(f"sync-runs/{run_id}")).text
    assert "Too many are gone." in page
    assert "Mark it as gone" not in page
    sent = {"organization": str(acme.organization), "decision": "gone"}
    assert viewer.post(acme.url("organizations/held"), data=sent).status_code == 403
    assert find_organization(app, acme).gone_since is None


def test_what_no_form_sends_is_refused(admin: FlaskClient, acme: Place, run_id: int) -> None:
    for sent in ({"decision": "burn", "organization": "1"}, {"decision": "gone"}):
        page = admin.post(acme.url("organizations/held"), data=sent, follow_redirects=True)
        assert page.status_code < 500
        assert ASKED in admin.get(acme.url("organizations/")).text
