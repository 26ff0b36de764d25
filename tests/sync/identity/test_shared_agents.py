"""A known agent that tells another serial number."""

from __future__ import annotations

import pytest

from portal.sync.devices.identity.shared_agents import SerialChange, judge_serial

ONE, TWO, THREE = "5CG8241KLM", "PF0ABC12", "C02XK0AAJG5H"


@pytest.mark.parametrize(
    ("before", "told", "change"),
    [
        ([], None, SerialChange.NONE),
        ([], "To be filled by O.E.M.", SerialChange.NONE),
        ([ONE], None, SerialChange.NONE),
        ([ONE], "Default string", SerialChange.NONE),
        ([ONE], f" {ONE.lower()}", SerialChange.NONE),
        ([], ONE, SerialChange.FIRST),
        (["None", ""], ONE, SerialChange.FIRST),
        ([ONE], TWO, SerialChange.NEW_BOARD),
        ([ONE, TWO], THREE, SerialChange.NEW_BOARD),
        ([ONE, TWO], ONE, SerialChange.SHARED_AGENT),
        ([ONE, "0000", TWO, "None"], ONE, SerialChange.SHARED_AGENT),
    ],
)
def test_a_serial_number_that_changes_alone(
    before: list[str], told: str | None, change: SerialChange
) -> None:
    verdict = judge_serial(before, "RECEPTION", told, "reception")
    assert verdict.change is change
    assert (verdict.reason is None) is (change is SerialChange.NONE)


def test_with_its_host_name_it_is_another_computer() -> None:
    verdict = judge_serial([ONE], "RECEPTION", TWO, "WAREHOUSE")
    assert verdict.change is SerialChange.SHARED_AGENT
    assert verdict.reason is not None
    assert "from RECEPTION to WAREHOUSE" in verdict.reason


def test_a_host_name_alone_says_nothing() -> None:
    assert judge_serial([ONE], "RECEPTION", ONE, "WAREHOUSE").change is SerialChange.NONE


def test_a_name_that_only_a_person_gave_is_not_compared() -> None:
    assert judge_serial([ONE], None, TWO, "WAREHOUSE").change is SerialChange.NEW_BOARD


def test_what_a_person_settled_is_not_asked_again() -> None:
    alternating = judge_serial([ONE, TWO], "RECEPTION", ONE, "WAREHOUSE", is_settled=True)
    assert alternating.change is SerialChange.NEW_BOARD
