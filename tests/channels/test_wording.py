"""What happened and to what stands first."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest

from portal.channels import Group
from portal.channels.wording import say_length, say_lines, say_title
from tests.channels.samples import OVER, make_alert, make_digest, make_telling


@pytest.mark.parametrize(
    ("reason", "alert", "title"),
    [
        ("raised", {}, "Overdue: SRV-01 (Contoso)"),
        ("reminder", {}, "Still overdue: SRV-01 (Contoso)"),
        ("escalated", {}, "Not acknowledged, overdue: SRV-01 (Contoso)"),
        ("resolved", {"over": OVER}, "Resolved: SRV-01 (Contoso)"),
        ("raised", {"over": OVER}, "Was overdue: SRV-01 (Contoso)"),
        (
            "raised",
            {"kind": "check", "check": "Disk C:"},
            "Check failing: SRV-01 (Contoso), Disk C:",
        ),
        ("raised", {"kind": "task", "client": ""}, "Task failed: SRV-01"),
        ("raised", {"kind": "custom", "hostname": "", "client": ""}, "Alert: SRV-01 is overdue."),
    ],
)
def test_the_title_of_one_alert(reason: str, alert: dict[str, Any], title: str) -> None:
    assert say_title(make_telling(make_alert(**alert), reason=reason)) == title


def test_many_at_once_are_counted_by_client() -> None:
    digest = make_digest()
    assert say_title(digest) == "40 alerts: Contoso (39) and Fabrikam (1)"
    assert say_lines(digest) == [
        "Overdue: SRV-01 (Contoso)",
        "Overdue: PC-02 (Contoso)",
        "and 37 more of Contoso, 12 of them servers",
        "1 alert of Fabrikam, a server",
    ]


def test_of_many_clients_the_title_names_a_few() -> None:
    groups = [Group(client=f"C{number}", alerts=2) for number in range(9)]
    title = say_title(make_digest(alerts=[], groups=groups))
    assert title == "18 alerts: C0 (2), C1 (2), C2 (2), C3 (2), C4 (2) and 4 other clients"


def test_lengths_are_said_in_what_they_fill() -> None:
    seconds = (-5, 1, 59, 60, 119, 7199, 7200, 172800)
    assert [say_length(timedelta(seconds=each)) for each in seconds] == [
        *("0 seconds", "1 second", "59 seconds", "1 minute", "1 minute"),
        *("119 minutes", "2 hours", "2 days"),
    ]
