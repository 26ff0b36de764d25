"""What the portal does to more alerts than somebody waits for: by a worker, some at a time."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from flask import Flask
from sqlalchemy import select

from portal.clock import utc_now
from portal.db import db, transaction
from portal.errors import InvalidInput
from portal.models import (
    Alert,
    Asset,
    Client,
    Errand,
    Membership,
    MembershipClient,
    TimelineEntry,
    User,
)
from portal.models.alerts.alert import AlertStatus
from portal.scope import tenant_scope
from portal.services import leases
from portal.services.accounts.asker import NOT_ANY_MORE
from portal.services.alerts import portions
from portal.services.alerts.acknowledging import acknowledge
from portal.services.alerts.many import request_many
from portal.services.alerts.portions import NOT_SEEN
from portal.services.alerts.results import AlertAction
from portal.services.alerts.snoozing import snooze
from portal.services.errands import execution, stopping
from portal.services.errands.requests import get_errand
from portal.services.undo.pressing import press
from tests.alerts.test_taking import ANNA, BOB, acme, all_of, audited, handlings, place_of
from tests.web.world import Place, make_alert, make_asset

pytestmark = pytest.mark.mainly("postgresql")

__all__ = ["acme"]

SOON = (utc_now() + timedelta(hours=4)).isoformat()
DEEDS: dict[AlertAction, tuple[dict[str, Any], str, str]] = {
    AlertAction.ACKNOWLEDGE: ({"note": " Mine. "}, "acknowledged", "alert.acknowledged"),
    AlertAction.ASSIGN: ({"to": BOB}, "assigned", "alert.assigned"),
    AlertAction.SNOOZE_HERE: ({"until": SOON}, "snoozed", "alert.snoozed"),
    AlertAction.UNSNOOZE_HERE: ({}, "active again", "alert.unsnoozed"),
}


@pytest.fixture
def ids(acme: Place, monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """Five alerts, taken two at a time."""
    monkeypatch.setattr(portions, "PORTION", 2)
    with transaction() as session:
        asset = session.get_one(Asset, acme.asset)
        added = [make_alert(asset) for _ in range(4)]
        for number, alert in enumerate(added):
            alert.external_alert_id = str(1000 + number)
        session.add_all(added)
        session.flush()
        return [acme.alert, *(alert.id for alert in added)]


def states() -> list[tuple[object, ...]]:
    query = select(Alert).order_by(Alert.id).execution_options(populate_existing=True)
    taken = {each.alert_id: (each.acknowledged_by, each.assigned_to) for each in handlings()}
    return [
        (each.status, each.snoozed_until, *taken.get(each.id, (None, None)))
        for each in db.session.scalars(query)
    ]


def resolve(alert_id: int) -> None:
    with transaction() as session:
        alert = session.get_one(Alert, alert_id)
        alert.status, alert.resolved_at = AlertStatus.RESOLVED, utc_now()


def die_after_a_portion(errand_id: int) -> None:
    """As a worker that is killed when the portion is done, before it could say so."""
    leases.claim(Errand, errand_id)
    portions.take_next(get_errand(errand_id))
    with transaction() as session:
        session.get_one(Errand, errand_id).lease = None


@pytest.mark.parametrize("action", DEEDS)
def test_each_is_taken_once_by_who_asked_and_all_are_given_back(
    ids: list[int], action: AlertAction
) -> None:
    details, done, word = DEEDS[action]
    if action is AlertAction.UNSNOOZE_HERE:
        snooze(ids, utc_now() + timedelta(hours=1))
    if "to" in details:
        details = {"to": place_of(BOB)}
    before, entries = states(), len(all_of(TimelineEntry))
    asked, again = (request_many(action, ids, **details) for _press in range(2))
    assert asked.id == again.id
    execution.run_queued(asked.id)
    die_after_a_portion(asked.id)
    resolve(ids[-1])
    execution.run_queued(asked.id)

    errand = get_errand(asked.id)
    assert (errand.ok, errand.message) == (True, f"4 {done}, 1 over already.")
    assert all(now != was for now, was in zip(states(), before, strict=True))
    assert len(all_of(TimelineEntry)) == entries + 4
    told = [(row.action, row.actor_name, row.source) for row in audited()]
    assert told[-2:] == [(word, ANNA, "POST /alerts")] * 2
    places = select(Membership).join(Membership.user).where(User.email == ANNA)
    press(db.session.scalars(places).one(), errand.wanted["undo"])
    assert states()[:-1] == before[:-1]


@pytest.mark.one_database
def test_what_is_wrong_is_said_at_once_and_what_was_taken_by_then_left(ids: list[int]) -> None:
    for action, details in (
        (AlertAction.ACKNOWLEDGE, {"note": "x" * 1001}),
        (AlertAction.ASSIGN, {"to": 0}),
        (AlertAction.SNOOZE_HERE, {"until": (utc_now() + timedelta(days=3)).isoformat()}),
    ):
        with pytest.raises(InvalidInput):
            request_many(action, ids, **details)
    stopped = request_many(AlertAction.ACKNOWLEDGE, ids, note="").id
    execution.run_queued(stopped)
    stopping.stop_errand(stopped)
    assert (get_errand(stopped).message or "").startswith("Stopped after 2 of 5: 2 acknowledged.")
    errand_id = request_many(AlertAction.ACKNOWLEDGE, ids, note="").id
    for _ in range(3):
        execution.run_queued(errand_id)
    assert get_errand(errand_id).message == "3 acknowledged, 2 left as they are."


@pytest.mark.one_database
@pytest.mark.parametrize("change", [{"disabled_at": utc_now()}, {"role": "viewer"}])
def test_it_ends_with_the_right_of_whoever_asked(
    acme: Place, ids: list[int], change: dict[str, Any]
) -> None:
    asked = request_many(AlertAction.ACKNOWLEDGE, ids, note="").id
    execution.run_queued(asked)
    change_place(acme, **change)
    execution.run_queued(asked)
    errand = get_errand(asked)
    told = f"2 acknowledged. The other 3 were not tried: {NOT_ANY_MORE}"
    assert (errand.ok, errand.message) == (False, told)


@pytest.mark.one_database
def test_of_what_whoever_asked_sees_no_more_nothing_is_done_nor_told(
    app: Flask, acme: Place, ids: list[int]
) -> None:
    acknowledge(ids[-1:], by=BOB)
    asked = request_many(AlertAction.ACKNOWLEDGE, ids, note="").id
    with app.app_context(), tenant_scope(acme.id), transaction() as session:
        other = Client(name="Other")
        session.add(other)
        session.flush()
        away = make_asset(session.get_one(Asset, acme.asset).integration_id, other.id, "away")
        session.add(away)
        session.flush()
        session.get_one(Alert, ids[0]).asset_id = away.id
    change_place(acme, limited=True, role="technician")
    for _ in range(3):
        execution.run_queued(asked)
    errand = get_errand(asked)
    assert (errand.ok, errand.message) == (True, "3 acknowledged, 2 left as they are.")
    reasons = [each["reason"] for each in errand.result["failures"]]
    assert reasons == [NOT_SEEN, "The alert is acknowledged already, by a colleague."]
    assert {each.alert_id for each in handlings() if each.acknowledged_by == ANNA} == {*ids[1:-1]}


def change_place(acme: Place, **values: Any) -> None:
    """Of Anna; limited, to the client of acme."""
    with transaction() as session:
        place = session.get_one(Membership, place_of(ANNA))
        for name, value in values.items():
            setattr(place, name, value)
        if place.limited:
            session.add(MembershipClient(membership_id=place.id, client_id=acme.client))
