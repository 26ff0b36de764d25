"""Undo in the toast: for ten minutes, once, by whoever did it, and not over what changed since."""

from __future__ import annotations

import re
from collections.abc import Callable
from datetime import timedelta
from inspect import signature

import pytest
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy import Executable, func, select, update

from portal.clock import utc_now
from portal.db import db, transaction
from portal.models import (
    Alert,
    AlertHandling,
    AssetChange,
    AssetTag,
    AuditEntry,
    Client,
    Errand,
    HelpdeskCustomer,
    Membership,
    SyncRun,
    UndoOffer,
    User,
)
from portal.models.alerts.alert import AlertStatus
from portal.models.runs.sync_run import RunStatus
from portal.models.undo.offer import SHAPE
from portal.scope import tenant_scope
from portal.services.undo.offers import VALID_FOR
from portal.services.undo.pressing import WAYS
from tests.web.world import Place, make_user, sign_in

pytestmark = pytest.mark.mainly("postgresql")

TECHNICIAN = "tess@acme.example"


@pytest.fixture
def tess(app: Flask, http: FlaskClient, acme: Place) -> FlaskClient:
    """A technician."""
    app.config["WTF_CSRF_ENABLED"] = False
    sign_in(app, http, make_user(app, TECHNICIAN, acme, role="technician"))
    return http


def do(http: FlaskClient, place: Place, path: str, **form: object) -> str:
    """The address of the offer that stands on the next page; empty where there is none."""
    list_of = place.url("assets/")
    page = http.post(place.url(path), data={"next": list_of, **form}, follow_redirects=True).text
    found = re.search(rf'action="(/t/{place.slug}/undo/\d+)"', page)
    return found[1] if found else ""


def press(http: FlaskClient, url: str, back: str = "") -> str:
    """What the next page says."""
    answer = http.post(url, data={"next": back}, follow_redirects=True)
    found = re.search(r'data-message="([^"]*)"', answer.text)
    return found[1] if found else str(answer.status_code)


def read_tags(app: Flask, place: Place) -> list[str]:
    with app.app_context(), tenant_scope(place.id):
        return list(db.session.scalars(select(AssetTag.tag).order_by(AssetTag.tag)))


def change(app: Flask, place: Place, statement: Callable[[], Executable]) -> None:
    with app.app_context(), tenant_scope(place.id), transaction() as session:
        session.execute(statement())


def test_without_scripts_the_toast_is_a_form_on_the_next_page(
    app: Flask, tess: FlaskClient, acme: Place
) -> None:
    added = do(tess, acme, "assets/tag", asset=acme.asset, tag="backup")
    assert read_tags(app, acme) == ["backup"]
    assert press(tess, added, acme.url("assets/")) == "Undone: tagged 1 asset backup."
    assert read_tags(app, acme) == []
    assert press(tess, added) == "This was undone already."

    do(tess, acme, "assets/tag", asset=acme.asset, tag="backup")
    removed = do(tess, acme, "assets/untag", asset=acme.asset, tag="backup")
    assert press(tess, removed) == "Undone: took backup off 1 asset."
    assert read_tags(app, acme) == ["backup"]
    assert not do(tess, acme, "assets/tag", asset=acme.asset, tag="backup")  # it has it already

    with app.app_context(), tenant_scope(acme.id):
        newest = select(AuditEntry).order_by(AuditEntry.number.desc()).limit(1)
        row = db.session.scalars(newest).one()
        assert (row.action, row.actor_name) == ("asset.tagged", TECHNICIAN)
        assert row.source == "POST /t/<slug>/undo/<int:offer_id>"


@pytest.mark.one_database
def test_nobody_undoes_what_another_did_or_changed_since(
    app: Flask, tess: FlaskClient, acme: Place
) -> None:
    added = do(tess, acme, "assets/tag", asset=acme.asset, tag="backup")
    tom = app.test_client()
    sign_in(app, tom, make_user(app, "tom@acme.example", acme, role="owner"))
    assert tom.post(added).status_code == 404
    assert read_tags(app, acme) == ["backup"]

    do(tom, acme, "assets/untag", asset=acme.asset, tag="backup")
    do(tom, acme, "assets/tag", asset=acme.asset, tag="backup")
    assert press(tess, added) == "It was changed since, so nothing was undone."
    assert read_tags(app, acme) == ["backup"]  # as Tom wants it


