from __future__ import annotations

import pytest

from tests.cli.conftest import TENANT, Portal

pytestmark = pytest.mark.one_database

NIGHT = ("--zone", "Europe/Berlin", "--starts", "2026-11-28T22:00", "--ends", "2026-11-29T06:00")


def test_windows_are_added_listed_and_ended(acme: Portal) -> None:
    acme("clients", "add", "Contoso", *TENANT)
    words = ("--every", "month-weekday", "--nth", "second", "--on", "tuesday", "--days-after", "1")
    added = acme("windows", "add", "Night", *NIGHT, *words, "--client", "Contoso", *TENANT).data
    assert added["repeats_in_words"] == "Every month on the day after the second Tuesday"
    assert (added["scope_in_words"], added["minutes"]) == (["Contoso"], 480)
    always = ("--zone", "UTC", "--starts", "2020-01-01T00:00", "--ends", "2020-01-02T00:00")
    now = acme("windows", "add", "Always", *always, "--every", "day", *TENANT).data
    assert now["state"] == "in_force"

    listed = acme("windows", "list", *TENANT).data["windows"]
    assert [each["name"] for each in listed] == ["Always", "Night"]
    assert acme("windows", "end", now["id"], *TENANT).data["state"] == "coming"

    again = acme("windows", "end", now["id"], *TENANT)
    assert (again.exit_code, "not in force" in again.data["message"]) == (1, True)
    wrong = acme("windows", "add", "X", *NIGHT, "--client", "Nobody", *TENANT)
    assert wrong.data["message"] == "There is no client named Nobody."
