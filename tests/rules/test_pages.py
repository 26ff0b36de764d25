"""The pages of rules, as answers."""

from __future__ import annotations

import io
import re
from typing import Any

import pytest
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy import delete, select

from portal.db import db, transaction
from portal.models import Alert, AlertHandling, AlertRule, Asset, Channel, Helpdesk
from portal.models.alerts.alert import AlertStatus
from portal.models.alerts.handling import HandlingState
from portal.scope import tenant_scope
from portal.services.rules import changes
from portal.services.rules.file.importing import digest
from portal.services.rules.listing import get_rule, list_rules, query_rules, view_rule
from portal.services.rules.terms import Steps, TicketStep
from portal.services.rules.trial import try_rules
from tests.web.conftest import acme, admin
from tests.web.lists.test_undo import do, press
from tests.web.world import Place, make_rule

__all__ = ["acme", "admin"]

pytestmark = pytest.mark.one_database

WHOLE: dict[str, Any] = {
    "name": "Nights of SQL servers",
    **{"severities": ["error", "warning"], "kinds": "check", "asset_types": "server"},
    **{"tags": "SQL, sql , vip", "comparison": "matches", "text": "disk|service"},
    **{"when": "outside", "days": ["0", "4"], "start": "08:00", "end": "18:00"},
    **{"zone": "Europe/Berlin", "lasting_minutes": "10"},
    **{"number": "3", "minutes": "60", "of": "check", "does": "tell", "urgency": "critical"},
    **{"remind_hours": "4", "escalate_minutes": "30", "go_on": "y"},
    **{"ticket_queue": "Support", "ticket_per": "client", "ticket_subject": "{{ hostname }}"},
}


REFUSED: list[tuple[dict[str, Any], str]] = [
    ({"name": " "}, "Enter a name for the rule."),
    ({"text": "(disk"}, "“(” is opened and not closed"),
    ({"lasting_minutes": "soon"}, "Enter a whole number, or nothing."),
    ({"lasting_minutes": "0"}, "Enter a number from 1 to 10,080."),
    ({"number": ""}, "Enter both: how many alerts"),
    ({"number": "1"}, "Enter a number from 2 to 1,000."),
    ({"minutes": "2000"}, "Enter a number from 1 to 1,440."),
    ({"zone": "Mars/Base"}, "Choose a time zone from the list"),
    ({"days": []}, "Choose at least one day."),
    ({"start": "25:00"}, "Enter a time such as 08:00."),
    ({"notify": []}, "Choose the channels that are reminded."),
    ({"notify": "999999"}, "One of the channels is no longer there."),
    ({"escalate_to": []}, "Choose the channels that are told then."),
    ({"escalate_minutes": ""}, "Enter after how many minutes"),
    ({"does": "ignore"}, "Enter why nobody is to be told."),
    ({"assets": "nobody"}, "There is no asset named nobody."),
    ({"tags": "x" * 41}, "A tag has at most 40 characters."),
    ({"ticket_queue": " "}, "Enter the queue that tickets go to."),
    ({"ticket_helpdesk": "999999"}, "The helpdesk is no longer there."),
    ({"ticket_helpdesk": "x"}, "Choose from the list."),
    ({"ticket_per": "weather"}, "Choose from the list."),
    ({"ticket_subject": "{{ weather }}"}, "The template cannot be used"),
    ({"severities": "fatal"}, "cannot be read as the terms of a rule"),
    ({"clients": "x"}, "Choose from the list."),
]


def whole(place: Place) -> dict[str, Any]:
    return WHOLE | {
        "clients": str(place.client),
        "organizations": "7",
        "assets": "acme-pc",
        "notify": str(place.channel),
        "escalate_to": str(place.channel),
        "ticket_helpdesk": str(place.helpdesk),
    }


def rules_of(app: Flask, place: Place) -> list[str]:
    with app.app_context(), tenant_scope(place.id):
        return [rule.name for rule in query_rules()]