@pytest.mark.one_database
def test_an_offer_ends_with_its_time_and_with_the_role(
    app: Flask, tess: FlaskClient, acme: Place
) -> None:
    added = do(tess, acme, "assets/tag", asset=acme.asset, tag="backup")
    late = update(UndoOffer).values(made_at=utc_now() - VALID_FOR - timedelta(seconds=1))
    change(app, acme, lambda: late)
    assert "for 10 minutes, and they are over" in press(tess, added)

    added = do(tess, acme, "assets/tag", asset=acme.asset, tag="other")
    user = select(User.id).where(User.email == TECHNICIAN).scalar_subquery()
    role = update(Membership).where(Membership.user_id == user).values(role="viewer")
    change(app, acme, lambda: role)
    assert tess.post(added).status_code == 403
    assert read_tags(app, acme) == ["backup", "other"]


@pytest.mark.one_database
def test_a_plan_is_undone_once_its_run_has_ended(
    app: Flask, tess: FlaskClient, acme: Place
) -> None:
    assert "data-confirm" not in re.findall(
        r"<form[^>]*/apply.*?</form>", tess.get(acme.url(f"plans/{acme.plan}")).text, re.DOTALL
    )
    applied = do(tess, acme, f"plans/{acme.plan}/apply")
    assert press(tess, applied).startswith("This run is still working.")
    with app.app_context(), tenant_scope(acme.id), transaction() as session:
        run = session.scalars(select(SyncRun).order_by(SyncRun.id.desc()).limit(1)).one()
        run.status = RunStatus.SUCCESS
        moved = AssetChange(asset_id=acme.asset, action="updated", column="name", cause="button")
        moved.before, moved.after, moved.run_id = "before", "acme-pc", run.id
        session.add(moved)
    assert press(tess, applied) == "Being undone. Sync runs show what goes back."
    with app.app_context(), tenant_scope(acme.id):
        newest = db.session.scalars(select(SyncRun).order_by(SyncRun.id.desc()).limit(1)).one()
        assert newest.reverts_run_id == run.id


def test_customers_of_a_helpdesk_are_put_back_unless_they_were_changed_since(
    app: Flask, tess: FlaskClient, acme: Place
) -> None:
    with app.app_context(), tenant_scope(acme.id), transaction() as session:
        session.add(Client(name="Zebra"))
        session.flush()
        zebra = session.scalars(select(Client.id).where(Client.name == "Zebra")).one()
    both = {f"customer-{acme.client}": "Acme Ltd", f"customer-{zebra}": "Zebra Ltd"}

    def read() -> dict[int, str]:
        with app.app_context(), tenant_scope(acme.id):
            rows = db.session.scalars(select(HelpdeskCustomer))
            return {row.client_id: row.customer_name for row in rows}

    before = read()
    path = f"helpdesks/{acme.helpdesk}/customers"
    first = do(tess, acme, path, **both)
    assert {acme.client, zebra} <= read().keys()
    do(tess, acme, path, **{f"customer-{zebra}": "Other", f"was-{zebra}": "Zebra Ltd"})
    told = press(tess, first)
    assert told.startswith("Undone: put back the customer of 1 client.")
    assert "changed since" in told
    assert read() == before | {zebra: "Other"}


def read_alert(app: Flask, place: Place) -> tuple[object, ...]:
    with app.app_context(), tenant_scope(place.id):
        alert = db.session.get_one(Alert, place.alert)
        its = select(AlertHandling).where(AlertHandling.alert_id == place.alert)
        handling = db.session.scalar(its)
        taken = (handling.acknowledged_by, handling.assigned_to) if handling else (None, None)
        return (alert.status, *taken)


