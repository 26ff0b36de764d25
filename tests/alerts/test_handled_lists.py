"""The list, the page and the files of alerts tell what the portal did, and who looks after them."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

import pytest
from flask import Flask
from flask.testing import FlaskClient

from portal.clock import utc_now
from portal.db import transaction
from portal.models import Alert, AlertHandling, AlertRule, Asset, Membership, TimelineEntry
from portal.models.alerts.handling import HandlingState
from portal.models.alerts.timeline import TimelineKind
from portal.scope import limited_to, tenant_scope
from portal.services.accounts.limits import set_limit
from portal.services.alerts.acknowledging import acknowledge
from portal.services.alerts.filters import AlertFilter
from portal.services.alerts.listing import list_and_count
from tests.web.conftest import HTMX
from tests.web.world import Place, make_alert, make_place, make_user, sign_in

pytestmark = pytest.mark.mainly("postgresql")


@pytest.fixture
def acme(app: Flask) -> Iterator[Place]:
    """Its first alert is nobody's; of the others a rule acted on one, a window holds one."""
    place = make_place(app)
    with app.app_context(), tenant_scope(place.id):
        with transaction() as session:
            rule = AlertRule(position=1, name="Servers", switched_on_at=utc_now())
            session.add(rule)
            session.flush()
            add(session, place, 1, state=HandlingState.ACTED, rule_id=rule.id, rule_name="Servers")
            add(session, place, 2, state=HandlingState.SILENT, reason="No rule matches.")
        yield place


def add(session: Any, place: Place, number: int, **values: Any) -> None:
    alert = make_alert(session.get_one(Asset, place.asset))
    alert.external_alert_id, alert.message = str(number), f"Alert number {number}"
    session.add(alert)
    session.flush()
    known = {"occurrence": 1, "began_at": utc_now(), "due_at": None, "urgency": "high"}
    session.add(AlertHandling(alert_id=alert.id, **known | values))


@pytest.fixture
def admin(app: Flask, http: FlaskClient, acme: Place) -> FlaskClient:
    app.config["WTF_CSRF_ENABLED"] = False
    sign_in(app, http, make_user(app, "anna@acme.example", acme))
    return http


def found(**wanted: Any) -> set[str | None]:
    page, counts = list_and_count(AlertFilter(**wanted))
    assert counts["total"] == len(page.items)
    return {row.alert.external_alert_id for row in page.items}


def ids() -> dict[str | None, int]:
    page, _counts = list_and_count(AlertFilter())
    return {row.alert.external_alert_id: row.alert.id for row in page.items}


def test_filters_look_at_the_present_occurrence(acme: Place) -> None:
    acknowledge([ids()["1"]])
    with transaction() as session:
        again = session.get_one(Alert, ids()["2"])
        again.occurrences = 2
    assert found(handled="acknowledged") == {"1"}
    assert found(handled="unacknowledged") == {"31", "2"}
    assert found(handled="told") == {"1"}
    assert found(handled="silent") == set()
    assert found(urgency="high") == {"1"}
    assert list_and_count(AlertFilter())[1]["unacknowledged"] == 2
    with limited_to([acme.client]):
        assert found(handled="acknowledged") == {"1"}
    with limited_to([]):
        assert found(handled="unacknowledged") == set()


