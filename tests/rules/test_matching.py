"""Which alerts meet which conditions, and what is said about it."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from portal.errors import InvalidInput
from portal.services.rules.hours import is_within, tell_hours
from portal.services.rules.matching import Match, Tally, explain
from portal.services.rules.patterns import compile_pattern
from portal.services.rules.terms import (
    AtLeast,
    Conditions,
    Hours,
    Steps,
    Subject,
    Text,
    read_conditions,
    read_steps,
    to_json,
)

BEGAN = datetime(2026, 11, 28, 21, 30, tzinfo=UTC)
"""A Saturday."""


def subject(**facts: Any) -> Subject:
    known: dict[str, Any] = {
        **{"alert_id": 1, "severity": "error", "kind": "check", "began_at": BEGAN},
        "message": "SRV-1 has Ping check: Gateway (Süd) that failed.",
        **{"client_id": 3, "client": "Contoso", "organization_id": "7", "organization": "Contoso"},
        **{"site_id": "9", "site": "HQ", "asset_id": 5, "hostname": "SRV-1"},
        **{"asset_type": "server", "system": "windows", "tags": frozenset({"vip", "sql"})},
        "check_id": "check 12",
    }
    return Subject(**known | facts)


def judge(conditions: Conditions, **facts: Any) -> Match:
    return explain(conditions, subject(**facts), BEGAN + timedelta(minutes=5))


@pytest.mark.parametrize(
    ("conditions", "other", "why"),
    [
        (Conditions(severities=("error", "info")), {"severity": "warning"}, "severity is warning"),
        (Conditions(kinds=("check",)), {"kind": "task"}, "kind is task"),
        (Conditions(clients=(4, 3)), {"client_id": 5, "client": "Other"}, "client is Other"),
        (Conditions(clients=(3,)), {"client_id": None}, "has no client"),
        (Conditions(organizations=("7",)), {"organization_id": "8"}, "organization is Contoso"),
        (Conditions(sites=("9",)), {"site_id": None}, "has no site"),
        (Conditions(assets=(5,)), {"asset_id": 6, "hostname": "PC-2"}, "asset is PC-2"),
        (Conditions(asset_types=("server",)), {"asset_type": "workstation"}, "a workstation"),
        (Conditions(systems=("windows",)), {"system": "linux"}, "operating system is linux"),
        (Conditions(tags=("vip", "x")), {"tags": frozenset({"y"})}, "no tag vip and x"),
        (Conditions(text=Text("GATEWAY (süd)")), {"message": "Disk"}, "is not in its message"),
        (Conditions(text=Text(r"ping.*\(S", True)), {"message": "Disk"}, "The pattern “ping"),
    ],
)  # fmt: skip
def test_a_condition_is_met_by_one_of_its_list_and_says_what_it_fails_for(
    conditions: Conditions, other: dict[str, Any], why: str
) -> None:
    assert judge(conditions).matched
    failed = judge(conditions, **other)
    assert not failed.matched
    assert why in failed.why
    assert read_conditions(to_json(conditions)) == conditions


def test_all_that_is_filled_in_must_be_met_and_nothing_filled_in_meets_all() -> None:
    both = Conditions(severities=("error",), asset_types=("server",), tags=("vip",))
    assert judge(both).why == (
        "Its severity is error. Its asset is a server. Its asset has the tag vip."
    )
    assert not judge(both, severity="info").matched
    assert not judge(both, asset_type="workstation").matched
    assert judge(Conditions()).why == "The rule matches every alert."


def test_it_waits_until_an_active_alert_has_lasted_long_enough() -> None:
    ten = Conditions(lasting_minutes=10)
    waiting = judge(ten)
    assert (waiting.matched, waiting.waits_until) == (False, BEGAN + timedelta(minutes=10))
    assert explain(ten, subject(), BEGAN + timedelta(minutes=10)).matched


def test_an_alert_that_is_over_is_judged_by_how_long_it_lasted() -> None:
    ten, later = Conditions(lasting_minutes=10), BEGAN + timedelta(days=1)
    short = explain(ten, subject(over_at=BEGAN + timedelta(minutes=4)), later)
    assert short == Match(False, "It lasted 4 minutes, not 10.")
    assert explain(ten, subject(over_at=BEGAN + timedelta(minutes=10)), later).matched


def test_what_a_window_kept_back_counts_from_the_windows_end() -> None:
    end = BEGAN + timedelta(hours=3)
    held = subject(counts_from=end)
    ten = Conditions(lasting_minutes=10)
    assert explain(ten, held, end).waits_until == end + timedelta(minutes=10)
    sunday = Conditions(hours=Hours("UTC", days=(6,)))
    assert explain(sunday, held, end).matched
    assert not explain(sunday, subject(), end).matched


def test_alerts_are_counted_with_their_like_and_only_those_that_meet_the_rest() -> None:
    flood = Conditions(severities=("error",), at_least=AtLeast(3, 10))
    others = [
        subject(alert_id=2, began_at=BEGAN - timedelta(minutes=10)),
        subject(alert_id=3, began_at=BEGAN - timedelta(minutes=11)),
        subject(alert_id=4, began_at=BEGAN - timedelta(minutes=1), severity="info"),
        subject(alert_id=5, began_at=BEGAN - timedelta(minutes=1), asset_id=6),
        subject(),
    ]
    number = Tally(flood, others).count(subject())
    assert number == 2
    assert explain(flood, subject(), BEGAN, number) == Match(
        False, "There were 2 such alerts of its asset within 10 minutes, not 3."
    )
    last = subject(alert_id=6, began_at=BEGAN + timedelta(seconds=1))
    assert Tally(flood, [*others, last]).count(subject()) == 2, "what comes later counts later"
    assert explain(flood, last, BEGAN, 3).matched


def test_alerts_without_what_is_counted_by_count_alone() -> None:
    flood = Conditions(at_least=AtLeast(2, 10, of="client"))
    nobody = subject(client_id=None)
    assert Tally(flood, [nobody, nobody]).count(nobody) == 1


BERLIN = "Europe/Berlin"
NIGHT = Hours(BERLIN, days=(4,), start="22:00", end="06:00")
"""From Friday to Saturday."""


@pytest.mark.parametrize(
    ("hours", "moment", "within"),
    [
        (NIGHT, "2026-11-27T21:00", True),
        (NIGHT, "2026-11-27T20:59", False),
        (NIGHT, "2026-11-28T04:59", True),
        (NIGHT, "2026-11-28T05:00", False),
        (NIGHT, "2026-11-27T04:00", False),
        (NIGHT, "2026-07-03T20:00", True),
        # The clock goes from 01:59 to 03:00 there, in the night to Sunday.
        (Hours(BERLIN, days=(6,), start="02:00", end="03:00"), "2026-03-29T00:59", False),
        (Hours(BERLIN, days=(6,), start="02:00", end="03:00"), "2026-03-29T01:00", False),
        # It shows the hour from 02:00 twice.
        (Hours(BERLIN, days=(6,), start="02:00", end="03:00"), "2026-10-25T00:30", True),
        (Hours(BERLIN, days=(6,), start="02:00", end="03:00"), "2026-10-25T01:30", True),
        (Hours("UTC", days=(5,)), "2026-11-28T00:00", True),
        (Hours("UTC", days=(5,)), "2026-11-28T23:59", True),
        (Hours("UTC", days=(5,)), "2026-11-29T00:00", False),
        (Hours("UTC", days=(5,), outside=True), "2026-11-29T00:00", True),
    ],
)
def test_hours_are_those_of_the_clock_on_the_wall(hours: Hours, moment: str, within: bool) -> None:
    assert is_within(hours, datetime.fromisoformat(moment).replace(tzinfo=UTC)) is within


def test_hours_are_told_as_people_say_them() -> None:
    office = Hours("UTC", days=(0, 1, 2, 3, 4), start="08:00", end="18:00", outside=True)
    assert tell_hours(office) == "outside of Monday to Friday, 08:00 to 18:00 (UTC)"
    assert tell_hours(NIGHT) == "Friday, 22:00 to 06:00 (Europe/Berlin)"
    assert tell_hours(Hours("UTC")) == "every day, all day (UTC)"


@pytest.mark.parametrize(
    ("pattern", "says"),
    [
        ("(disk", "“(” is opened and not closed"),
        ("disk)", "“)” is closed that was not opened"),
        ("[abc", "“[” is opened and not closed"),
        ("*disk", "Before “*” there must be"),
        ("a**", "“**” repeats a repetition"),
        ("a{2000}", "“{2000}” cannot be used"),
        ("(?=disk)", "“(?=” cannot be used"),
        (r"(a)\1", r"“\1” cannot be used"),
        ("[z-a]", "“z-a” is no range"),
        ("disk\\", "ends with a backslash"),
        ("\ud800", "a character that is none"),
        ("a" * 501, "at most 500 characters"),
        ("((a{100}){10}){2}", "cannot be used"),
        (r"(\pL{900})(\pL{900})(\pL{900})", "The pattern is too large"),
    ],
)
def test_a_pattern_that_cannot_be_used_is_refused_in_our_words(
    pattern: str, says: str, capfd: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(InvalidInput) as refused:
        compile_pattern(pattern)
    assert says in refused.value.message
    assert capfd.readouterr() == ("", "")


def test_no_pattern_takes_long() -> None:
    """The one that takes a backtracking engine years."""
    assert not judge(Conditions(text=Text("(a+)+$", True)), message="a" * 5000 + "!").matched


@pytest.mark.parametrize(
    "stored", [{"severities": ["bad"]}, {"lasting_minutes": "5"}, {"unknown": 1}, {"clients": 3}]
)
def test_terms_that_no_rule_can_mean_are_refused(stored: dict[str, Any]) -> None:
    with pytest.raises(InvalidInput):
        read_conditions(stored)


def test_steps_are_kept_as_they_were() -> None:
    steps = Steps(notify=(1, 2), urgency="high", remind_hours=4, escalate_to=(3,))
    assert read_steps(to_json(steps)) == steps
    assert to_json(Steps()) == {}
