"""The facts that rules look at, as they are read from the database."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from flask import Flask

from portal.db import db, transaction
from portal.models import Alert, AlertHandling, Asset, AssetTag
from portal.models.alerts.alert import AlertStatus
from portal.scope import tenant_scope
from portal.services.rules.matching import Tally
from portal.services.rules.subjects import load_history, load_open, load_others, load_subjects
from portal.services.rules.terms import AtLeast, Conditions, Of
from tests.support.statements import asked, counting
from tests.web.world import Place, make_alert, make_place

NOON = datetime(2026, 11, 28, 12, 0, tzinfo=UTC)


@pytest.fixture
def place(app: Flask) -> Place:
    return make_place(app)


def add_alert(place: Place, number: int, minutes: int, **facts: Any) -> int:
    """That began so many minutes after noon; its id."""
    with transaction() as session:
        alert = make_alert(session.get_one(Asset, place.asset))
        known: dict[str, Any] = {"alert_type": "check", "external_check_id": "12"}
        known |= {"external_alert_id": f"n{number}", "message": "Ping", **facts}
        for name, value in known.items():
            setattr(alert, name, value)
        alert.triggered_at = NOON + timedelta(minutes=minutes)
        session.add(alert)
        session.flush()
        session.add(AlertHandling(alert_id=alert.id, occurrence=1, began_at=alert.triggered_at))
        return alert.id


def test_an_alert_is_read_with_its_asset_in_two_statements(app: Flask, place: Place) -> None:
    with app.app_context(), tenant_scope(place.id):
        with transaction() as session:
            asset = session.get_one(Asset, place.asset)
            asset.site_id, asset.site_name, asset.os_type = "9", "HQ", "windows"
            session.add_all(AssetTag(asset_id=asset.id, tag=tag) for tag in ("vip", "sql"))
        ids = [add_alert(place, number, number) for number in range(3)]
        with counting() as statements:
            found = load_subjects(db.session(), ids)
        assert len(asked(statements)) == 2
        assert set(found) == set(ids)
        one = found[ids[1]]
        assert (one.client_id, one.client) == (place.client, "Acme Client")
        assert (one.organization_id, one.organization) == ("7", "Acme Organization")
        assert (one.asset_id, one.hostname, one.asset_type) == (
            *(place.asset, "acme-pc", "workstation"),
        )
        assert (one.site_id, one.site, one.system) == ("9", "HQ", "windows")
        assert (one.severity, one.kind, one.check_id) == ("error", "check", "check 12")
        assert one.tags == {"vip", "sql"}
        assert (one.began_at, one.over_at) == (NOON + timedelta(minutes=1), None)


def test_without_an_asset_the_client_is_that_of_the_organization(app: Flask, place: Place) -> None:
    with app.app_context(), tenant_scope(place.id):
        here = add_alert(place, 1, 0, asset_id=None, external_organization_id="7")
        nowhere = add_alert(place, 2, 0, asset_id=None, external_organization_id="8")
        found = load_subjects(db.session(), [here, nowhere])
        assert (found[here].client_id, found[here].asset_id) == (place.client, None)
        assert (found[nowhere].client_id, found[nowhere].organization_id) == (None, "8")


@pytest.mark.parametrize("of", ["asset", "check", "client"])
def test_what_is_counted_together_is_found(app: Flask, place: Place, of: Of) -> None:
    """Whether handled before or at once, and no more than began within the minutes."""
    with app.app_context(), tenant_scope(place.id):
        ids = [add_alert(place, number, minutes) for number, minutes in enumerate((-11, -9, -4, 0))]
        add_alert(
            *(place, 9, -1),
            asset_id=None,
            external_check_id=None,
            external_task_id="12",
            external_organization_id="8",
        )
        subjects = load_subjects(db.session(), ids[2:])
        wanted = AtLeast(3, 10, of)
        with counting() as statements:
            others = load_others(db.session(), wanted, subjects.values())
        assert len(asked(statements)) <= 2
        tally = Tally(Conditions(at_least=wanted), others)
        assert [tally.count(subjects[alert_id]) for alert_id in ids[2:]] == [3, 3]


def test_history_has_each_occurrence_and_what_is_open_only_the_present_one(
    app: Flask, place: Place
) -> None:
    with app.app_context(), tenant_scope(place.id):
        again, over = add_alert(place, 1, 0), add_alert(place, 2, 5)
        with transaction() as session:
            alert = session.get_one(Alert, again)
            alert.occurrences, alert.triggered_at = 2, NOON + timedelta(minutes=30)
            alert = session.get_one(Alert, over)
            alert.status, alert.resolved_at = AlertStatus.RESOLVED, NOON + timedelta(minutes=9)
        found = load_history(db.session(), NOON, most=10)
        told = [(one.alert_id, one.occurrence, one.over_at) for one in found]
        assert told[-3:] == [
            (again, 2, None),
            (over, 1, NOON + timedelta(minutes=9)),
            (again, 1, None),
        ]
        assert len(load_history(db.session(), NOON, most=2)) == 2
        still_open = [one.alert_id for one in load_open(db.session(), 10)]
        assert again in still_open
        assert over not in still_open