def test_what_is_done_about_alerts_is_undone(app: Flask, tess: FlaskClient, acme: Place) -> None:
    one = {"alert": acme.alert}
    before = read_alert(app, acme)
    acknowledged = do(tess, acme, "alerts/acknowledge", **one, note="On it.")
    assert read_alert(app, acme) == ("active", TECHNICIAN, None)
    assert press(tess, acknowledged) == "Undone: acknowledged 1 alert."
    assert read_alert(app, acme) == before

    do(tess, acme, "alerts/acknowledge", **one)
    took_back = do(tess, acme, f"alerts/{acme.alert}/unacknowledge")
    assert press(tess, took_back) == "Undone: took the acknowledgement of 1 alert back."
    assert read_alert(app, acme) == ("active", TECHNICIAN, None)

    with app.app_context(), tenant_scope(acme.id):
        tess_id = db.session.scalars(
            select(Membership.id).join(Membership.user).where(User.email == TECHNICIAN)
        ).one()
    assigned = do(tess, acme, "alerts/assign", **one, assigned_to=tess_id)
    assert read_alert(app, acme)[2] == tess_id
    assert press(tess, assigned) == "Undone: assigned 1 alert."
    assert read_alert(app, acme)[2] is None

    snoozed = do(tess, acme, "alerts/act", **one, action="snooze", snooze_for="4h")
    assert read_alert(app, acme)[0] == "snoozed"
    assert press(tess, snoozed) == "Undone: snoozed 1 alert."
    assert read_alert(app, acme)[0] == "active"
    do(tess, acme, "alerts/act", **one, action="snooze", snooze_for="4h")
    woken = do(tess, acme, "alerts/act", **one, action="unsnooze")
    assert press(tess, woken) == "Undone: made 1 alert active."
    assert read_alert(app, acme)[0] == "snoozed"
    again = do(tess, acme, "alerts/act", **one, action="snooze", snooze_for="1h")
    later = do(tess, acme, "alerts/act", **one, action="snooze", snooze_for="4h")
    assert press(tess, again) == "It was changed since, so nothing was undone."
    assert press(tess, later) == "Undone: snoozed 1 alert."  # until the hour is over


@pytest.mark.one_database
def test_a_snooze_of_days_is_undone_in_tactical(app: Flask, tess: FlaskClient, acme: Place) -> None:
    days = {"alert": acme.alert, "action": "snooze", "snooze_for": "3d"}
    tess.post(acme.url("alerts/act"), data=days)
    with app.app_context(), tenant_scope(acme.id):
        offer = db.session.scalars(select(func.max(UndoOffer.id))).one()
    url = acme.url(f"undo/{offer}")
    assert "has not snoozed them yet" in press(tess, url)

    until = utc_now() + timedelta(days=3)  # as its worker reads it there
    asleep = update(Alert).values(status=AlertStatus.SNOOZED, snoozed_until=until)
    change(app, acme, lambda: asleep)
    assert tess.post(url, data={"next": acme.url("alerts/")}).status_code == 302
    with app.app_context(), tenant_scope(acme.id):
        errand = db.session.scalars(select(Errand).order_by(Errand.id.desc()).limit(1)).one()
        assert (errand.wanted["deed"], errand.wanted["alert_ids"]) == ("unsnooze", [acme.alert])
    assert errand.title in tess.get(acme.url("alerts/")).text


NAMES = {
    "mapping": ["run_id"],
    "view_deleted": ["view_id"],
    "shared_view_deleted": ["view_id"],
    "window_deleted": ["window_ids"],
    "tagged": ["tag", "asset_ids", "at"],
    "untagged": ["tag", "asset_ids"],
    "customers_mapped": ["helpdesk_id", "changes"],
    "retired": ["run_id"],
    "merged": ["run_id"],
    "settled": ["run_ids", "kept"],
    "applied": ["run_id"],
    "acknowledged": ["alert_ids", "at"],
    "unacknowledged": ["alert_ids", "was"],
    "assigned": ["alert_ids", "to", "was"],
    "snoozed": ["alert_ids", "until", "was"],
    "unsnoozed": ["alert_ids", "was"],
    "snoozed_days": ["alert_ids", "days", "at"],
    "unsnoozed_days": ["was"],
    "moved": ["client_id", "was"],
    "rules_switched": ["at", "was"],
    "watch_switched": ["watch_ids", "on"],
    "watch_removed": ["watches"],
}
"""What the change of an offer tells, by its kind."""


def test_what_offers_keep_is_of_the_shape_that_they_name() -> None:
    """Whoever changes what one keeps raises SHAPE, and both stand here."""
    kept = {kind: [*signature(way.take_back).parameters] for kind, way in WAYS.items()}
    names = {kind: [name for name in its if name != "place"] for kind, its in kept.items()}
    assert (SHAPE, names) == (1, NAMES)


@pytest.mark.one_database
def test_an_offer_of_another_version_is_refused_and_a_fault_is_none(
    app: Flask, tess: FlaskClient, acme: Place
) -> None:
    added = do(tess, acme, "assets/tag", asset=acme.asset, tag="backup")
    older = update(UndoOffer).values(shape=SHAPE - 1, change={"another": 1})
    change(app, acme, lambda: older)
    for _ in range(2):
        assert "can be undone here no more" in press(tess, added), "it may be pressed again"

    change(app, acme, lambda: update(UndoOffer).values(shape=SHAPE))
    for _ in range(2):
        with pytest.raises(TypeError):
            tess.post(added)
    assert read_tags(app, acme) == ["backup"]