def test_the_list_says_who_looks_after_them(admin: FlaskClient, acme: Place) -> None:
    page = admin.get(acme.url("alerts/")).text
    assert 'Unacknowledged <span class="chip-number">3</span>' in page
    chosen = {"alert": [ids()["1"], ids()["2"]]}
    answer = admin.post(acme.url("alerts/acknowledge"), data=chosen, headers=HTMX)
    assert "2 alerts acknowledged." in answer.headers["HX-Trigger"]
    assert "alerts-changed" in answer.headers["HX-Trigger"]
    me = re.search(r'<option value="(\d+)" selected>anna@acme.example', page)
    assert me
    admin.post(acme.url("alerts/assign"), data=chosen | {"assigned_to": me[1]})

    assert "2 alerts assigned." in admin.get(acme.url("alerts/")).text
    columns = "columns=severity,asset,client,acknowledged,assigned,rule"
    page = admin.get(acme.url(f"alerts/?{columns}")).text
    assert page.count('title="anna@acme.example">anna</span>') == 2
    assert page.count("<td>you</td>") == 2
    assert "Alert number 1" in admin.get(acme.url("alerts/?handled=mine")).text
    assert "Alert number 1" not in admin.get(acme.url("alerts/?status=unacknowledged")).text
    dashboard = admin.get(acme.url()).text
    number = 'status=unacknowledged"><span>Unacknowledged</span><span class="chart-number">1<'
    assert number in dashboard
    rule = re.search(r'name="rule_id".*?<option value="(\d+)">Servers</option>', page, re.DOTALL)
    assert rule
    of_rule = admin.get(acme.url(f"alerts/?rule_id={rule[1]}")).text
    assert "Alert number 1" in of_rule
    assert "Alert number 2" not in of_rule


def test_nobody_is_told_without_a_rule_that_is_on(admin: FlaskClient, acme: Place) -> None:
    warning = "No rule is switched on: nobody is told of alerts"
    assert warning not in admin.get(acme.url("alerts/")).text
    with transaction() as session:
        for rule in session.query(AlertRule):
            rule.switched_on_at = None
    assert warning in admin.get(acme.url("alerts/")).text


def test_the_page_answers_why_nobody_called(admin: FlaskClient, acme: Place) -> None:
    with transaction() as session:
        entry = TimelineEntry(alert_id=acme.alert, kind=TimelineKind.SILENT, text="<b>Silent</b>")
        session.add(entry)
    page = admin.get(acme.url(f"alerts/{acme.alert}")).text
    assert "Nobody was told: it began before the portal acted on alerts." in page
    assert "&lt;b&gt;Silent&lt;/b&gt;" in page
    url = acme.url(f"alerts/{acme.alert}/")
    page = admin.post(url + "acknowledge", data={"note": "I go."}, follow_redirects=True).text
    assert "1 alert acknowledged." in page
    assert "I go." in page
    again = admin.post(url + "acknowledge", follow_redirects=True).text
    assert "The alert is acknowledged already, by anna@acme.example." in again
    assert "by nobody" in admin.post(url + "unacknowledge", follow_redirects=True).text
    assert "Choose whom" in admin.post(url + "assign", follow_redirects=True).text


@pytest.mark.parametrize("is_limited", [False, True])
def test_the_page_of_an_alert_leads_to_the_window_that_held_it(
    app: Flask, http: FlaskClient, acme: Place, is_limited: bool
) -> None:
    user = make_user(app, "tom@acme.example", acme, role="technician")
    with transaction() as session:
        handling = session.query(AlertHandling).filter_by(rule_name="Servers").one()
        handling.window_id, handling.window_name = acme.window, "Patch night"
        page = acme.url(f"alerts/{handling.alert_id}")
        membership = session.query(Membership).filter_by(user_id=user).one()
        set_limit(session, membership, [acme.client] if is_limited else None)
    sign_in(app, http, user)
    text = http.get(page).text
    assert "Patch night" in text
    assert (acme.url(f"maintenance/{acme.window}") in text) is not is_limited


def test_who_is_limited_reads_no_other_names(app: Flask, http: FlaskClient, acme: Place) -> None:
    user = make_user(app, "tom@acme.example", acme, role="technician")
    with transaction() as session:
        handling = session.query(AlertHandling).filter_by(rule_name="Servers").one()
        handling.assigned_to = session.query(Membership).filter_by(role="viewer").one().id
        session.query(Membership).filter_by(user_id=user).one().limited = True
    sign_in(app, http, user)
    assert "member@acme.example" not in http.get(acme.url("alerts/")).text