def test_a_rule_is_tried_before_it_is_saved(app: Flask, admin: FlaskClient, acme: Place) -> None:
    address = acme.url("rules/new")
    form = {"name": "All", "does": "tell", "notify": str(acme.channel)}
    tried = admin.post(address, data=form | {"severities": "error"})
    assert "It would have matched 1 of 1 alert" in tried.text
    assert "Its severity is error." in tried.text
    none = admin.post(address, data=form | {"severities": "info"})
    assert "It would have matched 0 of 1 alert" in none.text
    assert rules_of(app, acme) == ["Acme servers"]
    assert admin.post(address, data=form | {"do": "save"}).status_code == 302
    assert admin.post(address, data=form | {"name": "Off", "do": "save-off"}).status_code == 302
    with app.app_context(), tenant_scope(acme.id):
        assert [(view.rule.name, view.is_on) for view in list_rules()] == [
            *(("Acme servers", True), ("All", True), ("Off", False)),
        ]


def test_a_rule_comes_back_as_it_was_entered(app: Flask, admin: FlaskClient, acme: Place) -> None:
    """Into the form, and out of it again unchanged."""
    address = acme.url(f"rules/{acme.rule}/edit")
    answer = admin.post(address, data=whole(acme) | {"do": "save"})
    assert answer.status_code == 302, answer.text
    with app.app_context(), tenant_scope(acme.id):
        kept = view_rule(get_rule(acme.rule))
        assert kept.conditions.tags == ("sql", "vip")
        assert kept.conditions.assets == (acme.asset,)
        assert kept.conditions.hours is not None
        assert (kept.conditions.hours.days, kept.conditions.hours.outside) == ((0, 4), True)
        assert kept.steps.escalate_to == (acme.channel,)
        assert kept.steps.ticket is not None
        assert (kept.steps.ticket.queue, kept.steps.ticket.per) == ("Support", "client")
        assert kept.rule.go_on
    page = admin.get(address).text
    for text in (
        *("Nights of SQL servers", "sql, vip", "disk|service", "acme-pc</textarea>"),
        *('selected value="Europe/Berlin"', 'selected value="critical"'),
    ):
        assert text in page
    listed = admin.get(acme.url("rules/")).text
    for text in (
        "severity error or warning",
        "message matches “disk|service”",
        "outside of Monday and Friday, 08:00 to 18:00 (Europe/Berlin)",
        "at least 3 within 60 minutes of one check or task",
        "client Acme Client",
        "tell Acme Room after 30 minutes without acknowledgement",
        "open a ticket in Acme Desk, one for each client",
    ):
        assert text in listed


def test_a_rule_that_only_opens_a_ticket_shows_it_first(
    app: Flask, admin: FlaskClient, acme: Place
) -> None:
    """What is chosen by the helpdesk's words is kept by its ids."""
    with app.app_context(), tenant_scope(acme.id), transaction() as session:
        queues = [{"id": "3", "name": "Support"}, {"id": "4", "name": "Sales"}]
        session.get_one(Helpdesk, acme.helpdesk).lists = {"queues": queues}
    form = {"name": "Tickets", "does": "tell", "ticket_helpdesk": str(acme.helpdesk)}
    form |= {"ticket_queue": "support", "ticket_subject": "{{ hostname }}: look", "do": "try"}
    tried = admin.post(acme.url("rules/new"), data=form).text
    for text in ("open a ticket in Acme Desk", "acme-pc: look", "/alerts/"):
        assert text in tried
    assert "may not know" not in tried
    other = admin.post(acme.url("rules/new"), data=form | {"ticket_queue": "Suport"}).text
    assert "Acme Desk may not know queue “Suport”" in other
    saved = admin.post(acme.url("rules/new"), data=form | {"do": "save-off"})
    assert saved.status_code == 302, saved.text
    with app.app_context(), tenant_scope(acme.id):
        view = list_rules()[-1]
        step = TicketStep(acme.helpdesk, "3", subject="{{ hostname }}: look")
        assert view.steps == Steps(ticket=step)
    page = admin.get(acme.url(f"rules/{view.rule.id}/edit")).text
    assert 'value="Support"' in page


