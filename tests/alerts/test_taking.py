"""Acknowledging and assigning alerts: of the present occurrence, once, and written down."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta
from typing import Any

import pytest
from flask import Flask
from sqlalchemy import select

from portal.clock import utc_now
from portal.db import db, transaction
from portal.errors import InvalidInput, NotFound
from portal.models import (
    Alert,
    AlertHandling,
    Asset,
    AuditEntry,
    Client,
    Event,
    Membership,
    MembershipClient,
    TimelineEntry,
)
from portal.models.alerts.alert import AlertStatus
from portal.models.alerts.handling import HandlingState
from portal.models.audit.entry import ActorKind
from portal.scope import limited_to, tenant_scope
from portal.services.alerts.acknowledging import (
    acknowledge,
    take_back_acknowledging,
    unacknowledge,
)
from portal.services.alerts.assigning import assign, list_assignees
from portal.services.alerts.choosing import list_chosen
from portal.services.alerts.filters import AlertFilter
from portal.services.alerts.occurrences import MOST_AT_ONCE
from portal.services.alerts.snoozing import snooze
from portal.services.audit.actor import Actor, acting_as
from tests.web.world import Place, make_alert, make_place, make_user

pytestmark = pytest.mark.mainly("postgresql")

ANNA, BOB = "anna@acme.example", "bob@acme.example"


@pytest.fixture
def acme(app: Flask) -> Iterator[Place]:
    """As Anna, who is an admin; Bob is a technician."""
    place = make_place(app)
    anna = make_user(app, ANNA, place)
    make_user(app, BOB, place, role="technician")
    actor = Actor(ActorKind.USER, ANNA, anna, "127.0.0.1", "POST /alerts")
    with app.app_context(), tenant_scope(place.id), acting_as(actor):
        yield place


def change(place: Place, **values: Any) -> None:
    with transaction() as session:
        alert = session.get_one(Alert, place.alert)
        for name, value in values.items():
            setattr(alert, name, value)


def handlings() -> list[AlertHandling]:
    query = select(AlertHandling).order_by(AlertHandling.occurrence)
    return list(db.session.scalars(query.execution_options(populate_existing=True)))


def all_of(model: Any) -> list[Any]:
    return list(db.session.scalars(select(model).order_by(model.id)))


def audited() -> list[AuditEntry]:
    return [row for row in all_of(AuditEntry) if row.target_kind == "alert"]


def place_of(email: str) -> int:
    people = {each.user.email: each.id for each in list_assignees()}
    return people[email]


def test_it_is_kept_with_its_note_and_told_everywhere(acme: Place) -> None:
    assert acknowledge([acme.alert], " On my way. ").summary == "1 alert acknowledged."

    [handling] = handlings()
    assert handling.acknowledged_at is not None
    assert (handling.acknowledged_by, handling.acknowledgement) == (ANNA, "On my way.")
    assert (handling.state, handling.due_at) == (HandlingState.SILENT, None)
    [entry] = all_of(TimelineEntry)
    assert (entry.kind, entry.text) == ("acknowledged", f"Acknowledged by {ANNA}: On my way.")
    event = next(each for each in all_of(Event) if each.type == "rmm.alert.acknowledged")
    told = {name: event.payload[name] for name in ("external_alert_id", "acknowledged_by", "note")}
    assert told == {"external_alert_id": "31", "acknowledged_by": ANNA, "note": "On my way."}
    [row] = audited()
    assert (row.action, row.target_id) == ("alert.acknowledged", str(acme.alert))


def test_who_comes_second_changes_nothing(acme: Place) -> None:
    acknowledge([acme.alert], "First.")

    again = acknowledge([acme.alert], "Second.", by="somebody")

    assert again.summary == "0 alerts acknowledged, 1 left as it is."
    assert again.failures[0].reason == f"The alert is acknowledged already, by {ANNA}."
    assert handlings()[0].acknowledgement == "First."
    assert len(all_of(TimelineEntry)) == len(audited()) == 1


def test_the_next_occurrence_is_nobodys_again(acme: Place) -> None:
    acknowledge([acme.alert])
    change(acme, occurrences=2)

    assert acknowledge([acme.alert]).summary == "1 alert acknowledged."
    assert [each.occurrence for each in handlings()] == [1, 2]


def test_what_is_over_needs_nobody(acme: Place) -> None:
    change(acme, status=AlertStatus.RESOLVED, resolved_at=utc_now())

    assert [each.reason for each in acknowledge([acme.alert]).failures] == [
        "The alert is over, so there is nothing to acknowledge any more."
    ]
    assert len(assign([acme.alert], place_of(BOB)).failures) == 1


def test_it_can_be_taken_back(acme: Place) -> None:
    assert len(unacknowledge([acme.alert]).failures) == 1
    acknowledge([acme.alert])

    assert unacknowledge([acme.alert]).summary == "1 alert not acknowledged any more."
    assert handlings()[0].acknowledged_at is None
    assert all_of(TimelineEntry)[-1].text == f"{ANNA} took the acknowledgement back."


def test_nothing_and_too_much_are_refused(acme: Place) -> None:
    for ids in ([], list(range(1, 202))):
        with pytest.raises(InvalidInput):
            acknowledge(ids)
    with pytest.raises(InvalidInput, match="1000 characters"):
        acknowledge([acme.alert], "x" * 1001)
    with pytest.raises(NotFound):
        acknowledge([acme.alert + 1000])


def test_it_is_assigned_and_given_back(acme: Place) -> None:
    assign([acme.alert], place_of(BOB))
    assert handlings()[0].assigned_to == place_of(BOB)
    assert len(assign([acme.alert], place_of(BOB)).failures) == 1
    assign([acme.alert], place_of(ANNA))
    assign([acme.alert], None)

    assert handlings()[0].assigned_to is None
    assert [each.text for each in all_of(TimelineEntry)] == [
        f"Assigned to {BOB} by {ANNA}.",
        f"{ANNA} took it.",
        f"{ANNA} assigned it to nobody.",
    ]
    told = [each.payload["assigned_to"] for each in all_of(Event) if "assigned" in each.type]
    assert told == [BOB, ANNA, None]


def test_only_who_may_act_on_alerts_gets_one(acme: Place, app: Flask) -> None:
    assert [each.user.email for each in list_assignees()] == [ANNA, BOB]
    viewer = db.session.scalars(select(Membership).where(Membership.role == "viewer")).one()
    with pytest.raises(InvalidInput, match="cannot be given alerts"):
        assign([acme.alert], viewer.id)


def test_nobody_gets_an_alert_that_they_do_not_see(acme: Place) -> None:
    bob = place_of(BOB)
    with transaction() as session:
        client = Client(name="Another")
        session.add(client)
        session.flush()
        session.get_one(Membership, bob).limited = True
        session.add(MembershipClient(membership_id=bob, client_id=client.id))
    reasons = [each.reason for each in assign([acme.alert], bob).failures]
    assert reasons == [f"{BOB} does not see the alerts of this client."]


def test_who_is_limited_takes_alerts_of_their_clients_alone(acme: Place) -> None:
    with limited_to([acme.client]):
        assert [each.user.email for each in list_assignees()] == [ANNA]
        assert len(acknowledge([acme.alert]).done) == 1
        assert len(assign([acme.alert], place_of(ANNA)).done) == 1
    with limited_to([]), pytest.raises(NotFound):
        acknowledge([acme.alert])


@pytest.mark.one_database
def test_all_that_a_filter_shows_are_taken_at_once_and_the_resolved_left_out(acme: Place) -> None:
    with transaction() as session:
        asset = session.get_one(Asset, acme.asset)
        for number in range(MOST_AT_ONCE + 1):
            alert = make_alert(asset)
            alert.external_alert_id = str(1000 + number)
            session.add(alert)
    change(acme, status=AlertStatus.RESOLVED, resolved_at=utc_now())
    shown, every = AlertFilter(asset_id=acme.asset), f"{MOST_AT_ONCE + 1} alerts"

    taken = acknowledge(shown)
    assert taken.summary == f"{every} acknowledged."
    assert assign(shown, place_of(BOB)).summary == f"{every} assigned."
    assert snooze(shown, utc_now() + timedelta(hours=1)).summary == f"{every} snoozed."
    rows = audited()
    assert [row.action for row in rows] == ["alert.acknowledged", "alert.assigned", "alert.snoozed"]
    assert all(row.after and len(row.after["alert_ids"]) == MOST_AT_ONCE + 1 for row in rows)
    ids = [each.alert.id for each in taken.done]
    at = taken.done[0].handling.acknowledged_at
    assert at is not None
    assert take_back_acknowledging(ids, at.isoformat()) == f"Undone: acknowledged {every}."

    with pytest.raises(InvalidInput, match="Filter further"):
        list_chosen(shown, most=MOST_AT_ONCE)
    with pytest.raises(InvalidInput, match="not resolved"):
        acknowledge(AlertFilter(status="resolved"))
