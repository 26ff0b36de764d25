"""The trail as owners and admins see it, and as the command shows it."""

from __future__ import annotations

import csv
import io
import re

import pytest
from flask import Flask
from flask.testing import FlaskClient

from portal.db import db
from portal.models import AuditEntry
from portal.scope import tenant_scope
from portal.services.audit.present import Change, list_changes
from portal.services.audit.verification import verify
from portal.services.clients import add_client, delete_client, rename_client
from tests.cli.conftest import Portal, folder, portal
from tests.cli.conftest import acme as cli_acme
from tests.web.conftest import acme, owner
from tests.web.world import Place

__all__ = ["acme", "cli_acme", "folder", "owner", "portal"]

pytestmark = pytest.mark.one_database


def rename(app: Flask, place: Place, old: str, new: str) -> None:
    with app.app_context(), tenant_scope(place.id):
        rename_client(add_client(old).id, new)
        db.session.remove()


def test_the_page_shows_before_and_after(app: Flask, owner: FlaskClient, acme: Place) -> None:
    rename(app, acme, "Zebra", "Zulu <b>")
    with app.app_context():
        number = verify(acme.id).head.number

    page = owner.get(acme.url("audit/")).text
    assert "Client renamed" in page
    assert "<del>Zebra</del>" in page
    assert "<ins>Zulu &lt;b&gt;</ins>" in page
    detail = owner.get(acme.url(f"audit/{number}")).text
    assert "<ins>Zulu &lt;b&gt;</ins>" in detail
    assert "client.renamed" in detail
    assert owner.get(acme.url("audit/999999")).status_code == 404


def test_what_was_not_there_before_has_no_empty_half(
    app: Flask, owner: FlaskClient, acme: Place
) -> None:
    with app.app_context(), tenant_scope(acme.id):
        delete_client(add_client("Zebra").id)

    page = owner.get(acme.url("audit/")).text
    assert "<ins>Zebra</ins>" in page
    assert "<del>Zebra</del>" in page
    assert "<ins>https://api.acme.example</ins>" in page, "of the connection, saved at first"
    assert "empty" not in page[page.index("<table") : page.index("</table>")]


def test_a_time_is_said_as_people_read_it(owner: FlaskClient, acme: Place) -> None:
    who = {"email": "eve@acme.example", "role": "viewer", "sees": "all"}
    owner.post(acme.url("users/invite"), data=who)

    page = owner.get(acme.url("audit/?what=user.invited")).text
    assert re.search(r"<ins><time [^>]+>\d+ \w+ \d{4}, \d\d:\d\d UTC</time></ins>", page), (
        "until when it works"
    )


def test_what_stayed_nothing_is_no_change() -> None:
    entry = AuditEntry(before={"subject": None}, after={"kind": "devices", "subject": None})

    assert list_changes(entry) == [Change("kind", "kind", None, "devices")]


@pytest.mark.parametrize(
    ("query", "is_there"),
    [
        ("what=client.renamed", True),
        ("what=client", True),
        ("what=asset", False),
        ("who=portal", True),
        ("who=nobody", False),
        ("target=client", True),
        ("target=asset", False),
        ("days=1", True),
        ("days=1&q=zulu+zebra", True),
        ("q=no+such+word", False),
        ("days=none&before=none", True),
        ("before=1", False),
        ("before=99999999999999999999999999", True),
    ],
)
def test_filters(app: Flask, owner: FlaskClient, acme: Place, query: str, is_there: bool) -> None:
    rename(app, acme, "Zebra", "Zulu")

    answer = owner.get(acme.url(f"audit/?{query}"))
    assert answer.status_code == 200
    assert ("<ins>Zulu</ins>" in answer.text) is is_there


def test_pages_go_on_by_number(
    app: Flask, owner: FlaskClient, acme: Place, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("portal.services.audit.listing.PAGE_SIZE", 2)
    rename(app, acme, "A", "B")
    rename(app, acme, "C", "D")
    with app.app_context():
        last = verify(acme.id).head.number

    first = owner.get(acme.url("audit/")).text
    assert f'id="audit-{last}"' in first
    assert f'id="audit-{last - 2}"' not in first
    assert "Newest" not in first
    second = owner.get(acme.url(f"audit/?before={last - 1}")).text
    assert f'id="audit-{last - 2}"' in second
    assert f'id="audit-{last}"' not in second
    assert "Newest" in second


def test_the_file_has_what_the_list_shows_and_is_recorded(
    app: Flask, owner: FlaskClient, acme: Place
) -> None:
    rename(app, acme, "=Zebra", "Zulu")

    answer = owner.get(acme.url("audit/export.csv?what=client"))
    rows = list(csv.DictReader(io.StringIO(answer.text)))
    assert [row["action"] for row in rows] == ["client.renamed", "client.added"]
    assert rows[0]["after"] == '{"name": "Zulu"}'
    newest = owner.get(acme.url("audit/?what=list")).text
    assert "List exported" in newest
    assert "audit" in newest


def test_the_command_lists_and_verifies(portal: Portal, cli_acme: Portal) -> None:
    cli_acme("clients", "add", "Zebra", "--tenant", "acme")

    listed = cli_acme("audit", "list", "--tenant", "acme", "--what", "client", "--json").data
    [row] = listed["entries"]
    assert (row["action"], row["after"]) == ("client.added", {"name": "Zebra"})
    assert (row["actor"]["kind"], row["source"]) == ("command", "portal clients add")
    whole = cli_acme("audit", "verify", "--json").data
    assert [(each["tenant"], each["ok"]) for each in whole["chains"]] == [
        (None, True),
        ("acme", True),
    ]
    head = whole["chains"][1]["head"]
    assert head == f"{row['number']}:{row['mac']}"
    assert cli_acme("audit", "verify", "--tenant", "acme", "--head", head).exit_code == 0
    wrong = cli_acme("audit", "verify", "--tenant", "acme", "--head", f"9{head}")
    assert wrong.exit_code == 1
    assert "what came after was removed" in wrong.out
    for words in (
        ("verify", "--head", head),
        ("list",),
        ("verify", "--tenant", "acme", "--head", "x"),
    ):
        assert cli_acme("audit", *words).exit_code == 1
    assert cli_acme("audit", "prune", "--json").data == {"ok": True, "deleted": 0}