def test_a_ticket_is_shown_with_an_example_where_no_alert_matched(
    app: Flask, admin: FlaskClient, acme: Place
) -> None:
    """By the newest alert, and by an invented one where there is none."""
    with app.app_context(), tenant_scope(acme.id), transaction() as session:
        lists = {"queues": [{"id": "3", "name": "Support"}]}
        session.get_one(Helpdesk, acme.helpdesk).lists = lists
    form = {"name": "Rare", "does": "tell", "ticket_helpdesk": str(acme.helpdesk), "do": "try"}
    form |= {"ticket_queue": "Suport", "ticket_subject": "{{ hostname }}: look at {{ rule }}"}
    form |= {"text": "said by no alert", "comparison": "contains"}
    for hostname in ("acme-pc", "SRV-01"):
        tried = admin.post(acme.url("rules/new"), data=form).text
        for text in (
            "It would have matched 0 of",
            "The ticket in Acme Desk, for an example: no alert matched",
            f"{hostname}: look at Rare",
            "Acme Desk may not know queue “Suport”",
        ):
            assert text in tried
        with app.app_context(), tenant_scope(acme.id), transaction() as session:
            session.execute(delete(Alert))


def test_what_cannot_be_meant_is_refused_and_kept(admin: FlaskClient, acme: Place) -> None:
    wrong = []
    for entered, says in REFUSED:
        for word in ("try", "save"):
            answer = admin.post(acme.url("rules/new"), data=whole(acme) | entered | {"do": word})
            kept = "disk|service" in answer.text or "text" in entered
            if answer.status_code != 422 or says not in answer.text or not kept:
                wrong.append((entered, do, answer.status_code))
    assert wrong == []


def test_all_that_is_wrong_is_said_at_once(admin: FlaskClient, acme: Place) -> None:
    """What cannot be read, what cannot be meant, and what is no longer there."""
    wrong: dict[str, Any] = {
        **{"name": " ", "text": "(disk", "days": [], "start": "25:00", "tags": "x" * 41},
        **{"lasting_minutes": "soon", "number": "1", "minutes": "2000", "remind_hours": "0"},
        **{"notify": "999999", "escalate_minutes": "later", "assets": "nobody"},
        **{"ticket_queue": "", "ticket_body": "{% if %}", "ticket_customer": "x" * 201},
    }
    answer = admin.post(acme.url("rules/new"), data=whole(acme) | wrong)
    shown = set(re.findall(r'id="(\w+)-error"', answer.text))
    assert (answer.status_code, shown) == (422, set(wrong))


def test_rules_are_moved_copied_switched_and_deleted(
    app: Flask, admin: FlaskClient, acme: Place
) -> None:
    with app.app_context(), tenant_scope(acme.id), transaction() as session:
        session.add_all(make_rule(name, acme.channel, at) for at, name in ((2, "B"), (3, "C")))
    a, b, c = "Acme servers", "B", "C"
    here = acme.url(f"rules/{acme.rule}/")
    admin.post(f"{here}move", data={"direction": "up"})
    assert rules_of(app, acme) == [a, b, c], "it was the first already"
    admin.post(f"{here}move", data={"direction": "down"})
    assert rules_of(app, acme) == [b, a, c]
    admin.post(f"{here}duplicate")
    assert rules_of(app, acme) == [b, a, f"Copy of {a}", c]
    with app.app_context(), tenant_scope(acme.id):
        was = get_rule(acme.rule).switched_on_at
    admin.post(f"{here}switch", data={"on": "1"})
    with app.app_context(), tenant_scope(acme.id):
        assert get_rule(acme.rule).switched_on_at == was, "it was on already"
        assert [rule.switched_on_at is None for rule in query_rules()] == [
            *(False, False, True, False),
        ]
    admin.post(f"{here}switch", data={"on": "0"})
    admin.post(f"{here}delete")
    assert rules_of(app, acme) == [b, f"Copy of {a}", c]


