"""Tickets from the command line: which are listed, and whether there are more."""

from __future__ import annotations

import sqlite3
from contextlib import closing
from pathlib import Path

import pytest

from tests.cli.conftest import TENANT, Portal

pytestmark = pytest.mark.one_database

HELPDESK = """
INSERT INTO helpdesks (tenant_id, kind, name, settings, active, probe, is_proven, failures,
created_at)
SELECT id, 'mail', 'Desk', '{}', 1, '[]', 1, 0, '2026-01-01 00:00:00.000000' FROM tenants
"""
TICKET = """
INSERT INTO tickets (tenant_id, helpdesk_id, outage, key, queue, customer_id, priority, urgency,
subject, body, page, status, reference, created_at) SELECT tenant_id, id, 'alert ' || :number,
'k' || :number, 'support', '', '', 'normal', 'Disk ' || :number, '', '', :status, :number,
'2026-01-01 00:00:00.000000' FROM helpdesks
"""
STATES = ("open", "waiting", "closed", "unsure", "failed", "gone")


@pytest.fixture
def tickets(acme: Portal, folder: Path) -> Portal:
    """One in each state, numbered from 1 on in that order."""
    with closing(sqlite3.connect(folder / "portal.db")) as connection, connection:
        connection.execute(HELPDESK)
        for number, status in enumerate(STATES, 1):
            connection.execute(TICKET, {"number": str(number), "status": status})
    return acme


@pytest.mark.parametrize(
    ("asked", "listed"),
    [
        ((), "4 2 1"),
        (("--state", "attention"), "5 4"),
        (("--state", "over"), "6 3"),
        (("--state", "open"), "1"),
        (("--state", "failing"), ""),
        (("--all",), "6 5 4 3 2 1"),
    ],
)
def test_those_of_a_state_are_listed(tickets: Portal, asked: tuple[str, ...], listed: str) -> None:
    data = tickets("tickets", "list", *asked, *TENANT).data
    assert [each["ticket_ref"] for each in data["tickets"]] == listed.split()
    assert {each["helpdesk"] for each in data["tickets"]} <= {"Desk"}
    assert (data["ok"], data["more"]) == (True, False)
    said = tickets("tickets", "list", *asked, "--tenant", "acme").out
    assert [line.split()[3] for line in said.splitlines() if "Desk" in line] == listed.split()
    assert ("There are no such tickets." in said) is (listed == "")
    assert "more" not in said


def test_a_list_that_ends_says_so(tickets: Portal) -> None:
    data = tickets("tickets", "list", "--most", "2", *TENANT).data
    assert ([each["ticket_ref"] for each in data["tickets"]], data["more"]) == (["4", "2"], True)
    said = tickets("tickets", "list", "--most", "2", "--tenant", "acme").out
    assert said.splitlines()[-1] == "There are more: these are the newest 2."
    assert "Disk 1" not in said
    assert not tickets("tickets", "list", "--most", "3", *TENANT).data["more"]
