"""What is done about an alert: windows first, then rules in their order, then their steps."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest

from portal.clock import utc_now
from portal.db import db, transaction
from portal.models import AlertHandling, AlertRule, Event, MaintenanceWindow
from portal.models.alerts.handling import HandlingState
from portal.models.channels.message import MessageStatus
from portal.models.events.event import EventType
from portal.services.alerts.acknowledging import acknowledge, unacknowledge
from portal.services.alerts.snoozing import snooze, unsnooze
from portal.services.handling import deciding
from portal.services.handling.acting import act_now
from portal.services.handling.decision import RESOLVED_MEANWHILE, decide
from portal.services.rules.terms import AtLeast, Conditions
from tests.handling.conftest import START, Desk

ACTED, SILENT, HELD = HandlingState.ACTED, HandlingState.SILENT, HandlingState.HELD
pytestmark = pytest.mark.one_database


def why(desk: Desk, at: int = 0) -> list[tuple[bool, str]]:
    return [(each["matched"], each["why"]) for each in desk.handling(at).explanation]


def test_the_first_rule_that_matches_wins_and_says_so(desk: Desk) -> None:
    ops, chief = desk.add_channel("Ops"), desk.add_channel("Chief")
    desk.add_rule(Conditions(severities=("info",)), notify=(chief,))
    winner = desk.add_rule(notify=(ops,), urgency="high")
    desk.add_rule(notify=(chief,))
    desk.raise_alerts(1)
    desk.work()
    handling = desk.handling()
    assert (handling.state, handling.rule_id, handling.urgency) == (ACTED, winner, "high")
    assert [matched for matched, _why in why(desk)] == [False, True]
    assert desk.said() == [("raised", "Check failing: SRV-1")]
    assert [call.path for call in desk.far_side.calls] == ["/Ops"]
    assert "The rule “Rule 2” matches. To be told: Ops." in desk.timeline()


def test_rules_that_go_on_act_together(desk: Desk) -> None:
    ops, chief = desk.add_channel("Ops"), desk.add_channel("Chief")
    desk.add_rule(go_on=True, urgency="critical")
    desk.add_rule(go_on=True, notify=(ops,), urgency="low")
    desk.add_rule(notify=(chief, ops))
    desk.raise_alerts(1)
    desk.work()
    assert sorted(call.path for call in desk.far_side.calls) == ["/Chief", "/Ops"]
    assert (desk.handling().rule_name, desk.handling().urgency) == ("Rule 2", "critical")


def test_an_ignored_alert_says_why_and_nobody_is_told_of_its_end(desk: Desk) -> None:
    desk.add_rule(ignore="Noise.")
    desk.raise_alerts(1)
    desk.work()
    desk.resolve(1)
    desk.work()
    handling = desk.handling()
    assert handling.state is HandlingState.IGNORED
    assert handling.reason == "The rule “Rule 1” says so: Noise."
    assert (handling.due_at, desk.messages()) == (None, [])


@pytest.mark.parametrize("is_on", [True, False])
def test_without_a_rule_that_matches_nobody_is_told(desk: Desk, is_on: bool) -> None:
    if is_on:
        desk.add_rule(Conditions(severities=("info",)), notify=(desk.add_channel(),))
    desk.raise_alerts(1)
    desk.work()
    reason = "No rule matches." if is_on else "There is no rule that is switched on."
    assert (desk.handling().state, desk.handling().reason) == (SILENT, reason)
    assert f"Nobody is told: {reason}" in desk.timeline()


def test_a_rule_without_a_channel_that_is_on_says_so(desk: Desk) -> None:
    desk.add_rule(notify=(4711,))
    desk.raise_alerts(1)
    desk.work()
    assert "names no channel or helpdesk that is switched on" in (desk.handling().reason or "")


# --- Lasting, and at least so many ----------------------------------------------------------


def test_what_does_not_last_never_leaves_the_portal(desk: Desk, clock: Any) -> None:
    desk.add_rule(Conditions(lasting_minutes=10), notify=(desk.add_channel(),))
    desk.raise_alerts(1)
    desk.work()
    handling = desk.handling()
    assert handling.state is HandlingState.UNDECIDED
    assert handling.due_at == START + timedelta(minutes=10)
    clock.shift(4 * 60)
    desk.resolve(1)
    desk.work()
    reason = "It was resolved after 4 minutes; the rule “Rule 1” waits for 10."
    assert (desk.handling().state, desk.handling().reason) == (SILENT, reason)
    assert desk.far_side.calls == []


def test_what_lasts_is_told_then(desk: Desk, clock: Any) -> None:
    desk.add_rule(Conditions(lasting_minutes=10), notify=(desk.add_channel(),))
    desk.raise_alerts(1)
    desk.work()
    clock.shift(10 * 60 - 1)
    desk.work()
    assert desk.far_side.calls == []
    clock.shift(1)
    desk.work()
    assert desk.reasons() == ["raised"]
    assert len([text for text in desk.timeline() if "waits until" in text]) == 1


def test_a_rule_that_waits_and_goes_on_lets_the_next_act_meanwhile(desk: Desk, clock: Any) -> None:
    ops, chief = desk.add_channel("Ops"), desk.add_channel("Chief")
    desk.add_rule(Conditions(lasting_minutes=10), go_on=True, notify=(chief,))
    desk.add_rule(notify=(ops,))
    desk.raise_alerts(1)
    desk.work()
    assert [call.path for call in desk.far_side.calls] == ["/Ops"]
    clock.shift(10 * 60)
    desk.work()
    assert [call.path for call in desk.far_side.calls] == ["/Ops", "/Chief"]
    assert desk.handling().due_at is None


def test_at_least_so_many_lets_the_one_match_that_makes_the_number(desk: Desk) -> None:
    wanted = Conditions(at_least=AtLeast(number=3, minutes=10, of="check"))
    desk.add_rule(wanted, notify=(desk.add_channel(),))
    for pk in (1, 2, 3):
        desk.raise_alerts(pk, check_pk=77)
        desk.work()
    assert [desk.handling(at).state for at in range(3)] == [SILENT, SILENT, ACTED]
    assert desk.reasons() == ["raised"]


# --- Day one ----------------------------------------------------------------------------------


def test_a_rule_acts_on_what_began_after_it_was_switched_on(desk: Desk, clock: Any) -> None:
    rule_id = desk.add_rule(notify=(desk.add_channel(),))
    with transaction() as session:
        session.get_one(AlertRule, rule_id).switched_on_at = START
    desk.raise_alerts(1, alert_time=START - timedelta(hours=1))
    desk.raise_alerts(2, alert_time=START - timedelta(minutes=1))  # clocks differ
    desk.work()
    assert (desk.handling(0).state, desk.handling(1).state) == (SILENT, ACTED)
    assert "switched on after the alert began" in why(desk)[0][1]
    assert act_now(rule_id) == 1
    desk.work()
    assert desk.handling(0).state is ACTED
    assert len(desk.far_side.calls) == 2


def test_act_now_also_takes_alerts_that_nothing_was_done_about_before(desk: Desk) -> None:
    desk.raise_alerts(1)
    missing = desk.handling().id
    with transaction() as session:
        session.delete(session.get_one(AlertHandling, missing))
    rule_id = desk.add_rule(notify=(desk.add_channel(),))
    assert act_now(rule_id) == 1
    desk.work()
    assert desk.reasons() == ["raised"]


@pytest.mark.parametrize("matching", [0, 1])
def test_of_two_rules_that_act_now_neither_is_forgotten(
    desk: Desk, clock: Any, matching: int
) -> None:
    desk.raise_alerts(1)
    desk.work()
    clock.shift(60 * 60)
    rules = [
        desk.add_rule(Conditions(severities=(severity,)), notify=(desk.add_channel(severity),))
        for severity in (("error", "info") if matching == 0 else ("info", "error"))
    ]
    for rule_id in rules:
        assert act_now(rule_id) == 1
    desk.work()
    assert desk.handling().rule_id == rules[matching]


# --- Windows ----------------------------------------------------------------------------------


def test_at_the_end_of_a_window_what_is_active_counts_from_then(desk: Desk, clock: Any) -> None:
    window_id = desk.add_window(60, kinds=["check"])
    desk.add_rule(Conditions(lasting_minutes=10), notify=(desk.add_channel(),))
    desk.raise_alerts(1)
    desk.work()
    handling = desk.handling()
    assert (handling.state, handling.window_id, handling.window_name) == (
        HELD,
        window_id,
        "Patches",
    )
    assert handling.due_at == handling.held_until == START + timedelta(hours=1)
    clock.shift(60 * 60)
    desk.work()
    assert desk.handling().due_at == START + timedelta(minutes=70)
    clock.shift(10 * 60)
    desk.work()
    assert desk.reasons() == ["raised"]
    kept = db.session.query(Event).filter_by(type=EventType.ALERT_KEPT_BACK).all()
    assert [each.payload["window"] for each in kept] == ["Patches"]


def test_what_is_resolved_in_a_window_stays_silent_and_is_listed_there(
    desk: Desk, clock: Any
) -> None:
    window_id = desk.add_window(60)
    desk.add_rule(notify=(desk.add_channel(),))
    desk.raise_alerts(1)
    desk.work()
    clock.shift(30 * 60)
    desk.resolve(1)
    desk.work()
    handling = desk.handling()
    assert (handling.state, handling.window_id) == (SILENT, window_id)
    assert handling.reason == "It was resolved during the maintenance window “Patches”."
    assert desk.messages() == []


def test_a_window_that_a_person_ends_lets_go_at_once(desk: Desk, clock: Any) -> None:
    window_id = desk.add_window(60)
    desk.add_rule(notify=(desk.add_channel(),))
    desk.raise_alerts(1)
    desk.work()
    clock.shift(5 * 60)
    held = desk.handling().id
    with transaction() as session:
        session.get_one(MaintenanceWindow, window_id).ended_at = utc_now()
        session.get_one(AlertHandling, held).due_at = utc_now()
    desk.work()
    assert desk.reasons() == ["raised"]
    assert desk.handling().held_until == START + timedelta(minutes=5)


# --- Reminders and escalation -----------------------------------------------------------------


def test_it_reminds_and_escalates_until_somebody_acknowledges(desk: Desk, clock: Any) -> None:
    ops, chief = desk.add_channel("Ops"), desk.add_channel("Chief")
    desk.add_rule(
        notify=(ops,), remind_hours=1, escalate_minutes=30, escalate_to=(chief,), urgency="high"
    )
    desk.raise_alerts(1)
    desk.work()
    clock.shift(30 * 60)
    desk.work()
    assert [(call.path, call.json["reason"]) for call in desk.far_side.calls] == [
        ("/Ops", "raised"),
        ("/Chief", "escalated"),
    ]
    for _hour in range(2):
        clock.shift(60 * 60)
        desk.work()
    assert desk.reasons() == ["raised", "escalated", "reminder", "reminder"]
    acknowledge([desk.handling().alert_id], by="anna@example.com")
    clock.shift(60 * 60)
    desk.work()
    desk.resolve(1)
    desk.work()
    assert desk.reasons()[4:] == ["resolved", "resolved"]  # both that were told
    assert desk.handling().due_at is None


def test_after_a_downtime_it_reminds_once(desk: Desk, clock: Any) -> None:
    desk.add_rule(notify=(desk.add_channel(),), remind_hours=1)
    desk.raise_alerts(1)
    desk.work()
    clock.shift(5 * 3600)
    desk.work()
    desk.work()
    assert desk.reasons() == ["raised", "reminder"]


def test_nothing_is_repeated_in_a_window(desk: Desk, clock: Any) -> None:
    desk.add_rule(notify=(desk.add_channel(),), remind_hours=1)
    desk.raise_alerts(1)
    desk.work()
    clock.shift(30 * 60)
    desk.add_window(120)
    clock.shift(60 * 60)
    desk.work()
    assert desk.reasons() == ["raised"]
    clock.shift(60 * 60)
    desk.work()
    assert desk.reasons() == ["raised", "reminder"]


# --- The end ----------------------------------------------------------------------------------


def test_each_occurrence_is_told_once_and_so_is_its_end(desk: Desk, clock: Any) -> None:
    desk.add_rule(notify=(desk.add_channel(),))
    for _time in range(2):
        desk.raise_alerts(1)
        desk.work()
        desk.work()
        clock.shift(60)
        desk.resolve(1)
        desk.work()
        clock.shift(60)
    assert desk.reasons() == ["raised", "resolved"] * 2
    assert len({message.key for message in desk.messages()}) == 4


def test_what_cannot_be_decided_is_tried_again_and_holds_up_nothing_else(
    desk: Desk, clock: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    desk.add_rule(notify=(desk.add_channel(),))
    desk.raise_alerts(1, 2)
    bad = desk.handling().id

    def break_one(handling: AlertHandling, facts: Any) -> Any:
        if handling.id == bad:
            raise RuntimeError("broken")
        return decide(handling, facts)

    monkeypatch.setattr(deciding, "decide", break_one)
    desk.work()
    assert (desk.handling().attempts, desk.handling().state) == (1, HandlingState.UNDECIDED)
    assert len(desk.messages(MessageStatus.SENT)) == 1
    monkeypatch.undo()
    clock.shift(60)
    deciding.handle_due()
    assert desk.handling().state is ACTED


def test_what_cannot_be_decided_for_a_day_is_marked_and_the_timeline_says_so(
    desk: Desk, clock: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    def break_it(*_arguments: object) -> Any:
        raise RuntimeError("broken")

    desk.raise_alerts(1)
    monkeypatch.setattr(deciding, "decide", break_it)
    for _attempt in range(100):
        due_at = desk.handling().due_at
        if due_at is None:
            break
        clock.move_to(due_at)
        deciding.handle_due()
    assert timedelta(days=1) <= utc_now() - START <= timedelta(days=1, hours=1)
    assert desk.handling().state is HandlingState.SILENT
    assert desk.handling().reason == deciding.UNDECIDABLE
    assert desk.timeline()[-1] == f"Nobody is told: {deciding.UNDECIDABLE}"


def test_nobody_is_reminded_of_what_is_snoozed(desk: Desk, clock: Any) -> None:
    desk.add_rule(notify=(desk.add_channel(),), remind_hours=1)
    desk.raise_alerts(1)
    desk.work()
    until = utc_now() + timedelta(minutes=150)
    desk.change(1, snoozed=True, snooze_until=until)
    for _half_hour in range(4):
        clock.shift(1800)
        desk.work()
    assert desk.reasons() == ["raised"]
    clock.shift(1800)
    desk.work()
    assert desk.reasons() == ["raised", "reminder"]


def test_it_reminds_again_of_what_is_not_snoozed_any_more(desk: Desk, clock: Any) -> None:
    desk.add_rule(notify=(desk.add_channel(),), remind_hours=1)
    desk.raise_alerts(1)
    desk.work()
    desk.change(1, snoozed=True, snooze_until=utc_now() + timedelta(days=5))
    clock.shift(3600)
    desk.work()
    desk.change(1)
    clock.shift(3600)
    desk.work()
    assert desk.reasons() == ["raised", "reminder"]


def test_an_acknowledgement_that_is_taken_back_lets_reminders_go_on(desk: Desk, clock: Any) -> None:
    desk.add_rule(notify=(desk.add_channel(),), remind_hours=1)
    desk.raise_alerts(1)
    desk.work()
    alert_id = desk.handling().alert_id
    acknowledge([alert_id], by="anna@example.com")
    clock.shift(3600)
    desk.work()
    assert desk.reasons() == ["raised"]
    unacknowledge([alert_id])
    desk.work()
    assert desk.reasons() == ["raised", "reminder"]


def test_rules_and_escalations_wait_for_the_end_of_a_snooze(desk: Desk, clock: Any) -> None:
    ops, chief = desk.add_channel("Ops"), desk.add_channel("Chief")
    lasting = Conditions(lasting_minutes=10)
    desk.add_rule(lasting, notify=(ops,), escalate_to=(chief,), escalate_minutes=30)
    desk.raise_alerts(1)
    desk.work()
    alert_id = desk.handling().alert_id
    snooze([alert_id], utc_now() + timedelta(hours=1), by="anna")
    for _five_minutes in range(11):
        clock.shift(300)
        desk.work()
    assert desk.reasons() == []
    assert desk.timeline().count("The rule “Rule 1” waits, because the alert is snoozed.") == 1
    clock.shift(300)
    desk.work()
    assert desk.reasons() == ["raised"]
    snooze([alert_id], utc_now() + timedelta(hours=1), by="anna")
    clock.shift(3000)
    desk.work()
    assert desk.reasons() == ["raised"]
    unsnooze([alert_id])
    desk.work()
    assert desk.reasons() == ["raised", "escalated"]


def test_nobody_is_told_of_what_is_resolved_while_it_is_snoozed(desk: Desk, clock: Any) -> None:
    desk.add_rule(Conditions(lasting_minutes=10), notify=(desk.add_channel(),))
    desk.raise_alerts(1)
    desk.work()
    snooze([desk.handling().alert_id], utc_now() + timedelta(hours=1), by="anna")
    clock.shift(1200)
    desk.work()
    desk.resolve(1)
    desk.work()
    assert (desk.reasons(), desk.handling().reason) == ([], RESOLVED_MEANWHILE)