def test_without_rules_the_page_says_that_nobody_is_told_and_offers_some(
    app: Flask, admin: FlaskClient, acme: Place
) -> None:
    admin.post(acme.url(f"rules/{acme.rule}/delete"))
    warning = "No rule is switched on: nobody is told of alerts."
    assert warning in admin.get(acme.url()).text
    page = admin.get(acme.url("rules/")).text
    assert "No rules: nobody is told of alerts" in page
    assert "Servers that do not answer" in page
    admin.post(acme.url("rules/defaults"))
    with app.app_context(), tenant_scope(acme.id):
        taken = list_rules()
        assert len(taken) == 5
        assert all(view.is_on for view in taken)
        assert [view.steps.notify for view in taken if view.steps.ignore is None] == [
            (acme.channel,)
        ] * 3
        changes.switch_rules([taken[0].rule.id], on=False)
    assert "All rules are switched off." not in admin.get(acme.url("rules/")).text
    assert warning not in admin.get(acme.url()).text


def test_the_first_rule_that_matches_decides_unless_it_goes_on(app: Flask, acme: Place) -> None:
    with app.app_context(), tenant_scope(acme.id):
        with transaction() as session:
            session.get_one(AlertRule, acme.rule).go_on = True
            session.get_one(Asset, acme.asset).asset_type = "server"
            alert = session.get_one(Alert, acme.alert)
            alert.external_check_id = "3"
            session.add_all(make_rule(name, acme.channel, at) for at, name in ((2, "B"), (3, "C")))
        tried = try_rules(list_rules())
        assert [(each.matched, each.decided) for each in tried.outcomes] == [(1, 1), (1, 1), (1, 0)]
        assert (tried.tried, tried.silent) == (1, 0)
        changes.delete_rule(acme.rule)
        assert [each.decided for each in try_rules(list_rules()).outcomes] == [1, 0]
        assert try_rules([]).silent == 1


def test_defaults_need_somebody_to_tell(app: Flask, admin: FlaskClient, acme: Place) -> None:
    with app.app_context(), tenant_scope(acme.id), transaction() as session:
        session.delete(session.get_one(AlertRule, acme.rule))
        session.delete(session.get_one(Channel, acme.channel))
    page = admin.post(acme.url("rules/defaults"), follow_redirects=True).text
    assert "Add a channel first" in page
    assert acme.url("channels/new") in page
    assert rules_of(app, acme) == []


def test_a_rule_acts_on_older_alerts_when_it_is_told_to(
    app: Flask, admin: FlaskClient, acme: Place
) -> None:
    with app.app_context(), tenant_scope(acme.id), transaction() as session:
        session.get_one(Asset, acme.asset).asset_type = "server"
    here = acme.url(f"rules/{acme.rule}/")
    admin.post(f"{here}switch", data={"on": "0"})
    assert "The rule is switched off" in admin.get(f"{here}older").text
    switched = admin.post(f"{here}switch", data={"on": "1"}, follow_redirects=True).text
    assert "Act on 1 now" in switched
    assert "1 alert that the rule matches" in switched
    assert admin.post(f"{here}act").status_code == 302
    with app.app_context(), tenant_scope(acme.id):
        handling = db.session.scalars(select(AlertHandling)).one()
        assert (handling.alert_id, handling.state) == (acme.alert, HandlingState.UNDECIDED)
        with transaction() as session:
            session.get_one(AlertHandling, handling.id).state = HandlingState.ACTED
    assert "There are no such alerts" in admin.get(f"{here}older").text


def test_a_rule_that_cannot_be_read_is_shown_and_can_be_mended(
    app: Flask, admin: FlaskClient, acme: Place
) -> None:
    with app.app_context(), tenant_scope(acme.id), transaction() as session:
        session.get_one(AlertRule, acme.rule).conditions = {"of_another_version": 1}
    assert "Cannot be read" in admin.get(acme.url("rules/")).text
    address = acme.url(f"rules/{acme.rule}/edit")
    assert admin.get(address).status_code == 200
    form = {"name": "Mended", "does": "ignore", "ignore": "Noise", "do": "save"}
    assert admin.post(address, data=form).status_code == 302
    assert "Cannot be read" not in admin.get(acme.url("rules/")).text


