"""Resolving and snoozing act in Tactical, and tell what Tactical then says."""

from __future__ import annotations

from typing import Any

import pytest
from flask.testing import FlaskClient

from portal.db import db
from portal.errors import InvalidInput, NotFound, Refused
from portal.models.alerts.alert import AlertStatus
from portal.services.alerts import actions
from portal.services.alerts.filters import AlertFilter
from portal.services.alerts.listing import list_alerts
from portal.services.alerts.results import ActionResult, AlertAction
from portal.services.integrations import connect, testing
from portal.services.integrations.connect import ConnectionSettings
from portal.tactical.alerts import TacticalAlerts
from portal.tactical.http.session import TacticalSession
from tests.alerts.conftest import Msp

pytestmark = pytest.mark.mainly("postgresql")

ANY = AlertFilter()


def act(msp: Msp, action: AlertAction, pks: list[int], days: int | None = None) -> ActionResult:
    ids = msp.ids_of(pks)
    with msp.scope():
        return actions.act(action, ids, days)


def writes(msp: Msp) -> list[str]:
    return [
        f"{entry.method} {entry.path}"
        for entry in msp.tactical.control.log.entries("/alerts/")
        if entry.method in ("PUT", "POST")
    ]


@pytest.mark.one_database
def test_one_alert_is_resolved_by_its_own_call(msp: Msp) -> None:
    [pk] = msp.raise_alerts(1)

    result = act(msp, AlertAction.RESOLVE, [pk])

    assert result.summary == "1 resolved"
    assert writes(msp) == [f"PUT /alerts/{pk}/"]
    assert msp.truth(pk)["resolved"]
    alert = msp.alert(pk)
    assert alert.status is AlertStatus.RESOLVED
    assert alert.resolved_at is not None


@pytest.mark.one_database
def test_many_are_resolved_by_one_call(msp: Msp) -> None:
    pks = msp.raise_alerts(4)

    result = act(msp, AlertAction.RESOLVE, pks[:3])

    assert len(result.done) == 3
    assert writes(msp) == ["POST /alerts/bulk/"]
    assert [msp.truth(pk)["resolved"] for pk in pks] == [True, True, True, False]
    assert msp.alert(pks[3]).status is AlertStatus.ACTIVE


@pytest.mark.one_database
def test_snoozing_and_back(msp: Msp) -> None:
    pks = msp.raise_alerts(2)

    assert act(msp, AlertAction.SNOOZE, pks, days=3).summary == "2 snoozed"
    snoozed = msp.alert(pks[0])
    assert snoozed.status is AlertStatus.SNOOZED
    assert snoozed.snoozed_until is not None

    assert act(msp, AlertAction.UNSNOOZE, pks).summary == "2 active again"
    assert [msp.alert(pk).status for pk in pks] == [AlertStatus.ACTIVE] * 2
    assert not msp.truth(pks[0])["snoozed"]


@pytest.mark.one_database
def test_one_that_tactical_lost_is_over_already_and_closed(msp: Msp) -> None:
    pks = msp.raise_alerts(3)
    msp.tactical.control.alerts.remove(pks[1])

    result = act(msp, AlertAction.RESOLVE, pks)

    assert result.summary == "2 resolved, 1 over already"
    assert msp.alert(pks[1]).status is AlertStatus.RESOLVED


@pytest.mark.one_database
def test_a_missing_permission_is_named(msp: Msp) -> None:
    pks = msp.raise_alerts(2)
    key = msp.tactical.control.access.add_key(without=["can_manage_alerts"])
    with msp.scope():
        connect.save_connection(ConnectionSettings(api_key=key))
        msp.tactical.control.log.clear()
    _activate(msp)

    result = act(msp, AlertAction.RESOLVE, pks)

    assert result.done == []
    assert all("can_manage_alerts" in failure.reason for failure in result.failures)
    assert [msp.alert(pk).status for pk in pks] == [AlertStatus.ACTIVE] * 2


def test_what_broke_on_the_way_but_was_done_counts_as_done(
    msp: Msp, monkeypatch: pytest.MonkeyPatch
) -> None:
    pks = msp.raise_alerts(2)
    resolve = TacticalAlerts.resolve

    def resolve_and_fail(self: TacticalAlerts, pks: Any) -> None:
        resolve(self, pks)
        raise Refused("The connection broke before the answer.")

    monkeypatch.setattr(TacticalAlerts, "resolve", resolve_and_fail)

    assert act(msp, AlertAction.RESOLVE, pks).summary == "2 resolved"