def test_a_file_is_taken_over_on_the_page_after_a_look(
    app: Flask, admin: FlaskClient, acme: Place
) -> None:
    address = acme.url("rules/file")
    file = b"rules: [{name: From a file, steps: {ignore: Noise}}]"

    def send(content: bytes, **form: str) -> Any:
        return admin.post(address, data=form | {"file": (io.BytesIO(content), "r.yaml")})

    assert "Import a file" in admin.get(address).text
    looked_at = send(file, do="look").text
    assert "From a file" in looked_at
    assert rules_of(app, acme) == ["Acme servers"]
    known = digest(file)
    assert f'value="{known}"' in looked_at
    assert "This is another file" in send(file + b"\n", do="apply", looked_at=known).text
    assert rules_of(app, acme) == ["Acme servers"]
    assert send(file, do="apply", looked_at=known).status_code == 302
    assert rules_of(app, acme) == ["From a file", "Acme servers"]
    wrong = send(b"rules: [", do="look")
    assert (wrong.status_code, "cannot be read" in wrong.text) == (422, True)
    assert admin.post(address).status_code == 422
    taken = admin.get(acme.url("rules/file.yaml"))
    assert "From a file" in taken.text
    assert "attachment" in taken.headers["Content-Disposition"]


def test_those_that_are_ticked_are_switched_and_undone(
    app: Flask, admin: FlaskClient, acme: Place
) -> None:
    with app.app_context(), tenant_scope(acme.id), transaction() as session:
        off = make_rule("Off", acme.channel, 2)
        off.switched_on_at = None
        session.add(off)
        session.flush()
        both = {"rule": [acme.rule, off.id]}

    def since() -> list[object]:
        with app.app_context(), tenant_scope(acme.id):
            return [rule.switched_on_at for rule in query_rules()]

    before = since()
    assert (
        f'name="rule" value="{acme.rule}" form="chosen-rules"' in admin.get(acme.url("rules/")).text
    )
    switched = do(admin, acme, "rules/switch", **both, on="0")
    assert since() == [None, None]
    assert press(admin, switched) == "Undone: switched off 1 rule."
    assert since() == before  # on since it was, and not since now

    switched = do(admin, acme, "rules/switch", **both, on="1")
    assert since()[0] == before[0]
    alone = do(admin, acme, f"rules/{both['rule'][1]}/switch", on="0")
    assert press(admin, switched) == "It was changed since, so nothing was undone."
    assert press(admin, alone) == "Undone: switched off 1 rule."
    assert press(admin, switched) == "Undone: switched on 1 rule."
    assert since() == before

    again = admin.post(acme.url("rules/switch"), data=both | {"on": "0"}, follow_redirects=True)
    assert "Switched 1 rule off." in again.text
    again = admin.post(acme.url("rules/switch"), data=both | {"on": "0"}, follow_redirects=True)
    assert "They are off already." in again.text
    none = admin.post(acme.url("rules/switch"), data={"on": "0"}, follow_redirects=True)
    assert "Select at least one rule." in none.text
    assert admin.post(acme.url("rules/switch"), data={"rule": 999999}).status_code == 404


def test_how_many_alerts_a_rule_decided_leads_to_them(
    app: Flask, admin: FlaskClient, acme: Place
) -> None:
    """Of what recurred, as it is now: the list shows the present occurrence."""
    where = acme.url(f"alerts/?status=any&amp;rule_id={acme.rule}")
    assert where not in admin.get(acme.url("rules/")).text, "of none there is no list"
    with app.app_context(), tenant_scope(acme.id), transaction() as session:
        alert = session.get_one(Alert, acme.alert)
        alert.occurrences, alert.status = 2, AlertStatus.RESOLVED
        for occurrence in (1, 2):
            handling = AlertHandling(alert_id=alert.id, occurrence=occurrence)
            handling.began_at, handling.state = alert.triggered_at, HandlingState.ACTED
            handling.rule_id = acme.rule
            session.add(handling)
    assert f'href="{where}">1</a>' in admin.get(acme.url("rules/")).text
    listed = admin.get(where.replace("&amp;", "&")).text
    assert f'href="{acme.url(f"alerts/{acme.alert}")}' in listed