@pytest.mark.one_database
def test_what_was_not_done_is_told_with_its_reason(msp: Msp) -> None:
    pks = msp.raise_alerts(2)
    msp.tactical.control.faults.add("status", "/alerts/bulk/", status=500)

    result = act(msp, AlertAction.RESOLVE, pks)

    assert result.summary == "2 failed"
    assert "500" in result.failures[0].reason
    assert [msp.alert(pk).status for pk in pks] == [AlertStatus.ACTIVE] * 2


def test_a_claim_that_it_is_done_is_not_believed(msp: Msp) -> None:
    pks = msp.raise_alerts(2)
    msp.tactical.control.faults.add("json", "/alerts/bulk/", body="ok")

    result = act(msp, AlertAction.RESOLVE, pks)

    assert result.done == []
    assert {failure.reason for failure in result.failures} == {
        "Tactical accepted the request, but did not change the alert."
    }


def test_a_server_that_is_away_is_asked_twice_at_most(msp: Msp) -> None:
    pks = msp.raise_alerts(5)
    ids = msp.ids_of(pks)
    msp.tactical.stop()
    with msp.scope():
        result = actions.act(AlertAction.RESOLVE, ids)

    assert result.summary == "5 failed"
    assert [msp.alert(pk).status for pk in pks] == [AlertStatus.ACTIVE] * 5


@pytest.mark.one_database
def test_an_alert_without_an_id_is_refused_with_the_reason(msp: Msp, http: FlaskClient) -> None:
    [pk] = msp.raise_alerts(1)
    msp.deliver(http, agent_id=msp.agents[0], event="trigger", severity="error")
    msp.process()
    with msp.scope():
        result = actions.act(AlertAction.RESOLVE, [row.alert.id for row in list_alerts(ANY).items])

    assert result.done == msp.ids_of([pk])
    [failure] = result.failures
    assert "had no alert id" in failure.reason


@pytest.mark.one_database
def test_a_resolved_alert_keeps_the_time_of_its_resolving(msp: Msp) -> None:
    [pk] = msp.raise_alerts(1)
    msp.tactical.control.alerts.resolve(pk)
    msp.sync()
    before = msp.alert(pk).resolved_at

    result = act(msp, AlertAction.RESOLVE, [pk])

    assert result.summary == "1 over already"
    assert msp.alert(pk).resolved_at == before
    assert writes(msp) == []


@pytest.mark.one_database
def test_tactical_is_asked_outside_any_transaction(
    msp: Msp, monkeypatch: pytest.MonkeyPatch
) -> None:
    pks = msp.raise_alerts(3)
    ask = TacticalSession._open
    open_during: list[bool] = []

    def watch(self: TacticalSession, request: Any, headers: Any) -> Any:
        open_during.append(db.session().in_transaction())
        return ask(self, request, headers)

    monkeypatch.setattr(TacticalSession, "_open", watch)

    assert len(act(msp, AlertAction.RESOLVE, pks).done) == 3
    assert open_during == [False] * 4


@pytest.mark.one_database
def test_what_cannot_be_meant_is_refused(msp: Msp) -> None:
    [pk] = msp.raise_alerts(1)
    [alert_id] = msp.ids_of([pk])
    with msp.scope():
        for action, ids, days in (
            (AlertAction.RESOLVE, [], None),
            (AlertAction.SNOOZE, [alert_id], None),
            (AlertAction.SNOOZE, [alert_id], 0),
            (AlertAction.SNOOZE, [alert_id], 400),
            (AlertAction.RESOLVE, list(range(1, 202)), None),
        ):
            with pytest.raises(InvalidInput):
                actions.act(action, ids, days)
        with pytest.raises(NotFound):
            actions.act(AlertAction.RESOLVE, [alert_id + 999])
        connect.disconnect()
        with pytest.raises(Refused):
            actions.act(AlertAction.RESOLVE, [alert_id])


def _activate(msp: Msp) -> None:
    with msp.scope():
        testing.test_now()
